// Checks that run before any work starts. Every message reads `name: expected …, got …`.
import { DomainError, ShapeError } from './errors.js';
import { checkAttached, describe, type FloatArray, isFloatArray, isTypedArray } from './tensor.js';

/** Throws unless `value` is a finite number > 0. */
export function checkPositive(name: string, value: unknown): asserts value is number {
  if (!(typeof value === 'number' && value > 0 && value < Infinity))
    throw new DomainError(`${name}: expected a number > 0, got ${describe(value)}`);
}

/** Throws unless `value` is a finite number ≥ 0. */
export function checkNonNegative(name: string, value: unknown): asserts value is number {
  if (!(typeof value === 'number' && value >= 0 && value < Infinity))
    throw new DomainError(`${name}: expected a number >= 0, got ${describe(value)}`);
}

/** Throws unless `value` is a finite number. */
export function checkFiniteNumber(name: string, value: unknown): asserts value is number {
  if (!Number.isFinite(value)) throw new DomainError(`${name}: expected a finite number, got ${describe(value)}`);
}

/** Throws unless `low ≤ value ≤ high`. */
export function checkRange(name: string, value: unknown, low: number, high: number): asserts value is number {
  if (!(typeof value === 'number' && value >= low && value <= high)) {
    throw new DomainError(`${name}: expected a number from ${low} to ${high}, got ${describe(value)}`);
  }
}

/** Throws unless `value` is an integer with `low ≤ value ≤ high`. */
export function checkInteger(
  name: string,
  value: unknown,
  low = -Number.MAX_SAFE_INTEGER,
  high = Number.MAX_SAFE_INTEGER,
): asserts value is number {
  if (!(Number.isSafeInteger(value) && (value as number) >= low && (value as number) <= high)) {
    const range = high === Number.MAX_SAFE_INTEGER ? (low === -high ? '' : ` >= ${low}`) : ` from ${low} to ${high}`;
    throw new DomainError(`${name}: expected an integer${range}, got ${describe(value)}`);
  }
}

/**
 * Reads a record of options or data by name: `const { k } = asRecord('options', options, '{ k }')`. Unknown fields are no misuse.
 * @throws {DomainError} when it is missing, not an object, or an array; `fields` is what the message asks for
 */
export function asRecord<T extends object>(name: string, value: T, fields = 'an object'): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value))
    throw new DomainError(`${name}: expected ${fields}, got ${describe(value)}`);
  return value;
}

/** Throws unless `value` is an array of any kind. */
export function checkArray(name: string, value: unknown): asserts value is ArrayLike<unknown> {
  if (!Array.isArray(value) && !isTypedArray(value)) throw new DomainError(`${name}: expected an array, got ${describe(value)}`);
  checkAttached(name, value);
}

/** Throws unless `value` is a Float32Array or Float64Array. */
export function checkFloats(name: string, value: unknown): asserts value is FloatArray {
  if (!isFloatArray(value)) throw new DomainError(`${name}: expected a Float32Array or Float64Array, got ${describe(value)}`);
}

/** Throws unless `value` is a function. */
export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw new DomainError(`${name}: expected a function, got ${describe(value)}`);
}

/** Throws unless `value` has `methods`: a model, an operator or a pool of the caller's making. */
export function checkMethods(name: string, value: unknown, what: string, ...methods: PropertyKey[]): void {
  const candidate = value as Record<PropertyKey, unknown> | null | undefined;
  for (const method of methods)
    if (typeof candidate?.[method] !== 'function')
      throw new DomainError(`${name}: expected ${what} with ${String(method)}(), got ${describe(value)}`);
}

/** Throws unless `array` has exactly `length` elements. */
export function checkLength(name: string, array: { readonly length: number }, length: number): void {
  if (array?.length !== length) throw new ShapeError(`${name}: expected ${length} elements, got ${array?.length ?? describe(array)}`);
}

/** Throws unless `array` has at least one element. */
export function checkNotEmpty(name: string, array: { readonly length: number }): void {
  if (!(typeof array === 'object' && array?.length > 0))
    throw new ShapeError(`${name}: expected at least one element, got ${array?.length === 0 ? 'none' : describe(array)}`);
}

/** Throws unless two shapes are equal; −1 in `expected` allows any extent. */
export function checkShape(name: string, shape: readonly number[], expected: readonly number[]): void {
  const fits = shape.length === expected.length && expected.every((extent, axis) => extent === -1 || extent === shape[axis]);
  if (!fits)
    throw new ShapeError(`${name}: expected shape [${expected.map((e) => (e === -1 ? 'any' : e)).join(', ')}], got [${shape.join(', ')}]`);
}

/** Throws when `array` holds a NaN or an infinity, naming the first place. */
export function checkFinite(name: string, array: ArrayLike<number>): void {
  if (array.length === 0) checkAttached(name, array);
  // x·0 is 0, or NaN for NaN and infinities, which survives addition: the slow search below is only reached on failure. Four sums, as
  // one would wait for each addition.
  const whole = array.length & ~3;
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    a += (array[i] as number) * 0;
    b += (array[i + 1] as number) * 0;
    c += (array[i + 2] as number) * 0;
    d += (array[i + 3] as number) * 0;
  }
  for (let i = whole; i < array.length; i++) a += (array[i] as number) * 0;
  if (a + b + c + d === 0) return;
  for (let i = 0; i < array.length; i++) {
    if (!Number.isFinite(array[i])) throw new DomainError(`${name}: expected finite numbers, got ${array[i]} at index ${i}`);
  }
}

/** Throws unless `value` is one of `choices`. */
export function checkOneOf<T extends string>(name: string, value: unknown, choices: readonly T[]): asserts value is T {
  if (!choices.includes(value as T)) throw new DomainError(`${name}: expected one of ${choices.join(', ')}, got ${describe(value)}`);
}

/** Throws when `labels` holds an integer outside 0 … classes − 1 (other than `ignoreIndex`), naming the first place. */
export function checkLabels(name: string, labels: ArrayLike<number | bigint>, classes: number, ignoreIndex?: number): void {
  checkArray(name, labels);
  for (let i = 0; i < labels.length; i++) {
    const label = Number(labels[i]);
    if (label === ignoreIndex) continue;
    if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      throw new DomainError(`${name}: expected labels from 0 to ${classes - 1}, got ${label} at index ${i}`);
    }
  }
}
