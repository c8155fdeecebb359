import { checkAborted } from '../core/batches.js';
import { checkInteger, checkOneOf, checkPositive } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import type { LinearOperator, LongOptions } from '../core/model-types.js';
import { readLong } from '../core/stepper.js';
import { checkOperator, inner, norm, products } from '../linalg/operator.js';
import { draw, meanAndError, orthonormalize, readVectors, type Vectors } from './probes.js';
import { checkParts, type KnownPart, knownBasis, type OperatorPart, tracePasses } from './trace-parts.js';

export interface TraceOptions extends LongOptions {
  /** `'hutchinson'` (default), `'hutch++'` or `'xtrace'`. */
  readonly method?: 'hutchinson' | 'hutch++' | 'xtrace';
  /** Products with the operator at most: hutchinson makes one per probe, xtrace two, hutch++ three; 60. */
  readonly probes?: number;
  /** Probes in place of random ones: [s, d]. For hutch++ the first half makes the basis, the second half measures the rest. */
  readonly vectors?: Vectors;
  /** Hutchinson: stop once the standard error is below this share of the estimate (after at least 10 probes). */
  readonly tolerance?: number;
  /**
   * Hutchinson: a part of the answer that is known already, so that probes only measure the rest: orthonormal vectors Q and tr(QᵀAQ),
   * for example `{ vectors: basis, trace: Σ alpha }` of a Lanczos run whose start was independent of the probes.
   */
  readonly known?: KnownPart;
  /**
   * Hutchinson: the operator as a sum Σ share·operator, for example the Hessians of pieces of the data. Every part meets vectors of its
   * own, which lowers the variance by up to the number of parts at the same cost; `probes` then counts passes over the parts.
   */
  readonly parts?: readonly OperatorPart[];
  readonly seed?: number;
}

export interface TraceResult {
  readonly estimate: number;
  /** Of the estimate; NaN when there is a single sample, 0 when the answer is exact. XTrace's samples share a basis: its error is low by up to 2. */
  readonly standardError: number;
  /** What the estimate is the mean of (without the exact part of hutch++). */
  readonly samples: Float64Array;
  /** Products made. */
  readonly iterations: number;
}

/**
 * The trace of a symmetric operator from products with random ±1 vectors, with its standard error.
 *   hutchinson: mean of zᵀAz; error ~ √(2/s)·‖A‖_F without its diagonal; with `parts` Σ share·zᵀA_b z, a z for each part
 *   hutch++: tr(QᵀAQ) exactly on Q = range of A·S, hutchinson on the rest; error ~ 1/s for spectra that decay
 *   xtrace: as hutch++, every probe used both ways by leaving each out once; the better choice for few products
 *
 * @param op symmetric operator of size d
 * @param options `method` ('hutchinson'), `probes` products at most (60), `vectors` [s, d], `tolerance`, `known` and `parts` (hutchinson), `seed` (0),
 *   `signal`, `onProgress`
 * @returns `estimate`, `standardError`, `samples`, `iterations` (products)
 * @throws {ShapeError | DomainError} on wrong shapes, or products that are not finite
 * @see Hutchinson 1990; Meyer et al. 2021, arXiv:2010.09649 (Hutch++); Epperly, Tropp & Webber 2024, arXiv:2301.07825 (XTrace)
 */
export async function trace(op: LinearOperator, options: TraceOptions = {}): Promise<TraceResult> {
  checkOperator('op', op);
  const { method = 'hutchinson', probes = 60, seed = 0 } = readLong(options);
  checkInteger('size', op.size, 1);
  checkOneOf('method', method, ['hutchinson', 'hutch++', 'xtrace']);
  const per = { hutchinson: 1, xtrace: 2, 'hutch++': 3 }[method];
  checkInteger('probes', probes, per);
  if (options.tolerance !== undefined) checkPositive('tolerance', options.tolerance);
  if (options.parts) return ofParts(op, options.parts, options);
  const groups = Math.floor(probes / per);
  const drawn = method === 'hutch++' ? 2 * groups : groups;
  const vectors = options.vectors ? readVectors('vectors', options.vectors, op.size) : draw(drawn, op.size, seed);
  if (vectors.length === 0) throw new ShapeError('vectors: expected at least one vector, got none');
  if (method === 'hutch++' && vectors.length % 2)
    throw new ShapeError(`vectors: expected an even number of vectors, got ${vectors.length}`);
  const run = counted(op, options, method === 'hutch++' ? (vectors.length / 2) * 3 : vectors.length * per);
  if (method === 'hutch++') return hutchPlusPlus(op.size, vectors, run);
  if (method === 'xtrace') return xtrace(op.size, vectors, run);
  return hutchinson(op.size, vectors, run, options);
}

/** With `parts`: `iterations` counts products with single parts. */
async function ofParts(op: LinearOperator, parts: readonly OperatorPart[], options: TraceOptions): Promise<TraceResult> {
  const { method = 'hutchinson', vectors, probes = 60, tolerance, known, seed = 0 } = options;
  if (method !== 'hutchinson') throw new DomainError(`parts: expected none for ${method}, which needs the whole operator`);
  if (vectors) throw new DomainError('vectors: expected none with parts, which draw their own');
  checkParts(parts, op.size);
  const runs = parts.map(({ operator }) => products(operator));
  let iterations = 0;
  const apply = async (b: number, v: Float64Array) => {
    checkAborted(options.signal);
    const w = await runs[b]!.apply(v);
    iterations++;
    options.onProgress?.({ done: iterations, total: probes * parts.length, phase: 'trace' });
    return w;
  };
  return { ...(await tracePasses(parts, op.size, apply, { passes: probes, tolerance, known, seed })), iterations };
}

interface Run {
  apply(v: Float64Array): Promise<Float64Array>;
  readonly count: number;
}

function counted(op: LinearOperator, { signal, onProgress }: LongOptions, total: number): Run {
  const A = products(op);
  return {
    async apply(v) {
      checkAborted(signal);
      const w = await A.apply(v);
      onProgress?.({ done: A.count, total, phase: 'trace' });
      return w;
    },
    get count() {
      return A.count;
    },
  };
}

async function hutchinson(size: number, vectors: Float64Array[], run: Run, { tolerance, known }: TraceOptions): Promise<TraceResult> {
  const basis = knownBasis(known, size);
  const offset = known?.trace ?? 0;
  const samples: number[] = [];
  for (const z of vectors) {
    const rest = z.slice();
    basis?.orthogonalize(rest);
    samples.push(inner(rest, await run.apply(rest)));
    if (tolerance === undefined || samples.length < 10) continue;
    const { mean, error } = meanAndError(samples);
    if (error <= tolerance * Math.abs(offset + mean)) break;
  }
  const { mean, error } = meanAndError(samples);
  return { estimate: offset + mean, standardError: error, samples: Float64Array.from(samples), iterations: run.count };
}

async function hutchPlusPlus(size: number, vectors: Float64Array[], run: Run): Promise<TraceResult> {
  const half = vectors.length / 2;
  const images: Float64Array[] = [];
  for (const s of vectors.slice(0, half)) images.push(await run.apply(s));
  const { basis } = orthonormalize(images, size);
  let exact = 0;
  for (let j = 0; j < basis.count; j++) {
    const q = basis.get(j);
    exact += inner(q, await run.apply(q));
  }
  const samples: number[] = [];
  for (const g of vectors.slice(half)) {
    const rest = g.slice();
    basis.orthogonalize(rest);
    samples.push(norm(rest) > 1e-10 * norm(g) ? inner(rest, await run.apply(rest)) : 0);
  }
  const { mean, error } = meanAndError(samples);
  return { estimate: exact + mean, standardError: error, samples: Float64Array.from(samples), iterations: run.count };
}

/**
 * With Y = AΩ = QR and s_i ∝ R⁻ᵀe_i, the basis without column i is Q_iQ_iᵀ = Q(I − s_i s_iᵀ)Qᵀ: every leave-one-out estimate follows
 * from small matrices (Epperly, Tropp & Webber 2024, §2.1).
 */
async function xtrace(size: number, vectors: Float64Array[], run: Run): Promise<TraceResult> {
  const n = vectors.length;
  const Y: Float64Array[] = [];
  for (const omega of vectors) Y.push(await run.apply(omega));
  const { basis, R, kept } = orthonormalize(Y, size);
  const r = basis.count;
  const Q = Array.from({ length: r }, (_, j) => basis.get(j));
  const Z: Float64Array[] = [];
  for (const q of Q) Z.push(await run.apply(q));
  const H = Q.map((q) => Z.map((z) => inner(q, z)));
  const whole = H.reduce((sum, row, j) => sum + row[j]!, 0);
  const quadratic = (x: number[], y: number[]) => x.reduce((sum, a, i) => sum + a * H[i]!.reduce((t, h, j) => t + h * y[j]!, 0), 0);
  const W = vectors.map((omega) => Q.map((q) => inner(q, omega)));
  // Fewer columns than probes: either Q holds the whole range, and leaving a probe out changes nothing, or probes repeat each other in
  // a space of few dimensions, and those that add nothing are set aside.
  const exhausted = r < n && Y.every((y, i) => distance(y, Z, W[i]!) <= 1e-8 * norm(y));
  const triangle = Float64Array.from({ length: r * r }, (_, at) => R[Math.floor(at / r) * n + kept[at % r]!]!);
  const used = exhausted ? vectors.map((_, i) => i) : kept;
  const samples = used.map((i, column) => {
    const [omega, w] = [vectors[i]!, W[i]!];
    const s = exhausted ? new Array<number>(r).fill(0) : leftOut(triangle, r, column);
    const t = Z.map((z) => inner(z, omega));
    const overlap = s.reduce((sum, x, j) => sum + x * w[j]!, 0);
    const u = w.map((x, j) => x - overlap * s[j]!);
    const cross = u.reduce((sum, x, j) => sum + x * t[j]!, 0);
    return whole - quadratic(s, s) + inner(omega, Y[i]!) - 2 * cross + quadratic(u, u);
  });
  const { mean, error } = meanAndError(samples);
  return { estimate: mean, standardError: error, samples: Float64Array.from(samples), iterations: run.count };
}

/** ‖y − Σ_j weights[j]·columns[j]‖. */
function distance(y: Float64Array, columns: readonly Float64Array[], weights: readonly number[]): number {
  const rest = y.slice();
  for (const [j, column] of columns.entries()) for (let i = 0; i < rest.length; i++) rest[i] = rest[i]! - weights[j]! * column[i]!;
  return norm(rest);
}

/** R⁻ᵀe_i, normalised: forward substitution with Rᵀ. */
export function leftOut(R: Float64Array, n: number, i: number): number[] {
  const s = new Array<number>(n).fill(0);
  for (let row = i; row < n; row++) {
    let sum = row === i ? 1 : 0;
    for (let j = i; j < row; j++) sum -= R[j * n + row]! * s[j]!;
    s[row] = sum / R[row * n + row]!;
  }
  const length = norm(s);
  return s.map((x) => x / length);
}
