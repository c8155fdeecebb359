import { asRecord, checkInteger } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import { square } from '../core/square.js';
import { type FloatArray, floats, type TensorLike } from '../core/tensor.js';
import { gemm } from '../kernels/gemm.js';
import { topKRows } from '../kernels/top-k.js';
import { withArena } from '../runtime/instance.js';
import { type GroupOrderingScoresOptions, groupOrderingScoresLoss } from './group-ordering-scores-loss.js';
import { type RowsOf, readRows, type ShapedArray, shape } from './rows.js';

export interface GroupOrderingOptions extends Partial<GroupOrderingScoresOptions> {
  /** Nearest other samples per anchor that serve as negatives (10, or all others when there are fewer). */
  negatives?: number;
  /** Only the anchor receives a gradient (true), not the samples it is compared with. */
  stopGradient?: boolean;
}

/**
 * GroCo: self-supervised loss that asks every other view of a sample to be nearer to an anchor than its nearest negatives.
 * For every view and sample: cosine similarities to the same view of other samples, the `negatives` largest kept, and to the other
 * views of the sample; then the group ordering loss of the list.
 *
 * @param embeddings [views, batch, d], views ≥ 2, batch ≥ 2, rows not zero
 * @param options `negatives` (10), `stopGradient` (true), and those of `groupOrderingScoresLoss`: steepness 1, odd-even, cauchy
 * @returns `value`, the mean over anchors; `grad` [views, batch, d]; `perSample` [views·batch], the loss of every anchor
 * @throws {ShapeError} for another shape; {DomainError} for a zero row or negatives outside 1 … batch − 1
 * @see Shvetsova et al. 2023, arXiv:2301.02009, §3
 */
export function groupOrderingLoss(
  embeddings: TensorLike,
  options: GroupOrderingOptions = {},
): { value: number; grad: ShapedArray; perSample: FloatArray } {
  const { negatives: wanted, stopGradient = true, ...rest } = asRecord('options', options);
  const input = readRows('embeddings', embeddings);
  const { n: d, precision } = input;
  if (input.lead.length !== 2 || (input.lead[0] as number) < 2 || (input.lead[1] as number) < 2) {
    throw new ShapeError(`embeddings: expected shape [views >= 2, batch >= 2, d], got [${[...input.lead, d].join(', ')}]`);
  }
  const [views, batch] = input.lead as [number, number];
  const negatives = wanted ?? Math.min(10, batch - 1);
  checkInteger('negatives', negatives, 1, batch - 1);
  const { units, norms } = normalised(input);
  const n = negatives + views - 1;
  const scores = floats(precision, views * batch * n);
  const partners = new Int32Array(views * batch * n); // row of `units` that each score compares the anchor with
  for (let view = 0; view < views; view++) {
    const { values, indices } = nearest(units.subarray(view * batch * d, (view + 1) * batch * d), d, negatives);
    for (let i = 0; i < batch; i++) {
      const anchor = view * batch + i;
      for (let k = 0; k < negatives; k++) {
        scores[anchor * n + k] = values[(i + 1) * negatives - 1 - k] as number; // best first: ascending from the end
        partners[anchor * n + k] = view * batch + (indices[(i + 1) * negatives - 1 - k] as number);
      }
      const positives = Array.from({ length: views }, (_, other) => other * batch + i)
        .filter((row) => row !== anchor)
        .map((row) => [inner(units, anchor, row, d), row] as const)
        .sort((a, b) => a[0] - b[0]);
      positives.forEach(([score, row], k) => {
        scores[anchor * n + negatives + k] = score;
        partners[anchor * n + negatives + k] = row;
      });
    }
  }
  const loss = groupOrderingScoresLoss({ data: scores, shape: [views * batch, n] }, { ...rest, negatives });
  const data = gradient(units, norms, partners, loss.grad.data, n, d, stopGradient);
  return { value: loss.value, grad: shape(data, [views, batch, d]), perSample: loss.perSample };
}

function normalised({ data, rows, n: d, precision }: RowsOf<FloatArray>): { units: FloatArray; norms: Float64Array } {
  const units = floats(precision, data.length);
  const norms = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    let squares = 0;
    for (let j = 0; j < d; j++) squares += square(data[row * d + j] as number);
    if (!(squares > 0)) throw new DomainError(`embeddings: expected rows that are not zero, got a zero row at index ${row}`);
    norms[row] = Math.sqrt(squares);
    for (let j = 0; j < d; j++) units[row * d + j] = (data[row * d + j] as number) / (norms[row] as number);
  }
  return { units, norms };
}

/** The k most similar other rows of every row, best first; similarities are formed for 256 rows at a time. */
function nearest(units: FloatArray, d: number, k: number): { values: FloatArray; indices: Int32Array } {
  const batch = units.length / d;
  return withArena((arena) => {
    const all = arena.put(units);
    const values = arena.real(precisionOfBlock(all.type), batch * k);
    const indices = arena.alloc('i32', batch * k);
    const width = all.type === 'f32' ? 4 : 8;
    for (let from = 0; from < batch; from += 256) {
      const rows = Math.min(256, batch - from);
      const mark = arena.mark();
      const similarity = arena.real(precisionOfBlock(all.type), rows * batch);
      gemm(rows, batch, d, { ...all, ptr: all.ptr + from * d * width, length: rows * d }, all, similarity, { transB: true });
      const view = arena.view(similarity);
      for (let i = 0; i < rows; i++) view[i * batch + from + i] = -Infinity;
      const part = { ptr: values.ptr + from * k * width, length: rows * k };
      topKRows(
        arena,
        { ...values, ...part },
        { type: 'i32', ptr: indices.ptr + from * k * 4, length: rows * k },
        similarity,
        rows,
        k,
        true,
      );
      arena.release(mark);
    }
    return { values: arena.take(values), indices: arena.take(indices) };
  });
}

const precisionOfBlock = (type: 'f32' | 'f64') => (type === 'f32' ? 'float32' : 'float64');

function inner(units: FloatArray, a: number, b: number, d: number): number {
  let sum = 0;
  for (let j = 0; j < d; j++) sum += (units[a * d + j] as number) * (units[b * d + j] as number);
  return sum;
}

/** Gradient through the similarities and the division by the norms: (g − e·⟨e, g⟩)/norm with e the unit vector. */
function gradient(
  units: FloatArray,
  norms: Float64Array,
  partners: Int32Array,
  inflow: FloatArray,
  n: number,
  d: number,
  stopGradient: boolean,
): FloatArray {
  const toUnits = new Float64Array(units.length);
  for (let at = 0; at < inflow.length; at++) {
    const anchor = Math.floor(at / n) * d;
    const partner = (partners[at] as number) * d;
    const weight = inflow[at] as number;
    for (let j = 0; j < d; j++) toUnits[anchor + j] = (toUnits[anchor + j] as number) + weight * (units[partner + j] as number);
    if (stopGradient) continue;
    for (let j = 0; j < d; j++) toUnits[partner + j] = (toUnits[partner + j] as number) + weight * (units[anchor + j] as number);
  }
  const grad = units.slice();
  for (let row = 0; row < norms.length; row++) {
    let radial = 0;
    for (let j = row * d; j < (row + 1) * d; j++) radial += (units[j] as number) * (toUnits[j] as number);
    for (let j = row * d; j < (row + 1) * d; j++)
      grad[j] = ((toUnits[j] as number) - (units[j] as number) * radial) / (norms[row] as number);
  }
  return grad;
}
