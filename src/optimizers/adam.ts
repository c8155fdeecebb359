// Adam and AdamW.
import { checkNonNegative, checkPositive, checkRange } from '../core/check.js';
import type { FloatArray } from '../core/tensor.js';
import { checkSettings, checkState, checkStep, type LearningRate, type Optimizer, rateAt, zerosLike } from './optimizer.js';

export interface AdamOptions {
  /** 1e-3. */
  readonly learningRate?: LearningRate;
  /** Decay of the mean of gradients (0.9). */
  readonly beta1?: number;
  /** Decay of the mean of their squares (0.999). */
  readonly beta2?: number;
  /** Added to the root of the second moment (1e-8). */
  readonly epsilon?: number;
  /** Decoupled: the step takes learningRate·weightDecay·params off (0). */
  readonly weightDecay?: number;
}

export interface AdamState {
  step: number;
  /** beta1^step and beta2^step, kept as products so that every runtime has the same bits. */
  power1: number;
  power2: number;
  readonly mean: FloatArray;
  readonly square: FloatArray;
}

/**
 * Adam with bias correction; with `weightDecay` it is AdamW.
 *   m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²,  w ← w − η( m/(1−β₁ᵗ) / (√(v/(1−β₂ᵗ)) + ε) + λw )
 *
 * @param options `learningRate` (1e-3, or a function of the step), `beta1` (0.9), `beta2` (0.999), `epsilon` (1e-8), `weightDecay` (0)
 * @returns an optimizer; `step` changes params and state in place, `update` is pure
 * @throws {DomainError} when an option is out of range, parameters or gradients not finite, a state not one of `init`; {ShapeError} when lengths differ
 * @see Kingma & Ba 2015, arXiv:1412.6980, algorithm 1; Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2
 */
export function adam(options: AdamOptions = {}): Optimizer<AdamState> {
  checkSettings(options);
  const { learningRate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = options;
  checkRange('beta1', beta1, 0, 1 - Number.EPSILON);
  checkRange('beta2', beta2, 0, 1 - Number.EPSILON);
  checkPositive('epsilon', epsilon);
  checkNonNegative('weightDecay', weightDecay);

  function check(params: FloatArray, grads: FloatArray, state: AdamState): void {
    checkStep(params, grads);
    checkState(state, params, ['mean', 'square']);
  }

  /** out = keep·params − step; the moments move in place. */
  function move(params: FloatArray, grads: FloatArray, state: AdamState, out: FloatArray, keep: 0 | 1): void {
    const rate = rateAt(learningRate, state.step);
    state.step++;
    state.power1 *= beta1;
    state.power2 *= beta2;
    const correction1 = 1 / (1 - state.power1);
    const correction2 = 1 / (1 - state.power2);
    const { mean, square } = state;
    for (let i = 0; i < params.length; i++) {
      const w = params[i] as number;
      const g = grads[i] as number;
      const m = beta1 * (mean[i] as number) + (1 - beta1) * g;
      const v = beta2 * (square[i] as number) + (1 - beta2) * g * g;
      mean[i] = m;
      square[i] = v;
      out[i] = keep * w - rate * ((m * correction1) / (Math.sqrt(v * correction2) + epsilon) + weightDecay * w);
    }
  }

  return {
    init: (params) => ({ step: 0, power1: 1, power2: 1, mean: zerosLike(params), square: zerosLike(params) }),
    step: (params, grads, state) => {
      check(params, grads, state);
      move(params, grads, state, params, 1);
    },
    update: (grads, before, params) => {
      check(params, grads, before);
      const state = { ...before, mean: before.mean.slice(), square: before.square.slice() };
      const updates = zerosLike(params);
      move(params, grads, state, updates, 0);
      return { updates, state };
    },
  };
}
