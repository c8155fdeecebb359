// What an optimizer is, and the checks all of them share.
import { checkFiniteNumber, checkLength } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import { brandOf, describe, type FloatArray, isFloatArray } from '../core/tensor.js';

/** A rule that turns gradients into steps; `S` is what it remembers between them. */
export interface Optimizer<S> {
  /** The state before the first step, for parameters of this length and precision. */
  init(params: FloatArray): S;
  /** Moves `params` and `state` in place. */
  step(params: FloatArray, grads: FloatArray, state: S): void;
  /** The same step without changing anything: what to add to the parameters, and the state after it. */
  update(grads: FloatArray, state: S, params: FloatArray): { updates: FloatArray; state: S };
  /** Frees what a state holds outside JavaScript, where it holds such. */
  dispose?(state: S): void;
}

/** A learning rate, or one for every step, counted from 0. */
export type LearningRate = number | ((step: number) => number);

/** The rate of one step. @throws {DomainError} when a schedule gives no finite number */
export function rateAt(rate: LearningRate, step: number): number {
  const value = typeof rate === 'function' ? rate(step) : rate;
  checkFiniteNumber('learningRate', value);
  return value;
}

/** Throws unless both are float arrays of one length and precision. */
export function checkStep(params: FloatArray, grads: FloatArray): void {
  for (const [name, array] of [['params', params] as const, ['grads', grads] as const]) {
    if (!isFloatArray(array)) throw new DomainError(`${name}: expected a Float32Array or Float64Array, got ${describe(array)}`);
  }
  checkLength('grads', grads, params.length);
  if (brandOf(params) !== brandOf(grads)) throw new DomainError(`grads: expected a ${brandOf(params)}, got a ${brandOf(grads)}`);
}

/** A zero array like another. */
export function zerosLike(array: FloatArray): FloatArray {
  return brandOf(array) === 'Float32Array' ? new Float32Array(array.length) : new Float64Array(array.length);
}
