// What the operators of the evaluator share: values, views of them by strides, broadcasting and operator inputs.
import { GraphError } from '../../core/errors.js';
import { sizeOf, type TypedArray } from '../../core/tensor.js';
import { arrayOf, type ElementType, elementTypes, type Graph, type GraphTensor, graphTensor, type Node, where } from '../graph.js';

/** A tensor inside the evaluator: every float type is held as `float64` in a Float64Array, every other type as in a Graph. */
export type Value = GraphTensor;

/** What an operator needs beyond its inputs and attributes. */
export interface Context {
  /** Version of the operator set the node is written in. */
  readonly opset: number;
  /** How many outputs the node names. */
  readonly outputs: number;
  /** Runs the graph of an attribute with values for its inputs; names it captures are looked up outside. */
  run(body: Graph, inputs: readonly Value[]): Value[];
}

/** One operator: inputs (undefined where left out) to outputs. */
export type Kernel = (inputs: readonly (Value | undefined)[], node: Node, context: Context) => Value[];
export type Kernels = Readonly<Record<string, Kernel>>;

/** Elements of any numeric array; BigInt arrays are read with `numbers`. */
export type Elements = { [i: number]: number; readonly length: number };

/** A float value. */
export const floats = (data: Float64Array, shape: readonly number[]): Value => ({ type: 'float64', data, shape });

/** An int64 value from plain numbers. */
export const longs = (values: ArrayLike<number>, shape: readonly number[] = [values.length]): Value => graphTensor('int64', values, shape);

/** True for values held as Float64Array. */
export const isFloat = (value: Value): boolean => value.type === 'float64';

/** An input that must be there. @throws {GraphError} naming the node */
export function need(inputs: readonly (Value | undefined)[], i: number, node: Node): Value {
  const value = inputs[i];
  if (!value) throw fail(node, `expected an input ${i}, got none`);
  return value;
}

/** A GraphError that names the node and its operator. */
export function fail(node: Node, message: string): GraphError {
  const at = where(node);
  return new GraphError(`${at.op} '${at.node}': ${message}`, at);
}

/** Elements as plain numbers without a copy where they are plain already; int64 beyond 2^53 loses digits. */
export function numbers(value: Value): Elements {
  return typeof value.data[0] === 'bigint' ? Float64Array.from(value.data as BigInt64Array, Number) : (value.data as unknown as Elements);
}

/** Shapes, axes and indices given as a tensor: plain numbers. */
export const list = (value: Value): number[] => Array.from(numbers(value));

/** A zero-filled array of the same kind as `value`; write what was read from such an array, or numbers through `store`. */
export function arrayLike(value: Value, length: number): Elements {
  return arrayOf(value.type, length) as unknown as Elements;
}

/** A value of the same type as another. */
export function like(value: Value, data: Elements, shape: readonly number[]): Value {
  return { type: value.type, data: data as unknown as TypedArray, shape };
}

/** A value of an element type from plain numbers, rounded towards zero and wrapped where the type asks for it. */
export function ofType(type: ElementType, values: ArrayLike<number>, shape: readonly number[]): Value {
  if (type === 'float64') return floats(Float64Array.from(values), shape);
  return graphTensor(type, type.endsWith('int64') ? Array.from(values, Math.trunc) : values, shape);
}

/** Row-major strides. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  for (let axis = shape.length - 1, step = 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis]!;
  }
  return strides;
}

/** Offsets of the elements of a strided view in row-major order: a stride may be 0 (repeat) or negative (reverse). */
export function offsets(shape: readonly number[], strides: readonly number[], start = 0): Int32Array {
  let at: Int32Array = Int32Array.of(start);
  for (let axis = 0; axis < shape.length; axis++) {
    const extent = shape[axis]!;
    const next = new Int32Array(at.length * extent);
    for (let i = 0, o = 0; i < at.length; i++) for (let k = 0; k < extent; k++) next[o++] = at[i]! + k * strides[axis]!;
    at = next;
  }
  return at;
}

/** The elements of `value` at `at`, as a value of the given shape. */
export function take(value: Value, at: ArrayLike<number>, shape: readonly number[]): Value {
  const from = value.data as unknown as Elements;
  const data = arrayLike(value, at.length);
  for (let i = 0; i < at.length; i++) data[i] = from[at[i]!]!;
  return like(value, data, shape);
}

/** The common shape of NumPy broadcasting. @throws {GraphError} when extents differ and neither is 1 */
export function broadcastShape(node: Node, ...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    let extent = 1;
    for (const shape of shapes) {
      const own = shape[axis - rank + shape.length] ?? 1;
      if (own !== 1 && extent !== 1 && own !== extent) {
        throw fail(node, `expected shapes that broadcast, got ${shapes.map((s) => `[${s.join(', ')}]`).join(' and ')}`);
      }
      if (own !== 1) extent = own;
    }
    return extent;
  });
}

/** For every element of `to`, the offset of the element of `from` that broadcasts to it. */
export function broadcastOffsets(from: readonly number[], to: readonly number[]): Int32Array {
  const strides = stridesOf(from);
  const lead = to.length - from.length;
  return offsets(
    to,
    to.map((_, axis) => (axis < lead || from[axis - lead] === 1 ? 0 : strides[axis - lead]!)),
  );
}

/** An axis counted from the front. @throws {GraphError} when it is outside −rank … rank − 1 */
export function axisOf(node: Node, axis: number, rank: number): number {
  if (!(axis >= -rank && axis < Math.max(rank, 1))) throw fail(node, `expected an axis from ${-rank} to ${rank - 1}, got ${axis}`);
  return axis < 0 ? axis + rank : axis;
}

/** Sizes before, at and after an axis. */
export function around(shape: readonly number[], axis: number): { outer: number; extent: number; inner: number } {
  return { outer: sizeOf(shape.slice(0, axis)), extent: shape[axis] ?? 1, inner: sizeOf(shape.slice(axis + 1)) };
}

/** The type the evaluator holds an ONNX element type as, by its number in onnx.proto. */
export function heldType(code: number): ElementType {
  const type = elementTypes[code] ?? 'undefined';
  return /float/.test(type) ? 'float64' : type;
}

/** Rounds to the nearest integer, halves to even. */
export function roundEven(x: number): number {
  const down = Math.floor(x);
  if (x - down !== 0.5) return Math.round(x);
  return down % 2 === 0 ? down : down + 1;
}
