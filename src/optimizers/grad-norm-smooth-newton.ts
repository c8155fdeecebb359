// Newton's method with an approximate Hessian, damped by the gradient norm over an adaptive radius.

import { checkAborted } from '../core/batches.js';
import { checkInteger, checkOneOf, checkPositive } from '../core/check.js';
import type { Data, DifferentiableModel, LinearOperator, LongOptions } from '../core/model-types.js';
import { readLong } from '../core/stepper.js';
import { type FloatArray, floats } from '../core/tensor.js';
import { checkModel } from '../curvature/operators.js';
import { conjugateGradient } from '../linalg/conjugate-gradient.js';
import { inner, norm } from '../linalg/operator.js';

export interface GradNormSmoothNewtonOptions extends LongOptions {
  /** The curvature used: `'hessian'`, `'ggn'` (default) or a function of the model and data. */
  readonly approximation?: 'hessian' | 'ggn' | ((model: DifferentiableModel, data: Data) => LinearOperator);
  /** Accepted steps at most; 100. */
  readonly maxIterations?: number;
  /** Stops where ‖∇L‖₂ is below it; 1e-8 (f64) or 1e-5 (f32). */
  readonly tolerance?: number;
  /** First radius γ; 1. */
  readonly gamma?: number;
  /** Tries per step before giving up; 40. */
  readonly maxTries?: number;
}

/** Decreases below the rounding of the loss itself cannot be told from none. */
const rounding = 8 * Number.EPSILON;

export interface NewtonStep {
  readonly loss: number;
  readonly gradientNorm: number;
  /** Damping λ = ‖g‖/γ of the accepted step, and the tries it took. */
  readonly damping: number;
  readonly tries: number;
}

/**
 * Newton's method under gradient-normalized smoothness: universal damping, no constants to know.
 *   λ = ‖g‖/γ,  d = −(Ĥ + λI)⁻¹g by conjugate gradients;  accept when L(w) − L(w + d) ≥ ‖∇L(w + d)‖²/(8λ), then γ ← 2γ; else γ ← γ/2
 *
 * @param model any DifferentiableModel; it is left at the best parameters; @param data the loss is the mean over it (full batch)
 * @param options `approximation` ('ggn'), `maxIterations` (100), `tolerance` (1e-8 f64, 1e-5 f32), `gamma` (1), `maxTries` (40),
 *   `signal`, `onProgress`
 * @returns `history` of accepted steps, `loss`, `gradientNorm`, `converged`; a step that finds no decrease in `maxTries` ends the run
 * @throws {DomainError} on options out of range
 * @see Semenov, Jaggi & Doikov 2025, arXiv:2506.13710, Algorithm 1
 */
export async function gradNormSmoothNewton(
  model: DifferentiableModel,
  data: Data,
  options: GradNormSmoothNewtonOptions = {},
): Promise<{ history: NewtonStep[]; loss: number; gradientNorm: number; converged: boolean }> {
  const { approximation = 'ggn' } = readLong(options);
  if (typeof approximation !== 'function') checkOneOf('approximation', approximation, ['hessian', 'ggn']);
  const product = approximation === 'hessian' ? (['hvp'] as const) : approximation === 'ggn' ? (['ggnvp'] as const) : [];
  checkModel(model, 'getParameters', 'setParameters', 'gradient', ...product);
  const { maxIterations = 100, tolerance = model.precision === 'float32' ? 1e-5 : 1e-8 } = options;
  const { maxTries = 40, signal, onProgress } = options;
  checkInteger('maxIterations', maxIterations, 0);
  checkPositive('tolerance', tolerance);
  checkInteger('maxTries', maxTries, 1);
  let { gamma = 1 } = options;
  checkPositive('gamma', gamma);
  const curvature = typeof approximation === 'function' ? approximation(model, data) : operatorOf(model, data, approximation);
  const history: NewtonStep[] = [];
  let w = model.getParameters();
  let { value, grad } = await model.gradient(data);
  let length = norm(grad);
  for (let iteration = 0; iteration < maxIterations && length > tolerance; iteration++) {
    let accepted = false;
    for (let tries = 1; tries <= maxTries && !accepted; tries++) {
      checkAborted(signal);
      const damping = length / gamma;
      const { x, negativeCurvature } = await conjugateGradient(
        curvature,
        Float64Array.from(grad, (g) => -g),
        { damping, tolerance: model.precision === 'float32' ? 1e-5 : 1e-12, ...(signal && { signal }) },
      );
      const next = floats(model.precision, w.length) as FloatArray;
      for (let i = 0; i < w.length; i++) next[i] = w[i]! + x[i]!;
      const moved = !negativeCurvature && next.every(Number.isFinite);
      if (moved) model.setParameters(next);
      const there = moved ? await model.gradient(data) : undefined;
      const squares = there ? inner(there.grad, there.grad) : 0;
      if (there && Number.isFinite(there.value) && value - there.value >= squares / (8 * damping) - rounding * Math.abs(value)) {
        accepted = true;
        w = next;
        ({ value, grad } = there);
        length = Math.sqrt(squares);
        gamma *= 2;
        history.push({ loss: value, gradientNorm: length, damping, tries });
      } else {
        model.setParameters(w);
        gamma /= 2;
      }
    }
    onProgress?.({ done: iteration + 1, total: maxIterations, phase: 'newton' });
    if (!accepted) break;
  }
  return { history, loss: value, gradientNorm: length, converged: length <= tolerance };
}

function operatorOf(model: DifferentiableModel, data: Data, approximation: 'hessian' | 'ggn'): LinearOperator {
  return {
    size: model.parameterCount,
    precision: model.precision,
    async apply(v, out) {
      out.set(approximation === 'hessian' ? await model.hvp(data, v) : await model.ggnvp(data, v));
    },
  };
}
