import { asRecord, checkArray, checkFinite, checkFloats, checkRange } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { Data, DifferentiableModel, LongOptions } from '../core/model-types.js';
import { stepper } from '../core/stepper.js';
import { asFloats, type FloatArray, type NumberArray } from '../core/tensor.js';
import { inner, norm, readVector } from '../linalg/operator.js';
import { asModelVector, atParameters, moved } from './at-parameters.js';
import { checkModel } from './operators.js';

export interface DirectionalSharpness {
  /** vᵀHv for the unit vector v along the direction. */
  readonly sharpness: number;
  /** gᵀv: how fast the loss changes along v. */
  readonly slope: number;
  /** (L(w + u) − L(w) − gᵀu)·2/‖u‖² for the direction u as given: the curvature the whole step meets, without an HVP. */
  readonly stepCurvature: number;
  /** The step length along −sign(slope)·v at which the quadratic model is lowest: |slope|/sharpness, Infinity when it is not > 0. */
  readonly bestStep: number;
}

/**
 * Directional sharpness: the curvature of the loss along an optimizer's update, which says how long a step along it may be.
 *   L(w + ηv) = L + η gᵀv + ½η² vᵀHv + …;  S = vᵀHv with ‖v‖₂ = 1
 *
 * @param model any DifferentiableModel; its parameters are put back; @param data the loss is the mean over it
 * @param direction update u [d], any length: that of SGD, momentum, Adam, sign descent, a clipped gradient (see `updateDirections`)
 * @param options `signal`, `onProgress`
 * @returns `sharpness` (per unit length), `slope`, `stepCurvature`, `bestStep`
 * @throws {ShapeError | DomainError} on another length, NaN, or a zero direction
 * @see Pan & Li 2023, arXiv:2306.00204
 */
export async function directionalSharpness(
  model: DifferentiableModel,
  data: Data,
  direction: NumberArray,
  options: LongOptions = {},
): Promise<DirectionalSharpness> {
  checkModel(model, 'gradient', 'hvp', 'loss', 'getParameters', 'setParameters');
  const u = readVector('direction', direction, model.parameterCount);
  checkFinite('direction', u);
  const length = norm(u);
  if (!(length > 0)) throw new DomainError('direction: expected a vector other than zero, got zeros');
  const v = u.map((x) => x / length);
  const step = stepper(options, 3);
  const { value, grad } = await step(() => model.gradient(data));
  const sharpness = inner(v, await step(() => model.hvp(data, asModelVector(model, v))));
  const after = await step(() => atParameters(model, moved(model, model.getParameters(), u), () => model.loss(data)));
  const slope = inner(grad, v);
  return {
    sharpness,
    slope,
    stepCurvature: ((after - value - slope * length) * 2) / (length * length),
    bestStep: sharpness > 0 ? Math.abs(slope) / sharpness : Number.POSITIVE_INFINITY,
  };
}

/**
 * Clips the largest coordinates of a gradient: u_i = sign(g_i)·min(|g_i|, τ), τ the (1 − share) quantile of |g|.
 *
 * @param gradient [d]; @param options `share` of the coordinates that are clipped, 0 to 1 (0.1)
 * @returns [d] in the precision given; `share` 0 leaves it as it is, 1 gives τ = the smallest |g_i|
 * @throws {DomainError} on NaN, or a share outside [0, 1]
 * @see Pan & Li 2023, arXiv:2306.00204, §5 (coordinate-wise clipping)
 */
export function coordinateClip<T extends FloatArray>(gradient: T, options: { share?: number } = {}): T {
  const { share = 0.1 } = asRecord('options', options);
  checkRange('share', share, 0, 1);
  checkFloats('gradient', gradient);
  checkFinite('gradient', gradient);
  if (gradient.length === 0) return gradient.slice() as T;
  const sizes = Float64Array.from(gradient, Math.abs).sort();
  const threshold = sizes[Math.max(0, Math.min(sizes.length - 1, sizes.length - 1 - Math.floor(share * sizes.length)))]!;
  return gradient.map((g) => Math.sign(g) * Math.min(Math.abs(g), threshold)) as T;
}

/** The clipped gradient; where so many coordinates are 0 that the quantile is 0 too, the share counts among the others. */
function clippedOf(gradient: Float64Array, share: number): Float64Array {
  const whole = coordinateClip(gradient, { share });
  if (whole.some((g) => g !== 0)) return whole;
  const rest = coordinateClip(
    gradient.filter((g) => g !== 0),
    { share },
  );
  let at = 0;
  return gradient.map((g) => (g === 0 ? 0 : rest[at++]!));
}

/**
 * The update directions of common optimizers from a history of gradients, newest last: unit vectors pointing downhill.
 *
 * @param gradients one or more mini-batch gradients [d], oldest first
 * @param options `beta1` (0.9) of momentum and Adam, `beta2` (0.999), `epsilon` (1e-8) of Adam, `share` clipped (0.1; of those other than 0 where most are 0)
 * @returns `sgd`, `momentum`, `adam` (bias-corrected), `sign`, `clipped`, each [d], f64
 * @throws {DomainError} on an empty history, a zero gradient or NaN
 * @see Kingma & Ba 2015, arXiv:1412.6980; Pan & Li 2023, arXiv:2306.00204
 */
export function updateDirections(
  gradients: readonly FloatArray[],
  options: { beta1?: number; beta2?: number; epsilon?: number; share?: number } = {},
): Record<'sgd' | 'momentum' | 'adam' | 'sign' | 'clipped', Float64Array> {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, share = 0.1 } = asRecord('options', options);
  checkArray('gradients', gradients);
  const newest = gradients[gradients.length - 1];
  if (!newest) throw new DomainError('gradients: expected at least one gradient, got none');
  const d = asFloats(`gradients[${gradients.length - 1}]`, newest).length;
  const first = new Float64Array(d);
  const second = new Float64Array(d);
  let carried1 = 1;
  let carried2 = 1;
  gradients.forEach((g, t) => {
    readVector(`gradients[${t}]`, g, d);
    checkFinite(`gradients[${t}]`, g);
    carried1 *= beta1;
    carried2 *= beta2;
    for (let i = 0; i < d; i++) {
      first[i] = beta1 * first[i]! + (1 - beta1) * g[i]!;
      second[i] = beta2 * second[i]! + (1 - beta2) * g[i]! * g[i]!;
    }
  });
  const unit = (v: Float64Array) => {
    const length = norm(v);
    if (!(length > 0)) throw new DomainError('gradients: expected a gradient other than zero, got zeros');
    return v.map((x) => -x / length);
  };
  const wide = Float64Array.from(newest);
  return {
    sgd: unit(wide),
    momentum: unit(first),
    adam: unit(first.map((m, i) => m / (1 - carried1) / (Math.sqrt(second[i]! / (1 - carried2)) + epsilon))),
    sign: unit(wide.map(Math.sign)),
    clipped: unit(clippedOf(wide, share)),
  };
}
