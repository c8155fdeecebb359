// Hutchinson's estimator of a sum of operators, each of which meets vectors of its own.
import { DomainError, ShapeError } from '../core/errors.js';
import type { LinearOperator } from '../core/model-types.js';
import { Random } from '../core/random.js';
import type { FloatArray } from '../core/tensor.js';
import { Basis } from '../linalg/basis.js';
import { checkOperator, inner, readVector } from '../linalg/operator.js';

/** A term of a sum: op = Σ share · operator. */
export interface OperatorPart {
  readonly operator: LinearOperator;
  readonly share: number;
}

/** Vectors that are freed of the known part together. */
const together = 8;

/** A part of the answer that is known: orthonormal vectors Q and tr(QᵀAQ). */
export interface KnownPart {
  readonly vectors: readonly FloatArray[];
  readonly trace: number;
}

/** A basis in memory of its own from a known part's vectors. */
export function knownBasis(known: KnownPart | undefined, size: number): Basis | undefined {
  const basis = known && new Basis(size, Math.max(1, known.vectors.length));
  for (const v of known?.vectors ?? []) basis?.push(readVector('known.vectors', v, size));
  return basis;
}

/** Throws unless every part is an operator of this size. */
export function checkParts(parts: readonly OperatorPart[], size: number): void {
  if (parts.length === 0) throw new DomainError('parts: expected at least one operator, got none');
  for (const [i, { operator, share }] of parts.entries()) {
    checkOperator(`parts[${i}].operator`, operator);
    if (operator.size !== size) throw new ShapeError(`parts[${i}].operator: expected size ${size}, got ${operator.size}`);
    if (!Number.isFinite(share)) throw new DomainError(`parts[${i}].share: expected a finite number, got ${share}`);
  }
}

/**
 * tr(Σ share·A_b) with independent vectors for every part b: a pass over the parts costs one product with their sum and has variance
 * Σ share²·Var(zᵀA_b z), which is lower than that of one common vector by up to the number of parts where the parts resemble each other.
 * The variances are those of each part over the passes, added: passes·parts − parts degrees of freedom, so few passes suffice.
 *
 * @param apply product with part b @param passes at most; @param tolerance on the standard error relative to the estimate
 * @returns one sample a pass, the estimate and its standard error
 */
export async function tracePasses(
  parts: readonly OperatorPart[],
  size: number,
  apply: (part: number, v: Float64Array) => Promise<Float64Array>,
  setting: { passes: number; tolerance?: number | undefined; known?: KnownPart | undefined; seed: number },
): Promise<{ estimate: number; standardError: number; samples: Float64Array }> {
  const { passes, tolerance, known, seed } = setting;
  const basis = knownBasis(known, size);
  const random = new Random(seed);
  const group = Array.from({ length: Math.min(parts.length, together) }, () => new Float64Array(size));
  const [means, squares] = [new Float64Array(parts.length), new Float64Array(parts.length)];
  const samples: number[] = [];
  let [estimate, standardError] = [Number.NaN, Number.NaN];
  // Fewer degrees of freedom than this say too little about the error to stop on.
  const enough = Math.max(3, 1 + Math.ceil(12 / parts.length));
  while (samples.length < passes) {
    const n = samples.length + 1;
    let sample = 0;
    for (const [b, { share }] of parts.entries()) {
      if (b % together === 0) {
        for (const z of group.slice(0, parts.length - b)) random.fill(z, 'sign');
        basis?.project(group); // any projection along Q will do: one pass is exact enough
      }
      const z = group[b % together]!;
      const found = inner(z, await apply(b, z));
      const off = found - means[b]!;
      means[b] = means[b]! + off / n;
      squares[b] = squares[b]! + off * (found - means[b]!);
      sample += share * found;
    }
    samples.push(sample);
    estimate = (known?.trace ?? 0) + parts.reduce((sum, { share }, b) => sum + share * means[b]!, 0);
    if (n < 2) continue;
    standardError = Math.sqrt(parts.reduce((sum, { share }, b) => sum + (share * share * squares[b]!) / (n - 1), 0) / n);
    if (tolerance !== undefined && n >= enough && standardError <= tolerance * Math.abs(estimate)) break;
  }
  return { estimate, standardError, samples: Float64Array.from(samples) };
}
