// The single measurements of the curvature report.
import { checkAborted, pieces, samplesOf, takeSamples } from '../core/batches.js';
import type { Batch, Data, DifferentiableModel, LinearOperator, LongOptions } from '../core/model-types.js';
import { Random } from '../core/random.js';
import type { FloatArray } from '../core/tensor.js';
import { asModelVector, atParameters, moved } from '../curvature/at-parameters.js';
import { batchSharpness } from '../curvature/batch-sharpness.js';
import { updateDirections } from '../curvature/directional-sharpness.js';
import { hessianOperator } from '../curvature/operators.js';
import { topEigenvalues } from '../curvature/top-eigenvalues.js';
import type { OperatorPart } from '../curvature/trace-parts.js';
import { breakdownLevel, type lanczos } from '../linalg/lanczos.js';
import { inner } from '../linalg/operator.js';

type Settings = LongOptions & { readonly batchSize: number; readonly seed: number };

/** The loss along a direction through the parameters. */
export interface Slice {
  readonly eigenvalue: number;
  /** Distances from the parameters. */
  readonly t: Float64Array;
  readonly loss: Float64Array;
}

/** The operator, and how many products it has made. */
export function countProducts(op: LinearOperator): { op: LinearOperator; count(): number } {
  let made = 0;
  const apply = (v: FloatArray, out: FloatArray) => {
    made++;
    return op.apply(v, out);
  };
  return { op: { size: op.size, precision: op.precision, apply }, count: () => made };
}

/** What a batch weighs in a mean over samples. */
function weightOf(batch: Batch): number {
  let sum = batch.weights ? 0 : samplesOf(batch);
  for (const w of batch.weights ?? []) sum += w;
  return sum;
}

/** Samples of a piece with probes of its own: smaller ones cost more per sample than they save in probes. */
const pieceSize = 64;

/**
 * The batch as pieces of its shuffled samples, whose values stay in the cache, and its Hessian as a sum over them. A loss whose mean does
 * not divide by samples (ignored labels, class weights) is left whole: its pieces would not add up.
 */
export async function partsOf(
  model: DifferentiableModel,
  batch: Batch,
  loss: number,
  { seed }: Settings,
): Promise<{ parts: OperatorPart[]; data: Batch | Batch[] }> {
  const n = samplesOf(batch);
  const shuffled = takeSamples(batch, new Random(seed + 4).permutation(n));
  const total = weightOf(batch);
  const parts: OperatorPart[] = [];
  const data: Batch[] = [];
  let sum = 0;
  for (const piece of pieces(shuffled, pieceSize)) {
    const share = weightOf(piece) / total;
    sum += share === 0 ? 0 : share * (await model.loss(piece));
    if (share === 0) continue;
    parts.push({ operator: hessianOperator(model, piece), share });
    data.push(piece);
  }
  const adds = Math.abs(sum - loss) <= (model.precision === 'float32' ? 1e-5 : 1e-10) * Math.abs(loss);
  return adds ? { parts, data } : { parts: [{ operator: hessianOperator(model, batch), share: 1 }], data: batch };
}

/** Residual norms ‖A y − θ y‖ of all Ritz pairs of a Lanczos run, at least what the products themselves are uncertain by. */
export function residualsOf(
  run: Awaited<ReturnType<typeof lanczos>>,
  values: Float64Array,
  vectors: Float64Array,
  precision: LinearOperator['precision'],
): Float64Array {
  const m = values.length;
  const noise = breakdownLevel[precision] * Math.max(Math.abs(values[0]!), Math.abs(values[m - 1]!));
  return values.map((_, j) => Math.max(noise, run.residual * Math.abs(vectors[j * m + m - 1]!)));
}

/** The k largest Ritz pairs of a Lanczos run; where they have not settled, a restarted search goes on from them. */
export async function sharpest(
  H: LinearOperator,
  run: Awaited<ReturnType<typeof lanczos>>,
  values: Float64Array,
  vectors: Float64Array,
  k: number,
  { seed, signal, onProgress }: Settings,
) {
  const m = values.length;
  const rows = Array.from({ length: Math.min(k, m) }, (_, i) => m - 1 - i);
  const scale = Math.max(Math.abs(values[0]!), Math.abs(values[m - 1]!));
  const all = residualsOf(run, values, vectors, H.precision);
  const residuals = Float64Array.from(rows, (j) => all[j]!);
  const combine = (weights: (i: number) => number) => {
    const out = new Float64Array(H.size);
    run.basis.forEach((v, i) => {
      const weight = weights(i);
      for (let l = 0; l < out.length; l++) out[l] = out[l]! + weight * v[l]!;
    });
    return out;
  };
  const settled = run.breakdown || residuals.every((r) => r <= 1e-3 * scale);
  if (rows.length === k && settled) {
    const found = rows.map((j) => combine((i) => vectors[j * m + i]!));
    return { values: Float64Array.from(rows, (j) => values[j]!), residuals, vectors: found, converged: true };
  }
  const start = combine((i) => rows.reduce((sum, j) => sum + vectors[j * m + i]!, 0));
  const more = { ...(signal && { signal }), ...(onProgress && { onProgress }) };
  return topEigenvalues(H, { k, start, seed, tolerance: 1e-3, maxIterations: 200, ...more });
}

/** vᵀHv along what each optimizer would do after a short history of mini-batch gradients. */
export async function alongOptimizers(model: DifferentiableModel, batch: Batch, H: LinearOperator, { batchSize, seed }: Settings) {
  const n = samplesOf(batch);
  const random = new Random(seed + 2);
  const history: FloatArray[] = [];
  for (let step = 0; step < 10; step++) {
    const chosen = Int32Array.from({ length: Math.min(batchSize, n) }, () => random.integer(n));
    history.push((await model.gradient(takeSamples(batch, chosen))).grad);
  }
  if (history.at(-1)!.every((g) => g === 0)) return { sgd: 0, momentum: 0, adam: 0, sign: 0, clipped: 0 };
  const directions = updateDirections(history);
  const found = { sgd: 0, momentum: 0, adam: 0, sign: 0, clipped: 0 };
  const out = asModelVector(model, new Float64Array(H.size));
  for (const name of Object.keys(found) as (keyof typeof found)[]) {
    await H.apply(asModelVector(model, directions[name]), out);
    found[name] = inner(directions[name], out);
  }
  return found;
}

/** How far the loss may rise at the ends of a slice, in units of what the quadratic model rises by there: beyond, the valley is a speck. */
const tallest = 10;

/**
 * The loss along the two sharpest eigenvectors, as far as the quadratic model rises by the loss itself or by 0.1; half as far, and again,
 * where the loss itself rises more than ten times as much.
 */
export async function slicesAlong(
  model: DifferentiableModel,
  data: Data,
  top: { values: Float64Array; vectors: ArrayLike<number>[] },
  loss: number,
  { signal }: Settings,
): Promise<Slice[]> {
  const w = model.getParameters();
  const slices: Slice[] = [];
  for (let i = 0; i < Math.min(2, top.values.length); i++) {
    const curvature = Math.abs(top.values[i]!);
    const seen = new Map([[0, loss]]);
    const lossAt = async (distance: number): Promise<number> => {
      checkAborted(signal);
      const found = seen.get(distance) ?? (await atParameters(model, moved(model, w, top.vectors[i]!, distance), () => model.loss(data)));
      seen.set(distance, found);
      return found;
    };
    const rise = Math.max(loss, 0.1);
    let reach = curvature > 0 ? Math.sqrt((2 * rise) / curvature) : 1;
    for (let halved = 0; halved < 6 && Math.max(await lossAt(-reach), await lossAt(reach)) > loss + tallest * rise; halved++) reach /= 2;
    const t = Float64Array.from({ length: 21 }, (_, j) => (reach * (j - 10)) / 10);
    const losses = new Float64Array(t.length);
    for (const [j, distance] of t.entries()) losses[j] = await lossAt(distance);
    slices.push({ eigenvalue: top.values[i]!, t, loss: losses });
  }
  return slices;
}

export async function stochastic(model: DifferentiableModel, batch: Batch, { batchSize, seed }: Settings) {
  const n = samplesOf(batch);
  const size = Math.min(batchSize, n);
  const shuffled = takeSamples(batch, new Random(seed + 3).permutation(n).slice(0, Math.min(n, 8 * size)));
  const { value } = await batchSharpness(model, [...pieces(shuffled, size)]);
  return { batchSize: size, batchSharpness: value, stochastic: limitOf(value) };
}

export const limitOf = (sharpness: number): number => (sharpness > 0 ? 2 / sharpness : Number.POSITIVE_INFINITY);
