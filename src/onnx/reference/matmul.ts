// Matrix products: MatMul with all broadcasting, Gemm, Einsum.
import { sizeOf } from '../../core/tensor.js';
import { floatOf, intOf, type Node, stringOf } from '../graph.js';
import { parseEquation } from './equation.js';
import {
  broadcastOffsets,
  broadcastShape,
  type Elements,
  fail,
  type Kernels,
  like,
  need,
  numbers,
  offsets,
  ofType,
  stridesOf,
  type Value,
} from './value.js';

/** C[m, n] += A[m, k] B[k, n], each given by a start and two strides. */
function multiply(
  C: Float64Array,
  c: number,
  A: Elements,
  a: [number, number, number],
  B: Elements,
  b: [number, number, number],
  sizes: [number, number, number],
): void {
  const [m, n, depth] = sizes;
  for (let i = 0; i < m; i++) {
    for (let k = 0; k < depth; k++) {
      const x = A[a[0] + i * a[1] + k * a[2]]!;
      for (let j = 0, at = b[0] + k * b[1], o = c + i * n; j < n; j++, at += b[2], o++) C[o]! += x * B[at]!;
    }
  }
}

/** The product of two values under NumPy's rules: one axis counts as a row on the left, a column on the right. */
export function matmul(a: Value, b: Value, node: Node): Value {
  if (!a.shape.length || !b.shape.length) throw fail(node, 'expected inputs of rank 1 or more, got a scalar');
  const left = a.shape.length === 1 ? [1, ...a.shape] : a.shape;
  const right = b.shape.length === 1 ? [...b.shape, 1] : b.shape;
  const [m, depth] = left.slice(-2) as [number, number];
  const [rows, n] = right.slice(-2) as [number, number];
  if (depth !== rows) throw fail(node, `expected inner extents to agree, got [${a.shape}] and [${b.shape}]`);
  const stack = broadcastShape(node, left.slice(0, -2), right.slice(0, -2));
  const i = broadcastOffsets(left.slice(0, -2), stack);
  const j = broadcastOffsets(right.slice(0, -2), stack);
  const C = new Float64Array(i.length * m * n);
  const [A, B] = [numbers(a), numbers(b)];
  for (let s = 0; s < i.length; s++) multiply(C, s * m * n, A, [i[s]! * m * depth, depth, 1], B, [j[s]! * depth * n, n, 1], [m, n, depth]);
  const shape = [...stack, ...(a.shape.length === 1 ? [] : [m]), ...(b.shape.length === 1 ? [] : [n])];
  return ofType(a.type, C, shape);
}

function gemm(inputs: readonly (Value | undefined)[], node: Node): Value {
  const [a, b, c] = [need(inputs, 0, node), need(inputs, 1, node), inputs[2]];
  const [alpha, beta] = [floatOf(node, 'alpha', 1), floatOf(node, 'beta', 1)];
  const [transA, transB] = [intOf(node, 'transA', 0) !== 0, intOf(node, 'transB', 0) !== 0];
  if (a.shape.length !== 2 || b.shape.length !== 2) throw fail(node, `expected two matrices, got [${a.shape}] and [${b.shape}]`);
  const [ra, ca] = a.shape as [number, number];
  const [rb, cb] = b.shape as [number, number];
  const [m, depth, n] = [transA ? ca : ra, transA ? ra : ca, transB ? rb : cb];
  if (depth !== (transB ? cb : rb)) throw fail(node, `expected inner extents to agree, got [${a.shape}] and [${b.shape}]`);
  const C = new Float64Array(m * n);
  multiply(C, 0, numbers(a), transA ? [0, 1, ca] : [0, ca, 1], numbers(b), transB ? [0, 1, cb] : [0, cb, 1], [m, n, depth]);
  const at = c && broadcastOffsets(c.shape, [m, n]);
  const bias = c && numbers(c);
  for (let i = 0; i < C.length; i++) C[i] = alpha * C[i]! + (at && bias ? beta * bias[at[i]!]! : 0);
  return ofType(a.type, C, [m, n]);
}

function einsum(inputs: readonly (Value | undefined)[], node: Node): Value {
  const values = inputs.map((_, i) => need(inputs, i, node));
  const { terms, result } = parseEquation(
    stringOf(node, 'equation', ''),
    values.map((value) => value.shape.length),
    node,
  );
  const extent = new Map<string, number>();
  for (const [i, term] of terms.entries()) {
    for (const [axis, label] of term.entries()) {
      const own = values[i]!.shape[axis]!;
      const known = extent.get(label) ?? 1;
      if (own !== 1 && known !== 1 && own !== known) throw fail(node, `expected one extent for '${label}', got ${known} and ${own}`);
      extent.set(label, Math.max(own, known));
    }
  }
  const summed = [...extent.keys()].filter((label) => !result.includes(label));
  const shapeOf = (labels: readonly string[]): number[] => labels.map((label) => extent.get(label) ?? 1);
  const steps = values.map((value, i) => {
    const strides = stridesOf(value.shape);
    const stride = (label: string): number =>
      terms[i]!.reduce((total, own, axis) => total + (own === label && value.shape[axis] !== 1 ? strides[axis]! : 0), 0);
    return {
      data: numbers(value),
      outside: offsets(shapeOf(result), result.map(stride)),
      inside: offsets(shapeOf(summed), summed.map(stride)),
    };
  });
  const C = new Float64Array(sizeOf(shapeOf(result)));
  const count = sizeOf(shapeOf(summed));
  for (let o = 0; o < C.length; o++) {
    for (let k = 0; k < count; k++) {
      let product = 1;
      for (const { data, outside, inside } of steps) product *= data[outside[o]! + inside[k]!]!;
      C[o]! += product;
    }
  }
  return ofType(values[0]!.type, C, shapeOf(result));
}

export const products: Kernels = {
  MatMul: (inputs, node) => [matmul(need(inputs, 0, node), need(inputs, 1, node), node)],
  Gemm: (inputs, node) => [gemm(inputs, node)],
  Einsum: (inputs, node) => [einsum(inputs, node)],
  Det: (inputs, node) => {
    const x = need(inputs, 0, node);
    const n = x.shape.at(-1) ?? 0;
    if (x.shape.length < 2 || x.shape.at(-2) !== n) throw fail(node, `expected square matrices, got [${x.shape}]`);
    const stack = x.shape.slice(0, -2);
    const X = Float64Array.from(numbers(x));
    return [
      like(
        x,
        Float64Array.from({ length: sizeOf(stack) }, (_, s) => determinant(X.slice(s * n * n, (s + 1) * n * n), n)),
        stack,
      ),
    ];
  },
};

/** By elimination with partial pivoting; overwrites the matrix. */
function determinant(A: Float64Array, n: number): number {
  let value = 1;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(A[i * n + k]!) > Math.abs(A[pivot * n + k]!)) pivot = i;
    if (A[pivot * n + k] === 0) return 0;
    if (pivot !== k) {
      value = -value;
      for (let j = 0; j < n; j++) [A[k * n + j], A[pivot * n + j]] = [A[pivot * n + j]!, A[k * n + j]!];
    }
    value *= A[k * n + k]!;
    for (let i = k + 1; i < n; i++) {
      const factor = A[i * n + k]! / A[k * n + k]!;
      for (let j = k; j < n; j++) A[i * n + j]! -= factor * A[k * n + j]!;
    }
  }
  return value;
}
