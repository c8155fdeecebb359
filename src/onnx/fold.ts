// Small constants are computed while the graph is written: integers of shape arithmetic, and exact float operations.
import { sizeOf } from '../core/tensor.js';
import type { Builder, ValueType } from './builder.js';
import { isStatic } from './dims.js';
import { arrayOf, elementTypes, type GraphTensor, graphTensor, intOf, type Node, numbersOf } from './graph.js';

/** Constants with more elements than this are left to the runtime. */
const limit = 4096;

const arithmetic: Readonly<Record<string, (x: number, y: number) => number>> = {
  Add: (x, y) => x + y,
  Sub: (x, y) => x - y,
  Mul: (x, y) => x * y,
  Div: (x, y) => x / y,
};
const unary: Readonly<Record<string, (x: number) => number>> = {
  Neg: (x) => -x,
  Sqrt: Math.sqrt,
  Reciprocal: (x) => 1 / x,
  Floor: Math.floor,
  Ceil: Math.ceil,
  Identity: (x) => x,
  Cast: (x) => x,
};
const moves = ['Reshape', 'Squeeze', 'Unsqueeze', 'Flatten'];

/** The outputs of a node as constants, or undefined when they are not known, not small or not exact. */
export function foldNode(node: Node, types: readonly ValueType[], b: Builder): GraphTensor[] | undefined {
  const [type] = types;
  if (types.length !== 1 || !type || !isStatic(type.shape) || sizeOf(type.shape) > limit) return undefined;
  if (isStatic(type.value) && type.value.length === sizeOf(type.shape)) {
    return [graphTensor(type.type, type.value, type.shape)];
  }
  if (node.inputs.some((name) => b.parameters.has(name))) return undefined;
  const inputs = node.inputs.map((name) => b.constantOf(name));
  const [x, y] = inputs;
  if (!x || inputs.includes(undefined) || x.type === 'string' || x.type === 'float16' || x.type === 'bfloat16') return undefined;
  if (moves.includes(node.op)) return [{ ...x, shape: type.shape }];
  const one = unary[node.op];
  if (one) {
    const to = node.op === 'Cast' ? elementTypes[intOf(node, 'to', 1)]! : x.type;
    if (!['float32', 'float64', 'int64', 'int32', 'bool'].includes(to) || (x.type.startsWith('int') && node.op !== 'Cast'))
      return undefined;
    const values = numbersOf(x).map((v) => (to === 'bool' ? Number(v !== 0) : to.startsWith('int') ? Math.trunc(one(v)) : one(v)));
    return values.every(Number.isFinite) ? [graphTensor(to, values, type.shape)] : undefined;
  }
  const two = arithmetic[node.op];
  if (two && y && (x.type === 'float32' || x.type === 'float64')) return [binary(two, x, y, type.shape)];
  return undefined;
}

function binary(f: (x: number, y: number) => number, x: GraphTensor, y: GraphTensor, shape: readonly number[]): GraphTensor {
  const data = arrayOf(x.type, sizeOf(shape)) as Float64Array;
  const [p, q] = [strides(x.shape, shape), strides(y.shape, shape)];
  for (let i = 0; i < data.length; i++) {
    let [rest, at, to] = [i, 0, 0];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const place = rest % shape[axis]!;
      rest = (rest - place) / shape[axis]!;
      at += place * p[axis]!;
      to += place * q[axis]!;
    }
    data[i] = f(Number(x.data[at]), Number(y.data[to]));
  }
  return { type: x.type, data, shape };
}

function strides(from: readonly number[], to: readonly number[]): number[] {
  const result = new Array<number>(to.length).fill(0);
  let step = 1;
  for (let axis = from.length - 1; axis >= 0; axis--) {
    if (from[axis] !== 1) result[axis + to.length - from.length] = step;
    step *= from[axis]!;
  }
  return result;
}
