import { checkAborted } from '../core/batches.js';
import { checkInteger, checkOneOf } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { Data, DifferentiableModel, LongOptions } from '../core/model-types.js';
import { readLong } from '../core/stepper.js';
import type { FloatArray, NumberArray, Tensor } from '../core/tensor.js';
import { asFloats } from '../core/tensor.js';
import { norm } from '../linalg/operator.js';
import { asModelVector, atParameters, moved } from './at-parameters.js';
import { checkModel } from './operators.js';
import { draw, readVectors, type Vectors } from './probes.js';

export interface GradientNormalizedSmoothness {
  /** The largest of the radii γ for which every sampled step h, ‖h‖ ≤ γ, has ‖∇L(w+h) − ∇L(w) − Ĥh‖ ≤ ‖∇L(w)‖·‖h‖/γ; 0 if none. */
  readonly gamma: number;
  readonly gradientNorm: number;
  readonly radii: Float64Array;
  /** ‖∇L(w + r u) − ∇L(w) − r Ĥu‖ for each direction u and radius r [directions, radii]. */
  readonly residuals: Tensor<Float64Array>;
}

/**
 * Gradient-normalized smoothness: how far from here a gradient model with an approximate Hessian Ĥ can be trusted, in units of the
 * gradient itself. A Newton step damped by λ = ‖g‖/γ then decreases the loss.
 *   γ(w) = max { γ : ‖∇L(w + h) − ∇L(w) − Ĥh‖ ≤ ‖∇L(w)‖·‖h‖/γ  for all ‖h‖ ≤ γ }
 * Sampled: a finite set of directions and radii, so an upper bound of γ on that grid.
 *
 * @param model any DifferentiableModel; its parameters are put back; @param data the loss is the mean over it
 * @param options `approximation` Ĥ 'hessian' (default) | 'ggn' | 'none' (0: plain smoothness); `directions` [s, d] (unit vectors) or a
 *   count of random ones (8); `radii` ascending (2^−6 … 2^3); `seed` (0), `signal`, `onProgress`
 * @returns `gamma`, `gradientNorm`, `radii`, `residuals`; one gradient per direction and radius
 * @throws {DomainError} on radii that are not positive and ascending
 * @see Semenov, Jaggi & Doikov 2025, arXiv:2506.13710, Definition 1
 */
export async function gradientNormalizedSmoothness(
  model: DifferentiableModel,
  data: Data,
  options: LongOptions & {
    approximation?: 'hessian' | 'ggn' | 'none';
    directions?: Vectors | number;
    radii?: NumberArray;
    seed?: number;
  } = {},
): Promise<GradientNormalizedSmoothness> {
  checkModel(model, 'gradient', 'hvp', 'ggnvp', 'getParameters', 'setParameters');
  const { approximation = 'hessian', directions = 8, seed = 0, signal, onProgress } = readLong(options);
  checkOneOf('approximation', approximation, ['hessian', 'ggn', 'none']);
  const radii = Float64Array.from(asFloats('radii', options.radii ?? Array.from({ length: 10 }, (_, i) => 2 ** (i - 6))));
  if (radii.length === 0 || radii.some((r, i) => !(r > (i === 0 ? 0 : radii[i - 1]!))))
    throw new DomainError(`radii: expected positive numbers in ascending order, got [${Array.from(radii).join(', ')}]`);
  const units = directionsOf(directions, model.parameterCount, seed);
  const w = model.getParameters();
  const { grad } = await model.gradient(data);
  const gradientNorm = norm(grad);
  const residuals = new Float64Array(units.length * radii.length);
  for (const [s, u] of units.entries()) {
    const unit = asModelVector(model, u);
    const curved = approximation === 'none' ? new Float64Array(u.length) : await product(model, data, unit, approximation);
    for (const [j, r] of radii.entries()) {
      checkAborted(signal);
      const { grad: there } = await atParameters(model, moved(model, w, u, r), () => model.gradient(data));
      residuals[s * radii.length + j] = norm(Float64Array.from(there, (g, i) => g - grad[i]! - r * curved[i]!));
      onProgress?.({ done: s * radii.length + j + 1, total: residuals.length, phase: 'smoothness' });
    }
  }
  let gamma = 0;
  for (const [limit, candidate] of radii.entries()) {
    let holds = true;
    for (let s = 0; s < units.length; s++)
      for (let j = 0; j <= limit; j++) holds &&= residuals[s * radii.length + j]! <= (gradientNorm * radii[j]!) / candidate;
    if (holds) gamma = candidate;
  }
  return { gamma, gradientNorm, radii, residuals: { data: residuals, shape: [units.length, radii.length] } };
}

function directionsOf(given: Vectors | number, size: number, seed: number): Float64Array[] {
  if (typeof given === 'number') checkInteger('directions', given, 1);
  const vectors = typeof given === 'number' ? draw(given, size, seed, 'normal') : readVectors('directions', given, size);
  return vectors.map((v, i) => {
    const length = norm(v);
    if (!(length > 0)) throw new DomainError(`directions[${i}]: expected a vector other than zero, got zeros`);
    return v.map((x) => x / length);
  });
}

function product(model: DifferentiableModel, data: Data, v: FloatArray, approximation: 'hessian' | 'ggn'): Promise<FloatArray> {
  return approximation === 'hessian' ? model.hvp(data, v) : model.ggnvp(data, v);
}
