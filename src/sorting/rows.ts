// What every method of this area takes and gives back: rows along the last axis. A flat array is one row; a tensor keeps its form.
import { checkFinite } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import {
  asFloats,
  asTensor,
  brandOf,
  checkAttached,
  describe,
  type FloatArray,
  isFloatArray,
  isTypedArray,
  type Precision,
  precisionOf,
  sizeOf,
  type Tensor,
  type TensorLike,
  type TypedArray,
} from '../core/tensor.js';
import type { Arena, Block } from '../runtime/arena.js';

/** Data of a method: one row as an array, or rows as a tensor [..., n]. */
export type Rows =
  | FloatArray
  | readonly number[]
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | TensorLike;
/** Flat row-major numbers that carry their shape: they index like an array and are accepted wherever a Tensor is. */
export type ShapedArray<A extends TypedArray = FloatArray> = A & Tensor<A>;
/** The form of a result: an array for an array, an array with `data` and `shape` for a tensor. */
export type Shaped<X, A extends TypedArray = FloatArray> = X extends { readonly data: unknown } ? ShapedArray<A> : A;
/** Arrays that the hard methods keep in their own type. */
export type Sortable = Float32Array | Float64Array | Int32Array | Uint32Array;

/** Rows of `n` elements and the way back to the caller's form. */
export interface RowsOf<A extends TypedArray> {
  readonly data: A;
  readonly rows: number;
  readonly n: number;
  readonly precision: Precision;
  /** True when the caller gave a tensor. */
  readonly tensor: boolean;
  /** Extents in front of the last axis; none for an array. */
  readonly lead: readonly number[];
}

function layout(name: string, x: Rows): { data: unknown; shape: readonly number[]; tensor: boolean } {
  const shaped = typeof x === 'object' && x !== null && 'data' in x;
  if (!shaped && isTypedArray(x)) checkAttached(name, x);
  if (!shaped && (isTypedArray(x) || Array.isArray(x))) return { data: x, shape: [(x as ArrayLike<number>).length], tensor: false };
  if (typeof x !== 'object' || x === null) {
    throw new DomainError(`${name}: expected an array of numbers or a tensor { data, shape }, got ${describe(x)}`);
  }
  const tensor = asTensor(name, x);
  if (tensor.shape.length === 0) throw new ShapeError(`${name}: expected at least one axis, got a scalar`);
  return { ...tensor, tensor: true };
}

function rowsOf<A extends TypedArray>(data: A, extents: readonly number[], tensor: boolean): RowsOf<A> {
  const lead = extents.slice(0, -1);
  return { data, rows: sizeOf(lead), n: extents[extents.length - 1] as number, precision: precisionOf(data as FloatArray), tensor, lead };
}

/**
 * Reads a copy of rows of finite floats by name.
 * @throws {ShapeError} when a row is empty; {DomainError} for a NaN or an infinity, naming its place
 */
export function readRows(name: string, x: Rows): RowsOf<FloatArray> {
  const { data, shape: extents, tensor } = layout(name, x);
  const floats = asFloats(name, data);
  // A copy: gradients are asked for later, when the caller may have moved on in place.
  const rows = rowsOf(floats === data ? copyOf(floats) : floats, extents, tensor);
  if (rows.n === 0) throw new ShapeError(`${name}: expected at least one element in a row, got none`);
  checkFinite(name, rows.data);
  return rows;
}

/** A copy; unlike `slice`, without zeros written first. */
const copyOf = (data: FloatArray): FloatArray => (precisionOf(data) === 'float32' ? new Float32Array(data) : new Float64Array(data));

/** Reads rows of numbers for the hard methods: NaN and infinities allowed, 32-bit types kept, smaller integers widened, the rest f64. */
export function readSortable(name: string, x: Rows): RowsOf<Sortable> {
  const { data, shape: extents, tensor } = layout(name, x);
  if (isFloatArray(data)) return rowsOf(data, extents, tensor);
  const brand = brandOf(data);
  if (brand === 'Int32Array' || brand === 'Uint32Array') return rowsOf(data as Int32Array, extents, tensor);
  if (/^(Int|Uint)(8|16)(Clamped)?Array$/.test(brand)) return rowsOf(Int32Array.from(data as Int8Array), extents, tensor);
  return rowsOf(asFloats(name, data), extents, tensor);
}

/** Reads an array or tensor that must have as many elements as a known result, converted to its precision. */
export function readLike(name: string, values: unknown, length: number, precision: Precision): FloatArray {
  const given = isTypedArray(values) || Array.isArray(values) ? values : asTensor(name, values).data;
  const data = asFloats(name, given);
  if (data.length !== length) throw new ShapeError(`${name}: expected ${length} elements, got ${data.length}`);
  checkFinite(name, data);
  if (precisionOf(data) === precision) return data;
  return precision === 'float32' ? Float32Array.from(data) : Float64Array.from(data);
}

/** Refuses a caller's array for a result that is not of the result's type and length. */
export function checkOut(out: unknown, type: string, length: number): void {
  const got = isTypedArray(out) ? `${brandOf(out)} of ${out.length}` : describe(out);
  if (got !== `${type} of ${length}`) throw new ShapeError(`out: expected ${type} of ${length} elements, got ${got}`);
}

/** A result block as a new array, or in the caller's. */
export function takeInto<A extends Sortable>(arena: Arena, block: Block, out: A | undefined): A {
  if (!out) return arena.take(block) as unknown as A;
  out.set(arena.view(block) as unknown as A);
  return out;
}

/** Gives flat numbers a shape. */
export function shape<A extends TypedArray>(data: A, extents: readonly number[]): ShapedArray<A> {
  return Object.defineProperties(data, {
    data: { value: data, configurable: true },
    shape: { value: extents, configurable: true },
  }) as ShapedArray<A>;
}

/** Gives `data` the caller's form, with the last axis replaced by `last` (the row's own axis when left out). */
export function giveBack<X, A extends TypedArray>(like: RowsOf<TypedArray>, data: A, last: readonly number[] = [like.n]): Shaped<X, A> {
  return (like.tensor ? shape(data, [...like.lead, ...last]) : data) as Shaped<X, A>;
}
