import { checkAborted } from '../core/batches.js';
import { checkFinite, checkInteger, checkNotEmpty, checkPositive } from '../core/check.js';
import type { Data, DifferentiableModel, LongOptions } from '../core/model-types.js';
import { readLong } from '../core/stepper.js';
import type { FloatArray, NumberArray } from '../core/tensor.js';
import { asFloats } from '../core/tensor.js';
import { norm } from '../linalg/operator.js';
import { asModelVector } from './at-parameters.js';
import { checkModel, hessianOperator } from './operators.js';
import { topEigenvalues } from './top-eigenvalues.js';

export interface GradientFlowOptions extends LongOptions {
  /** The flow stops where ‖∇L‖₂ is below it; 1e-5. */
  readonly gradientTolerance?: number;
  /** Local error of a step, relative to max(1, ‖w‖); 1e-5. */
  readonly tolerance?: number;
  /** Steps at most, three gradients each; 2000. */
  readonly maxSteps?: number;
}

export interface GradientFlow {
  /** Where the flow arrived [d]. */
  readonly parameters: FloatArray;
  readonly loss: number;
  readonly gradientNorm: number;
  /** Time integrated. */
  readonly time: number;
  /** Accepted steps. */
  readonly steps: number;
  readonly converged: boolean;
}

/**
 * Follows gradient flow dw/dt = −∇L(w) from the model's parameters to (near) its limit, by the adaptive Bogacki–Shampine pair of
 * order 3(2). A stationary point of the loss is not moved. The model's parameters are put back.
 *
 * @param model any DifferentiableModel; @param data the loss is the mean over it
 * @param options `gradientTolerance` (1e-5), `tolerance` per step (1e-5), `maxSteps` (2000), `signal`, `onProgress`
 * @returns `parameters`, `loss`, `gradientNorm`, `time`, `steps`, `converged`
 * @see Bogacki & Shampine 1989; Hairer, Nørsett & Wanner, Solving Ordinary Differential Equations I, §II.4
 */
export async function gradientFlow(model: DifferentiableModel, data: Data, options: GradientFlowOptions = {}): Promise<GradientFlow> {
  checkModel(model, 'gradient', 'getParameters', 'setParameters');
  const { gradientTolerance = 1e-5, tolerance = 1e-5, maxSteps = 2000, signal, onProgress } = readLong(options);
  checkPositive('gradientTolerance', gradientTolerance);
  checkPositive('tolerance', tolerance);
  checkInteger('maxSteps', maxSteps, 1);
  const original = model.getParameters();
  const slope = async (w: Float64Array) => {
    model.setParameters(asModelVector(model, w));
    const { value, grad } = await model.gradient(data);
    return { value, velocity: Float64Array.from(grad, (x) => -x) };
  };
  try {
    let w = Float64Array.from(original);
    let { value, velocity: k1 } = await slope(w);
    let time = 0;
    let steps = 0;
    let h = 0.1 / Math.max(1, norm(k1));
    for (let attempt = 0; attempt < maxSteps && norm(k1) > gradientTolerance; attempt++) {
      checkAborted(signal);
      const { velocity: k2 } = await slope(w.map((x, i) => x + 0.5 * h * k1[i]!));
      const { velocity: k3 } = await slope(w.map((x, i) => x + 0.75 * h * k2[i]!));
      const next = w.map((x, i) => x + (h / 9) * (2 * k1[i]! + 3 * k2[i]! + 4 * k3[i]!));
      const { value: reached, velocity: k4 } = await slope(next);
      const gap = k1.map((k, i) => (h / 72) * (-5 * k + 6 * k2[i]! + 8 * k3[i]! - 9 * k4[i]!));
      const error = norm(gap) / (tolerance * Math.max(1, norm(w)));
      if (error <= 1) {
        w = next;
        k1 = k4;
        value = reached;
        time += h;
        steps++;
        onProgress?.({ done: attempt + 1, total: maxSteps, phase: 'gradient flow' });
      }
      // cube root by Newton's method on exact operations: engines differ in Math.cbrt
      h *= Math.max(0.2, Math.min(3, 0.9 / cubeRoot(Math.max(error, 1e-6))));
    }
    const gradientNorm = norm(k1);
    return { parameters: asModelVector(model, w), loss: value, gradientNorm, time, steps, converged: gradientNorm <= gradientTolerance };
  } finally {
    model.setParameters(original);
  }
}

function cubeRoot(x: number): number {
  let r = x > 1 ? x / 3 : 1;
  for (let i = 0; i < 60; i++) {
    const next = (2 * r + x / (r * r)) / 3;
    if (Math.abs(next - r) <= 1e-12 * r) return next;
    r = next;
  }
  return r;
}

/**
 * Gradient-flow-solution sharpness: the largest Hessian eigenvalue at the point gradient flow would reach from here. Gradient descent
 * never increases it for scalar networks, and ends at the edge of stability when it crosses 2/learning rate.
 *   φ(w) = λ_max(∇²L(S_GF(w)))
 *
 * @param model any DifferentiableModel; its parameters are put back; @param data the loss is the mean over it
 * @param options as for `gradientFlow`
 * @returns `sharpness`, and the flow's end as `gradientFlow` gives it; `converged` when both the flow and the eigenvalue did
 * @see Kreisler et al. 2023, arXiv:2305.13064; closed form for scalar networks: `scalarFlowSharpness`
 */
export async function gradientFlowSharpness(
  model: DifferentiableModel,
  data: Data,
  options: GradientFlowOptions = {},
): Promise<GradientFlow & { sharpness: number }> {
  const flow = await gradientFlow(model, data, options);
  const original = model.getParameters();
  model.setParameters(flow.parameters);
  try {
    const top = await topEigenvalues(hessianOperator(model, data), {
      k: 1,
      verify: false,
      ...(options.signal && { signal: options.signal }),
    });
    return { ...flow, sharpness: top.values[0]!, converged: flow.converged && top.converged };
  } finally {
    model.setParameters(original);
  }
}

/**
 * The same for a scalar network L(w) = ½(Π w_i − 1)², in closed form: the flow keeps every w_i² − w_j², so its limit is
 * sign(w_i)·√(w_i² + s) with the one s that makes the product 1, and the sharpness there is Σ 1/(w_i² + s).
 *
 * @param weights [depth], all other than zero, with a positive product (flow then reaches a global minimum)
 * @returns `sharpness`, `solution` [depth]
 * @throws {DomainError} when the product is not positive, or on NaN
 * @see Kreisler et al. 2023, arXiv:2305.13064, §3
 */
export function scalarFlowSharpness(weights: NumberArray): { sharpness: number; solution: Float64Array } {
  const w = Float64Array.from(asFloats('weights', weights));
  checkNotEmpty('weights', w);
  checkFinite('weights', w);
  checkPositive(
    'product of weights',
    w.reduce((product, x) => product * x, 1),
  );
  const squares = w.map((x) => x * x);
  // Π(w_i² + s) = 1 grows with s from 0 at s = −min w_i²: bisection to the last bit.
  const product = (s: number) => squares.reduce((p, x) => p * (x + s), 1);
  let low = -squares.reduce((a, b) => Math.min(a, b), Infinity);
  let high = 1;
  while (product(high) < 1) high *= 2;
  for (let i = 0; i < 2000; i++) {
    const middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    if (product(middle) < 1) low = middle;
    else high = middle;
  }
  const solution = w.map((x, i) => Math.sign(x) * Math.sqrt(squares[i]! + high));
  return { sharpness: solution.reduce((sum, x) => sum + 1 / (x * x), 0), solution };
}
