import { checkAborted } from '../core/batches.js';
import { checkArray, checkInteger, checkMethods, checkOneOf, checkPositive } from '../core/check.js';
import type { Data, DifferentiableModel, LongOptions } from '../core/model-types.js';
import { Random } from '../core/random.js';
import { readLong } from '../core/stepper.js';
import { sizeOf } from '../core/tensor.js';

export interface ZerothOrderImportanceOptions extends LongOptions {
  /** Random directions per tensor (32); every one costs two forward passes over the data. */
  readonly probes?: number;
  /** Length of a step in units of a standard normal per weight (1e-3). */
  readonly epsilon?: number;
  /** |difference| (absolute, the default) or its square. */
  readonly form?: 'absolute' | 'squared';
  readonly seed?: number;
}

/**
 * How much the loss depends on every tensor of a model, by forward passes only: the mean over random directions z of
 * |L(W + εz) − L(W − εz)| / 2ε, which is √(2/π)·‖∇_W L‖₂ (absolute), or of its square, which is ‖∇_W L‖² (squared).
 *
 * @param model any model with a loss; its parameters are put back
 * @param data one batch or several
 * @param options `probes` (32), `epsilon` (1e-3), `form` (absolute), `seed` (0), `signal`, `onProgress`
 * @returns one score per slot of `model.layout`
 * @throws {DomainError} when an option is out of range; {AbortError}
 * @see Sung, Yoon & Bansal 2023 (ECoFLaP), arXiv:2310.02998, §3.2
 */
export async function zerothOrderImportance(
  model: DifferentiableModel,
  data: Data,
  options: ZerothOrderImportanceOptions = {},
): Promise<Float64Array> {
  const { probes = 32, epsilon = 1e-3, form = 'absolute', seed = 0, signal, onProgress } = readLong(options);
  checkMethods('model', model, 'a differentiable model', 'loss', 'getParameters', 'setParameters');
  checkArray('model.layout', model.layout);
  checkInteger('probes', probes, 1);
  checkPositive('epsilon', epsilon);
  checkOneOf('form', form, ['absolute', 'squared']);
  const random = new Random(seed);
  const original = model.getParameters();
  const scores = new Float64Array(model.layout.length);
  try {
    for (const [i, { offset, shape }] of model.layout.entries()) {
      const size = sizeOf(shape);
      for (let probe = 0; probe < probes; probe++) {
        checkAborted(signal);
        const z = random.fill(new Float64Array(size));
        const at = async (step: number): Promise<number> => {
          const moved = original.slice();
          for (let k = 0; k < size; k++) moved[offset + k] = (original[offset + k] as number) + step * (z[k] as number);
          model.setParameters(moved);
          return model.loss(data);
        };
        const slope = ((await at(epsilon)) - (await at(-epsilon))) / (2 * epsilon);
        scores[i] = (scores[i] as number) + (form === 'absolute' ? Math.abs(slope) : slope * slope) / probes;
        onProgress?.({ done: i * probes + probe + 1, total: scores.length * probes, phase: 'importance' });
      }
    }
  } finally {
    model.setParameters(original);
  }
  return scores;
}
