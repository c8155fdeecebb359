// MatMul and Gemm.
import type { Builder, Value } from '../builder.js';
import { float } from '../builder.js';
import { broadcast, product } from '../dims.js';
import { type Dim, floatOf, intOf, type Node } from '../graph.js';
import type { Rule } from './rule.js';

const swap = (x: Value, b: Builder): Value => {
  const rank = b.rank(x);
  return b.transpose(
    x,
    Array.from({ length: rank }, (_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis)),
  );
};

/** α·op(A)·op(B) on matrices, without a transposed copy. */
export function gemm(b: Builder, A: Value, B: Value, { transA = 0, transB = 0, alpha = 1, C = '' } = {}): Value {
  return b.op('Gemm', [A, B, C], { ...(transA && { transA }), ...(transB && { transB }), ...(alpha !== 1 && { alpha: float(alpha) }) });
}

/** Both operands as stacks of matrices: a vector becomes a row on the left, a column on the right. */
function stacks({ inputs: [A, B] }: Node, d: Value, b: Builder): { A: Value; B: Value; d: Value } {
  const row = b.rank(A!) === 1;
  const column = b.rank(B!) === 1;
  const rank = b.rank(d);
  const left = row ? b.unsqueeze(A!, [0]) : A!;
  const right = column ? b.unsqueeze(B!, [1]) : B!;
  const axes = row && column ? [0, 1] : row ? [rank - 1] : column ? [rank] : [];
  return { A: left, B: right, d: b.unsqueeze(d, axes) };
}

/** x[…, k] as a matrix [rows, k]. */
const flat = (x: Value, b: Builder): Value => {
  const shape = b.shape(x);
  return b.reshape(x, [product(shape.slice(0, -1)), shape.at(-1)!]);
};

export const MatMul: Rule = {
  infer: (node, b) => {
    const [p, q] = [b.type(node.inputs[0]!), b.type(node.inputs[1]!)];
    const type = b.elementType(node.inputs[0]!);
    if (!p.shape || !q.shape) return [{ type }];
    const rows = p.shape.length > 1 ? [p.shape.at(-2)!] : [];
    const columns = q.shape.length > 1 ? [q.shape.at(-1)!] : [];
    return [{ type, shape: [...broadcast(p.shape.slice(0, -2), q.shape.slice(0, -2)), ...rows, ...columns] }];
  },
  vjp: (node, [dy], b, needs) => {
    const { A, B, d } = stacks(node, dy!, b);
    const [shapeA, shapeB] = node.inputs.map((name) => b.shape(name)) as [readonly Dim[], readonly Dim[]];
    const shared = b.rank(B) === 2;
    const dA = needs[0] ? b.matmul(d, swap(B, b)) : undefined;
    // One matrix for a stack of rows: a single product over all rows in place of a stack of products and its sum.
    const dB = needs[1] ? (shared ? gemm(b, flat(A, b), flat(d, b), { transA: 1 }) : b.matmul(swap(A, b), d)) : undefined;
    return [dA && fit(dA, shapeA, b), dB && fit(dB, shapeB, b)];
  },
  jvp: ({ inputs: [A, B] }, [dA, dB], b) => [b.sum(dA && b.matmul(dA, B!), dB && b.matmul(A!, dB))],
};

/** Sums over broadcast stack axes and takes back the axis a vector was given. */
function fit(x: Value, to: readonly Dim[], b: Builder): Value {
  if (to.length > 1) return b.unbroadcast(x, to);
  const axes = Array.from({ length: b.rank(x) - 2 }, (_, axis) => axis);
  return b.reshape(b.reduceSum(x, axes), to);
}

export const Gemm: Rule = {
  infer: (node, b) => {
    const [A, B] = node.inputs as [Value, Value];
    const rows = b.shape(A)[intOf(node, 'transA', 0) ? 1 : 0]!;
    return [{ type: b.elementType(A), shape: [rows, b.shape(B)[intOf(node, 'transB', 0) ? 0 : 1]!] }];
  },
  vjp: (node, [d], b, needs) => {
    const [A, B, C] = node.inputs as [Value, Value, Value | undefined];
    const transA = intOf(node, 'transA', 0);
    const transB = intOf(node, 'transB', 0);
    const alpha = floatOf(node, 'alpha', 1);
    const dA = () => (transA ? gemm(b, B, d!, { transA: transB, transB: 1, alpha }) : gemm(b, d!, B, { transB: 1 - transB, alpha }));
    const dB = () => (transB ? gemm(b, d!, A, { transA: 1, transB: transA, alpha }) : gemm(b, A, d!, { transA: 1 - transA, alpha }));
    const dC = () => b.scale(b.unbroadcast(d!, b.shape(C!)), floatOf(node, 'beta', 1));
    return [needs[0] ? dA() : undefined, needs[1] ? dB() : undefined, C && needs[2] ? dC() : undefined];
  },
  jvp: (node, [dA, dB, dC], b) => {
    const [A, B] = node.inputs as [Value, Value];
    const { beta, ...rest } = node.attributes;
    const moved = dC && b.scale(dC, beta?.type === 'float' ? beta.value : 1);
    // The second product adds the first one as it goes.
    const first = dA && b.op('Gemm', [dA, B], rest);
    const both = dB ? b.op('Gemm', [A, dB, ...(first ? [first] : [])], rest) : first;
    const sum = b.sum(both, moved);
    return [sum && b.expand(sum, b.shape(node.outputs[0]!))];
  },
};
