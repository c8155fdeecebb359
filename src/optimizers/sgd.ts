// Stochastic gradient descent.
import { checkNonNegative, checkRange } from '../core/check.js';
import type { FloatArray } from '../core/tensor.js';
import { checkSettings, checkState, checkStep, type LearningRate, type Optimizer, rateAt, zerosLike } from './optimizer.js';

export interface SgdOptions {
  /** 1e-2. */
  readonly learningRate?: LearningRate;
  /** Share of the last velocity that is kept (0). */
  readonly momentum?: number;
  /** Look ahead along the velocity (false). */
  readonly nesterov?: boolean;
  /** Added to the gradient as weightDecay·params (0). */
  readonly weightDecay?: number;
}

export interface SgdState {
  step: number;
  readonly velocity: FloatArray;
}

/**
 * Stochastic gradient descent, with momentum (heavy ball or Nesterov) and weight decay.
 *   g ← g + λw,  v ← μv + g,  w ← w − η v   (Nesterov: w ← w − η (g + μv))
 *
 * @param options `learningRate` (1e-2, or a function of the step), `momentum` (0), `nesterov` (false), `weightDecay` (0)
 * @returns an optimizer; `step` changes params and state in place, `update` is pure
 * @throws {DomainError} when an option is out of range, parameters or gradients not finite, a state not one of `init`; {ShapeError} when lengths differ
 * @see Sutskever, Martens, Dahl & Hinton 2013, Proc. ICML, section 2 (in the form that keeps η out of the velocity)
 */
export function sgd(options: SgdOptions = {}): Optimizer<SgdState> {
  checkSettings(options);
  const { learningRate = 1e-2, momentum = 0, nesterov = false, weightDecay = 0 } = options;
  checkRange('momentum', momentum, 0, 1);
  checkNonNegative('weightDecay', weightDecay);

  function check(params: FloatArray, grads: FloatArray, state: SgdState): void {
    checkStep(params, grads);
    checkState(state, params, ['velocity']);
  }

  /** out = keep·params − step; the velocity moves in place. */
  function move(params: FloatArray, grads: FloatArray, state: SgdState, out: FloatArray, keep: 0 | 1): void {
    const rate = rateAt(learningRate, state.step);
    state.step++;
    const { velocity } = state;
    for (let i = 0; i < params.length; i++) {
      const w = params[i] as number;
      const g = (grads[i] as number) + weightDecay * w;
      const v = momentum * (velocity[i] as number) + g;
      velocity[i] = v;
      out[i] = keep * w - rate * (nesterov ? g + momentum * v : v);
    }
  }

  return {
    init: (params) => ({ step: 0, velocity: zerosLike(params) }),
    step: (params, grads, state) => {
      check(params, grads, state);
      move(params, grads, state, params, 1);
    },
    update: (grads, before, params) => {
      check(params, grads, before);
      const state = { ...before, velocity: before.velocity.slice() };
      const updates = zerosLike(params);
      move(params, grads, state, updates, 0);
      return { updates, state };
    },
  };
}
