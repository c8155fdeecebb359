// Operators on two or more tensors with NumPy broadcasting: arithmetic, comparison, logic, bits, selection.
import { pow } from '../../kernels/scalar.js';
import { intOf, type Node, stringOf } from '../graph.js';
import {
  arrayLike,
  broadcastOffsets,
  broadcastShape,
  type Elements,
  fail,
  type Kernel,
  type Kernels,
  like,
  need,
  numbers,
  type Value,
} from './value.js';

type Function2 = (a: number, b: number) => number;

/** Element by element over the common shape; BigInt elements reach `f` as they are. */
function zip(a: Value, b: Value, node: Node, make: (length: number) => Elements, f: Function2): { data: Elements; shape: number[] } {
  const shape = broadcastShape(node, a.shape, b.shape);
  const A = a.data as unknown as Elements;
  const B = b.data as unknown as Elements;
  const i = broadcastOffsets(a.shape, shape);
  const j = broadcastOffsets(b.shape, shape);
  const data = make(i.length);
  for (let k = 0; k < i.length; k++) data[k] = f(A[i[k]!]!, B[j[k]!]!);
  return { data, shape };
}

/** An operator whose result has the type of its inputs. */
const binary =
  (choose: (a: Value, node: Node) => Function2): Kernel =>
  (inputs, node) => {
    const a = need(inputs, 0, node);
    const b = need(inputs, 1, node);
    const { data, shape } = zip(a, b, node, (length) => arrayLike(a, length), choose(a, node));
    return [like(a, data, shape)];
  };

/** An operator with a bool result. */
const compare =
  (f: (a: number, b: number) => boolean): Kernel =>
  (inputs, node) => {
    const [a, b] = [need(inputs, 0, node), need(inputs, 1, node)];
    const { data, shape } = zip(
      a,
      b,
      node,
      (length) => new Uint8Array(length),
      (x, y) => (f(x, y) ? 1 : 0),
    );
    return [{ type: 'bool', data: data as Uint8Array, shape }];
  };

/** An operator over any number of inputs, folded from the left. */
const variadic =
  (f: Function2, finish?: (sum: number, count: number) => number): Kernel =>
  (inputs, node) => {
    let folded = need(inputs, 0, node);
    for (let i = 1; i < inputs.length; i++) {
      const { data, shape } = zip(folded, need(inputs, i, node), node, (length) => arrayLike(folded, length), f);
      folded = like(folded, data, shape);
    }
    if (finish)
      folded = like(
        folded,
        Float64Array.from(numbers(folded), (x) => finish(x, inputs.length)),
        folded.shape,
      );
    return [folded];
  };

const is32 = (a: Value): boolean => a.type === 'int32' || a.type === 'uint32';

function divide(a: Value, node: Node): Function2 {
  if (a.type === 'float64') return (x, y) => x / y;
  return (x, y) => {
    if (Number(y) === 0) throw fail(node, 'expected a divisor other than 0, got 0 among integers');
    return typeof x === 'bigint' ? x / y : Math.trunc(x / y);
  };
}

function modulo(a: Value, node: Node): Function2 {
  if (intOf(node, 'fmod', 0) || a.type === 'float64') return (x, y) => x % y;
  // The sign of the divisor, as in Python.
  return (x, y) => {
    const rest = x % y;
    return Number(rest) !== 0 && rest < 0 !== y < 0 ? rest + y : rest;
  };
}

/** Powers keep the type of the base, whatever the exponent's. */
const power: Kernel = (inputs, node) => {
  const a = need(inputs, 0, node);
  const b = need(inputs, 1, node);
  const big = typeof a.data[0] === 'bigint';
  const f: Function2 = (x, y) => {
    const p = pow(Number(x), Number(y));
    return (big ? BigInt(Math.trunc(p)) : p) as number;
  };
  const { data, shape } = zip(a, b, node, (length) => arrayLike(a, length), f);
  return [like(a, data, shape)];
};

const shift = (a: Value, node: Node): Function2 => {
  const left = stringOf(node, 'direction', 'LEFT') === 'LEFT';
  if (typeof a.data[0] === 'bigint') return (x, y) => (left ? x << y : x >> y);
  return (x, y) => (y >= 32 ? 0 : left ? x << y : x >>> y);
};

const smaller: Function2 = (a, b) => (Number.isNaN(a) || b > a ? a : b);
const larger: Function2 = (a, b) => (Number.isNaN(a) || b < a ? a : b);

export const arithmetic: Kernels = {
  Add: binary(() => (a, b) => a + b),
  Sub: binary(() => (a, b) => a - b),
  Mul: binary((a) => (is32(a) ? Math.imul : (x, y) => x * y)),
  Div: binary(divide),
  Mod: binary(modulo),
  Pow: power,
  BitShift: binary(shift),
  BitwiseAnd: binary(() => (a, b) => a & b),
  BitwiseOr: binary(() => (a, b) => a | b),
  BitwiseXor: binary(() => (a, b) => a ^ b),
  BitwiseNot: (inputs, node) => {
    const x = need(inputs, 0, node);
    const data = arrayLike(x, x.data.length);
    for (let i = 0; i < data.length; i++) data[i] = ~(x.data[i] as number);
    return [like(x, data, x.shape)];
  },
  Min: variadic(smaller),
  Max: variadic(larger),
  Sum: variadic((a, b) => a + b),
  Mean: variadic(
    (a, b) => a + b,
    (sum, count) => sum / count,
  ),
  Equal: compare((a, b) => a === b),
  Greater: compare((a, b) => a > b),
  GreaterOrEqual: compare((a, b) => a >= b),
  Less: compare((a, b) => a < b),
  LessOrEqual: compare((a, b) => a <= b),
  And: compare((a, b) => a !== 0 && b !== 0),
  Or: compare((a, b) => a !== 0 || b !== 0),
  Xor: compare((a, b) => (a !== 0) !== (b !== 0)),
  Where: (inputs, node) => {
    const [condition, a, b] = [need(inputs, 0, node), need(inputs, 1, node), need(inputs, 2, node)];
    const shape = broadcastShape(node, condition.shape, a.shape, b.shape);
    const [c, i, j] = [condition, a, b].map((value) => broadcastOffsets(value.shape, shape)) as [Int32Array, Int32Array, Int32Array];
    const data = arrayLike(a, c.length);
    for (let k = 0; k < c.length; k++) data[k] = (condition.data[c[k]!] ? a.data[i[k]!] : b.data[j[k]!]) as number;
    return [like(a, data, shape)];
  },
};
