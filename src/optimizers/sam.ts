// Sharpness-aware minimisation around any base optimizer.
import { asRecord, checkNonNegative, checkOneOf, checkPositive } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import { square } from '../core/square.js';
import { describe, type FloatArray } from '../core/tensor.js';
import { checkParams, checkStep, type Optimizer, zerosLike } from './optimizer.js';

export interface SamOptions {
  /** Radius ρ; 0.05, or 0.5 for the adaptive form. */
  readonly rho?: number;
  /** `'sam'` (default), or `'asam'`: the ball is measured in units of the weights. */
  readonly kind?: 'sam' | 'asam';
  /** asam: added to |w| (0.01). */
  readonly eta?: number;
}

/** Sharpness-aware minimisation: two gradients a step. */
export interface Sam<State> {
  init(params: FloatArray): State;
  /** ε for the gradient at the parameters [d]: ρ g/‖g‖, or ρ T²g/‖T g‖ with T = |w| + η. */
  perturbation(params: FloatArray, grads: FloatArray): FloatArray;
  /**
   * One step in place. `gradient` is asked twice: at the parameters and at parameters + ε; the base optimizer moves the parameters
   * along the second answer. Averaging several calls of `gradient` on shards, each with its own ε, is m-sharpness.
   * @returns the two losses, if `gradient` gives them
   */
  step(
    params: FloatArray,
    gradient: (at: FloatArray) => Promise<{ value?: number; grad: FloatArray }> | { value?: number; grad: FloatArray },
    state: State,
  ): Promise<{ loss: number | undefined; perturbedLoss: number | undefined }>;
}

/**
 * Sharpness-aware minimisation (SAM, ASAM): descends along the gradient at the worst point of a ball around the parameters.
 *   ε = ρ g/‖g‖₂,  w ← base step of ∇L(w + ε)   (the dependence of ε on w is left out, as published)
 *
 * @param base the optimizer that moves the parameters, for example `sgd({ momentum: 0.9 })`; weight decay belongs to it
 * @param options `rho` (0.05; asam 0.5), `kind` 'sam' | 'asam', `eta` (0.01)
 * @returns an object with `init`, `perturbation` and an asynchronous `step` that asks for the gradient twice
 * @throws {DomainError} when rho is not > 0, or `gradient` answers no finite gradient
 * @see Foret et al. 2021, arXiv:2010.01412; Kwon et al. 2021, arXiv:2102.11600
 */
export function sam<State>(base: Optimizer<State>, options: SamOptions = {}): Sam<State> {
  if (typeof base?.step !== 'function' || typeof base.init !== 'function')
    throw new DomainError(`base: expected an optimizer with init and step, got ${describe(base)}`);
  asRecord('options', options);
  const { kind = 'sam', eta = 0.01 } = options;
  checkOneOf('kind', kind, ['sam', 'asam']);
  const { rho = kind === 'sam' ? 0.05 : 0.5 } = options;
  checkPositive('rho', rho);
  checkNonNegative('eta', eta);

  function perturbation(params: FloatArray, grads: FloatArray): FloatArray {
    checkStep(params, grads);
    const out = zerosLike(params);
    const scale = (i: number) => (kind === 'sam' ? 1 : Math.abs(params[i]!) + eta);
    let squares = 0;
    for (let i = 0; i < grads.length; i++) squares += square(scale(i) * grads[i]!);
    const factor = squares > 0 ? rho / Math.sqrt(squares) : 0;
    for (let i = 0; i < grads.length; i++) out[i] = factor * square(scale(i)) * grads[i]!;
    return out;
  }

  return {
    init: (params) => base.init(params),
    perturbation,
    async step(params, gradient, state) {
      checkParams(params);
      if (typeof gradient !== 'function') throw new DomainError(`gradient: expected a function of parameters, got ${describe(gradient)}`);
      const here = await gradient(params);
      checkAnswer(here);
      const epsilon = perturbation(params, here.grad);
      const there = await gradient(params.map((w, i) => w + epsilon[i]!) as FloatArray);
      checkAnswer(there);
      base.step(params, there.grad, state);
      return { loss: here.value, perturbedLoss: there.value };
    },
  };
}

function checkAnswer(answer: { grad: FloatArray } | undefined): void {
  if (typeof answer !== 'object' || answer === null)
    throw new DomainError(`gradient: expected { grad } in return, got ${describe(answer)}`);
}
