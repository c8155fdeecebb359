import { checkInteger, checkPositive } from '../core/check.js';
import type { Data, DifferentiableModel, LongOptions } from '../core/model-types.js';
import { readLong, stepper } from '../core/stepper.js';
import type { FloatArray } from '../core/tensor.js';
import { norm } from '../linalg/operator.js';
import { asModelVector, atParameters, moved } from './at-parameters.js';
import { checkModel } from './operators.js';

export interface Sharpness {
  /** L(w + ε) − L(w). */
  readonly sharpness: number;
  /** L(w). */
  readonly loss: number;
  /** L(w + ε). */
  readonly perturbedLoss: number;
  /** ε [d]. */
  readonly perturbation: FloatArray;
  /** ∇L at w + ε [d]: the gradient that sharpness-aware minimisation descends along. */
  readonly gradient: FloatArray;
}

/**
 * SAM sharpness: how much the loss rises at the worst point of a ball, to first order.
 *   S = L(w + ε) − L(w),  ε = ρ g/‖g‖₂ over all parameters, g = ∇L(w)
 * With `steps` > 1 the maximum over the ball ‖ε‖₂ ≤ ρ is searched by projected gradient ascent and the best point met is kept.
 *
 * @param model any DifferentiableModel; its parameters are put back; @param data the loss is the mean over it
 * @param options `rho` radius (0.05), `steps` gradients of ascent (1), `signal`, `onProgress`
 * @returns `sharpness`, `loss`, `perturbedLoss`, `perturbation` ε, `gradient` at w + ε; a zero gradient gives ε = 0 and sharpness 0
 * @throws {DomainError} when rho is not > 0
 * @see Foret et al. 2021, arXiv:2010.01412, §2
 */
export async function samSharpness(
  model: DifferentiableModel,
  data: Data,
  options: LongOptions & { rho?: number; steps?: number } = {},
): Promise<Sharpness> {
  checkModel(model, 'gradient', 'getParameters', 'setParameters');
  const { rho = 0.05, steps = 1 } = readLong(options);
  checkPositive('rho', rho);
  checkInteger('steps', steps, 1);
  const step = stepper(options, steps + 1);
  const { value, grad } = await step(() => model.gradient(data));
  let best = await step(() => ascend(model, data, value, onSphere(grad, rho)));
  let epsilon = best.perturbation;
  let slope = best.gradient;
  for (let i = 1; i < steps; i++) {
    // The next point goes half a radius up the slope and back onto the ball.
    const unit = onSphere(slope, rho / 2);
    const next = unit.map((x, k) => x + epsilon[k]!);
    const length = norm(next);
    const found = await step(() => ascend(model, data, value, length > rho ? next.map((x) => (x * rho) / length) : next));
    epsilon = found.perturbation;
    slope = found.gradient;
    if (found.sharpness > best.sharpness) best = found;
  }
  return best;
}

/** ρ g/‖g‖₂, or zeros for a zero gradient. */
export function onSphere(g: ArrayLike<number>, rho: number): Float64Array {
  const length = norm(g);
  return Float64Array.from(g, (x) => (length > 0 ? (x * rho) / length : 0));
}

/** The rise of the loss at w + ε, and the gradient there. */
export async function ascend(model: DifferentiableModel, data: Data, loss: number, epsilon: Float64Array): Promise<Sharpness> {
  const w = model.getParameters();
  const { value, grad } = await atParameters(model, moved(model, w, epsilon), () => model.gradient(data));
  return {
    sharpness: value - loss,
    loss,
    perturbedLoss: value,
    perturbation: asModelVector(model, epsilon),
    gradient: grad,
  };
}
