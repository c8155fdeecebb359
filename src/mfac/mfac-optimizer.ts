// Gradient descent preconditioned by the inverse Fisher matrix of the last gradients.
import { asRecord, checkInteger, checkMethods, checkNonNegative, checkPositive, checkRange } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import { describe, type FloatArray, floats, isIntegerArray, precisionOf } from '../core/tensor.js';
import {
  checkAlike,
  checkParams,
  checkSettings,
  checkState,
  checkStep,
  type LearningRate,
  type Optimizer,
  rateAt,
  zerosLike,
} from '../optimizers/optimizer.js';
import { DynamicMfac } from './dynamic-mfac.js';

export interface MfacOptimizerOptions {
  /** 1e-3. */
  readonly learningRate?: LearningRate;
  /** μ in v ← μv + (1 − μ)u (0: no momentum). */
  readonly momentum?: number;
  /** Added to the gradient as weightDecay·params before it enters the window (0). */
  readonly weightDecay?: number;
  /** Gradients kept (1024, the paper's; memory is window × parameters). */
  readonly window?: number;
  /** λ (1e-5). */
  readonly damping?: number;
  /** Works on the parameters that are not zero at the start and leaves the others at zero (false). */
  readonly sparse?: boolean;
}

export interface MfacOptimizerState {
  step: number;
  readonly mfac: DynamicMfac;
  /** v, where there is momentum. */
  readonly velocity: FloatArray | undefined;
  /** Parameters that are moved, in sparse mode. */
  readonly indices: Int32Array | undefined;
}

/**
 * M-FAC: steps along F⁻¹ of the gradient, F the damped empirical Fisher matrix of the last `window` gradients, the newest among them.
 *   u = F⁻¹(g + wd·w),  v ← μv + (1 − μ)u,  w ← w − η v   (v = u without momentum)
 * `step` changes the window in place; `update` works on a copy of it, which costs as much memory again. `dispose(state)` frees it.
 *
 * @param options `learningRate` (1e-3), `momentum` (0), `weightDecay` (0), `window` (1024), `damping` (1e-5), `sparse` (false)
 * @returns an optimizer
 * @throws {DomainError} when an option is out of range, parameters or gradients not finite, a state not one of `init`; {ShapeError} when lengths differ
 * @see Frantar, Kurtic & Alistarh 2021, arXiv:2107.03356, §4.2
 */
export function mfacOptimizer(options: MfacOptimizerOptions = {}): Optimizer<MfacOptimizerState> {
  checkSettings(options);
  const { learningRate = 1e-3, momentum = 0, weightDecay = 0, window = 1024, damping = 1e-5, sparse = false } = options;
  checkRange('momentum', momentum, 0, 1 - Number.EPSILON);
  checkNonNegative('weightDecay', weightDecay);
  checkInteger('window', window, 1);
  checkPositive('damping', damping);

  function check(params: FloatArray, grads: FloatArray, state: MfacOptimizerState): void {
    checkStep(params, grads);
    checkState(state, params, []);
    const { mfac, velocity, indices } = state;
    if (indices !== undefined && !isIntegerArray(indices))
      throw new DomainError(`state.indices: expected what init(params) returns, got ${describe(indices)}`);
    const moved = indices ? params.subarray(0, indices.length) : params;
    if (momentum > 0) checkAlike('state.velocity', velocity, moved);
    if (!(mfac instanceof DynamicMfac) || mfac.size !== moved.length)
      throw new DomainError(`state.mfac: expected what init(params) returns, got ${describe(mfac)}`);
  }

  /** Room for a gradient or a direction, kept from step to step. */
  let room = new Float32Array(0) as FloatArray;

  /** Moves the state. @returns η and v, one number for each parameter that moves; v may lie in `room` */
  function turn(params: FloatArray, grads: FloatArray, state: MfacOptimizerState): { rate: number; v: FloatArray } {
    const rate = rateAt(learningRate, state.step);
    const { mfac, velocity, indices } = state;
    if (room.length !== mfac.size || precisionOf(room) !== precisionOf(params)) room = floats(precisionOf(params), mfac.size);
    const x = indices || weightDecay > 0 ? room : grads;
    if (indices) for (let i = 0; i < x.length; i++) x[i] = grads[indices[i]!]! + weightDecay * params[indices[i]!]!;
    else if (weightDecay > 0) for (let i = 0; i < x.length; i++) x[i] = grads[i]! + weightDecay * params[i]!;
    const v = mfac.update(x, { out: velocity ?? room, momentum });
    state.step++;
    return { rate, v };
  }

  return {
    init: (params) => {
      checkParams(params);
      const indices = sparse ? Int32Array.from(Array.from(params.keys()).filter((k) => params[k] !== 0)) : undefined;
      const size = indices ? indices.length : params.length;
      const velocity = momentum > 0 ? floats(precisionOf(params), size) : undefined;
      return { step: 0, mfac: new DynamicMfac({ size, window, damping, precision: precisionOf(params) }), velocity, indices };
    },
    step: (params, grads, state) => {
      check(params, grads, state);
      const { rate, v } = turn(params, grads, state);
      const { indices } = state;
      if (indices) for (let i = 0; i < v.length; i++) params[indices[i]!] = params[indices[i]!]! - rate * v[i]!;
      else for (let i = 0; i < v.length; i++) params[i] = params[i]! - rate * v[i]!;
    },
    update: (grads, before, params) => {
      check(params, grads, before);
      const state = { ...before, mfac: before.mfac.clone(), velocity: before.velocity?.slice() };
      const updates = zerosLike(params);
      const { rate, v } = turn(params, grads, state);
      for (let i = 0; i < v.length; i++) updates[state.indices ? state.indices[i]! : i] = -rate * v[i]!;
      return { updates, state };
    },
    dispose: (state) => {
      const { mfac } = asRecord('state', state, 'what init(params) returns');
      checkMethods('state.mfac', mfac, 'a DynamicMfac', 'dispose');
      mfac.dispose();
    },
  };
}
