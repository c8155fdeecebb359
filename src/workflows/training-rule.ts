// One step of training on one batch, by any optimizer: what `fit` repeats.
import { checkOneOf } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { Batch, DifferentiableModel } from '../core/model-types.js';
import type { Registry } from '../core/registry.js';
import type { FloatArray } from '../core/tensor.js';
import { registry as secondOrder } from '../mfac/registry.js';
import { type LearningRate, type Optimizer, type Sam, sam, sgd } from '../optimizers/index.js';
import { registry as firstOrder } from '../optimizers/registry.js';

/** Options of optimizers that are given by name; one that the optimizer does not take is refused. */
export interface OptimizerSettings {
  /** 1e-3 for adam and mfac, 1e-2 for sgd and sam. */
  readonly learningRate?: LearningRate;
  /** sgd, mfac (0), sam (0.9). */
  readonly momentum?: number;
  readonly weightDecay?: number;
  /** mfac: gradients kept (1024). */
  readonly window?: number;
  /** mfac: λ (1e-5). */
  readonly damping?: number;
  /** sam: radius (0.05). */
  readonly rho?: number;
}

const registered: Registry = { ...firstOrder, ...secondOrder };
const settingsOf = (name: string): readonly string[] | undefined => registered[name]?.settings;
/** `mfac` is short for `mfac-optimizer`. */
const aliases: Readonly<Record<string, string>> = { mfac: 'mfac-optimizer' };

/** Names that `fit` takes in place of an optimizer: registered ones that train a model, and short forms. */
export const optimizerNames: readonly string[] = [...Object.keys(registered).filter(settingsOf), ...Object.keys(aliases)].sort();

/** The key of Newton's method, which moves along the whole data set. */
export const newton = 'grad-norm-smooth-newton';

/** The registry key of an optimizer and its settings, each checked by name. @throws {DomainError} */
export function readOptimizer(name: string, settings: OptimizerSettings): { key: string; given: Record<string, unknown> } {
  checkOneOf('optimizer', name, optimizerNames);
  const key = aliases[name] ?? name;
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  const known = [...(key === newton ? [] : ['learningRate']), ...(settingsOf(key) ?? [])];
  for (const setting of Object.keys(given)) {
    if (!known.includes(setting))
      throw new DomainError(`${setting}: expected no such option for ${name}${known.length ? `, which takes ${known.join(', ')}` : ''}`);
  }
  return { key, given };
}

/** An optimizer by name. @throws {DomainError} for names nobody knows, options it does not take, values out of range */
export function namedOptimizer(name: string, settings: OptimizerSettings): Optimizer<unknown> | Sam<unknown> {
  const { key, given } = readOptimizer(name, settings);
  if (key === 'sam') {
    const { rho, ...base } = given;
    return sam(sgd({ momentum: 0.9, ...base }), rho === undefined ? {} : { rho: rho as number }) as Sam<unknown>;
  }
  return registered[key]?.method(given) as Optimizer<unknown>;
}

/** Steps of one model by one optimizer. */
export interface TrainingRule {
  /** Moves the model by one step on a batch and returns the loss before it. */
  step(batch: Batch): Promise<number>;
  dispose(): void;
}

/** The steps of `optimizer` on `model`; parameters [d] stay as they are where `mask` is 0. */
export function trainingRule(
  model: DifferentiableModel,
  optimizer: Optimizer<unknown> | Sam<unknown>,
  mask: Uint8Array | undefined,
): TrainingRule {
  const params = model.getParameters();
  const state = optimizer.init(params);
  const fixed = mask && params.slice();

  async function gradient(batch: Batch): Promise<{ value: number; grad: FloatArray }> {
    const found = await model.gradient(batch);
    if (!Number.isFinite(found.value)) throw new DomainError(`loss: expected a finite number, got ${found.value}`);
    if (mask) for (let i = 0; i < found.grad.length; i++) if (!mask[i]) found.grad[i] = 0;
    return found;
  }

  return {
    async step(batch) {
      let loss: number;
      if ('perturbation' in optimizer) {
        const asked = (at: FloatArray) => {
          model.setParameters(at);
          return gradient(batch);
        };
        try {
          loss = (await optimizer.step(params, asked, state)).loss as number;
        } catch (error) {
          model.setParameters(params); // not the perturbed ones, where the second gradient was asked for
          throw error;
        }
      } else {
        const { value, grad } = await gradient(batch);
        optimizer.step(params, grad, state);
        loss = value;
      }
      if (fixed) for (let i = 0; i < params.length; i++) if (!mask?.[i]) params[i] = fixed[i] as number;
      model.setParameters(params);
      return loss;
    },
    dispose() {
      if ('dispose' in optimizer) optimizer.dispose?.(state);
    },
  };
}
