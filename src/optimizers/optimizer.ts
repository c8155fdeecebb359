// What an optimizer is, and the checks all of them share.
import { asRecord, checkFinite, checkFiniteNumber, checkFloats, checkInteger, checkLength, checkNonNegative } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import { brandOf, checkAttached, describe, type FloatArray } from '../core/tensor.js';

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

/** Throws unless options are an object, a learning rate among them a number ≥ 0 or a function. */
export function checkSettings(options: { readonly learningRate?: LearningRate }): void {
  asRecord('options', options);
  const { learningRate = 0 } = options;
  if (typeof learningRate !== 'function') checkNonNegative('learningRate', learningRate);
}

/** Throws unless params are floats, without a look at their values. */
export function checkParams(params: FloatArray): void {
  checkFloats('params', params);
  checkAttached('params', params);
}

/** Throws unless both are float arrays of one length and precision, of finite numbers. */
export function checkStep(params: FloatArray, grads: FloatArray): void {
  checkFloats('params', params);
  checkAlike('grads', grads, params);
  checkFinite('params', params);
  checkFinite('grads', grads);
}

/** Throws unless a state has a count of steps and the arrays that `init(params)` gives it. */
export function checkState(state: object, params: FloatArray, arrays: readonly string[]): void {
  if (typeof state !== 'object' || state === null)
    throw new DomainError(`state: expected what init(params) returns, got ${describe(state)}`);
  const parts = state as Record<string, unknown>;
  checkInteger('state.step', parts.step, 0);
  for (const name of arrays) checkAlike(`state.${name}`, parts[name], params);
}

/** Throws unless an array is of floats, as many as params and of their precision. */
export function checkAlike(name: string, array: unknown, params: FloatArray): void {
  checkFloats(name, array);
  checkLength(name, array, params.length);
  if (brandOf(params) !== brandOf(array)) throw new DomainError(`${name}: expected a ${brandOf(params)}, got a ${brandOf(array)}`);
}

/** A zero array like another. @throws {DomainError} unless that is one of floats */
export function zerosLike(array: FloatArray): FloatArray {
  checkParams(array);
  return brandOf(array) === 'Float32Array' ? new Float32Array(array.length) : new Float64Array(array.length);
}
