// The sorting kinds of golden/ot-sort, in f64 and f32 at the manifest's tolerances.
import {
  argsort,
  type Distribution,
  diffSort,
  entmax15,
  entmax15Loss,
  groupOrderingLoss,
  logSoftTopK,
  type NetworkName,
  neuralSortMatrix,
  softRank,
  softSort,
  softSortMatrix,
  softTopK,
  sort,
  sparsemax,
  sparsemaxLoss,
  topK,
} from '../../../src/sorting/index.js';
import { expectClose } from '../../helpers/close.js';
import type { GoldenAdapter, OtSortCase } from '../discover.js';

/** The draws of the `large` cases. */
function mulberry32(seed: number): () => number {
  let s = seed;
  return () => {
    s = (s + 0x6d2b79f5) | 0;
    let t = Math.imul(s ^ (s >>> 15), s | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Hard sort of many draws; the transport cases of this kind belong to another adapter. */
function large(c: OtSortCase): void {
  if (c.params.op !== 'sort') return;
  const { n, k, seed } = c.params as { n: number; k: number; seed: number };
  const draw = mulberry32(seed);
  const x = Float32Array.from({ length: n }, draw);
  for (const data of [x, Float64Array.from(x)]) {
    const order = argsort(data);
    expect(order.filter((_, place) => place % (c.scalars.step as number) === 0)).toEqual(c.array('argsort_every').data);
    expect(topK(data, { k }).indices).toEqual(c.array('topk').data);
    expect(Array.from(sort(data))).toEqual(Array.from(order, (i) => data[i]));
  }
}

/** Networks: the package multiplies rows from the left, so its matrices are the transposes of ours. */
function diffsort(c: OtSortCase): void {
  const { n, batch, network, distribution, steepness, art_lambda } = c.params as Record<string, never>;
  const options = {
    network: (network as string).replace('_', '-') as NetworkName,
    distribution: (distribution as string).replace('_', '-') as Distribution,
    steepness,
    artLambda: art_lambda,
  };
  const transpose = (matrix: ArrayLike<number>): Float64Array =>
    Float64Array.from({ length: matrix.length }, (_, at) => {
      const [b, i, j] = [Math.floor(at / (n * n)), Math.floor(at / n) % n, at % n];
      return matrix[(b * n + j) * n + i] as number;
    });
  const x = c.array('x').data;
  for (const [Type, values, grads] of [
    [Float64Array, { atol: c.tolerances.value_abs as number }, { atol: c.tolerances.grad_abs as number }],
    [Float32Array, { atol: c.tolerances.f32_value_abs as number }, { rtol: 1e-3, atol: 1e-3 }],
  ] as const) {
    const result = diffSort({ data: Type.from(x), shape: [batch, n] }, options);
    expectClose(result.sorted.data, c.array('y').data, values);
    expectClose(result.permutation().data, transpose(c.array('P').data), values);
    const sorted = Type.from(c.array('Wy').data);
    const permutation = Type.from(transpose(c.array('Wp').data));
    expectClose(result.backward({ sorted, permutation }).data, c.array('gx').data, grads);
  }
}

function groco(c: OtSortCase): void {
  const { topk_neg, steepness, stop_grad } = c.params as { topk_neg: number; steepness: number; stop_grad: boolean };
  const { data, shape } = c.array('E');
  for (const [Type, value, grad] of [
    [Float64Array, c.tolerances.value_abs as number, c.tolerances.grad_abs as number],
    [Float32Array, 1e-5, 1e-5],
  ] as const) {
    const loss = groupOrderingLoss({ data: Type.from(data), shape }, { negatives: topk_neg, steepness, stopGradient: stop_grad });
    expectClose(loss.value, c.scalars.loss as number, { atol: value });
    expectClose(loss.grad.data, c.array('gE').data, { atol: grad });
  }
}

function soft_rank_sort(c: OtSortCase): void {
  const { op, reg, strength, direction } = c.params as { op: string; reg: 'l2' | 'kl'; strength: number; direction: string };
  const options = { regularization: reg, strength, direction: direction.toLowerCase() as 'ascending' };
  const f32 = 1e-5 * Math.max(1, 1 / strength);
  for (const [Type, value, grad] of [
    [Float64Array, c.tolerances.value_abs as number, c.tolerances.grad_abs as number],
    [Float32Array, f32, 100 * f32],
  ] as const) {
    const result = (op === 'rank' ? softRank : softSort)(Type.from(c.array('x').data), options);
    expectClose(result.values, c.array('y').data, { atol: value });
    if (c.has('gx')) expectClose(result.backward(Type.from(c.array('gy').data)), c.array('gx').data, { rtol: grad, atol: grad });
  }
}

function soft_topk(c: OtSortCase): void {
  const { k, alpha } = c.params as { k: number; alpha: number };
  const f32 = c.tolerances.f32_value_abs as number;
  for (const [Type, value, grad] of [
    [Float64Array, c.tolerances.value_abs as number, c.tolerances.grad_abs as number],
    [Float32Array, f32, 10 * f32],
  ] as const) {
    const x = Type.from(c.array('x').data);
    const soft = softTopK(x, { k, alpha });
    expectClose(soft.values, c.array('y').data, { atol: value });
    expectClose(soft.threshold, c.scalars.t as number, { atol: Math.max(value, 1e-11) });
    expectClose(soft.backward(Type.from(c.array('gy').data)), c.array('gx').data, { atol: grad });
    const log = logSoftTopK(x, { k, alpha });
    expectClose(log.values, c.array('log_y').data, { rtol: value, atol: 10 * value });
    expectClose(log.backward(Type.from(c.array('gl').data)), c.array('glx').data, { rtol: grad, atol: grad });
  }
}

/** Rows of the stored matrices are ranks from the largest. */
function relaxed_perm(c: OtSortCase): void {
  const { op, tau } = c.params as { op: string; tau: number };
  const options = { temperature: tau, direction: 'descending' } as const;
  for (const [Type, value, grad] of [
    [Float64Array, c.tolerances.value_abs as number, c.tolerances.grad_abs as number],
    [Float32Array, 2e-5, 2e-4],
  ] as const) {
    const s = Type.from(c.array('s').data);
    const { matrix, backward } =
      op === 'neuralsort' ? neuralSortMatrix(s, options) : softSortMatrix(s, { ...options, power: op === 'softsort2' ? 2 : 1 });
    expectClose(matrix.data, c.array('P').data, { atol: value });
    expectClose(backward(Type.from(c.array('W').data)), c.array('gs').data, { rtol: grad, atol: grad });
  }
}

function sparse(c: OtSortCase): void {
  const { op, target } = c.params as { op: string; target: number };
  const f32 = c.tolerances.f32_value_abs as number;
  for (const [Type, value, grad] of [
    [Float64Array, c.tolerances.value_abs as number, c.tolerances.grad_abs as number],
    [Float32Array, f32, 20 * f32],
  ] as const) {
    const z = Type.from(c.array('z').data);
    const { values, support, backward } = op === 'sparsemax' ? sparsemax(z) : entmax15(z);
    expectClose(values, c.array('p').data, { atol: value });
    expect([...support]).toEqual([c.scalars.support]);
    expectClose(backward(Type.from(c.array('gp').data)), c.array('gz').data, { atol: grad });
    const loss = (op === 'sparsemax' ? sparsemaxLoss : entmax15Loss)(z, [target]);
    expectClose(loss.value, c.scalars.loss as number, { rtol: value, atol: 10 * value });
    expectClose(loss.grad, c.array('gloss').data, { atol: value });
  }
}

const adapter: GoldenAdapter = {
  pillar: 'sorting',
  otSort: { large, diffsort, groco, soft_rank_sort, soft_topk, relaxed_perm, sparsemax: sparse },
};
export default adapter;
