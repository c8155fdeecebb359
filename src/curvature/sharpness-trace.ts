import { checkAborted } from '../core/batches.js';
import { checkInteger, checkPositive } from '../core/check.js';
import type { Data, DifferentiableModel, LongOptions } from '../core/model-types.js';
import { readLong } from '../core/stepper.js';
import type { FloatArray } from '../core/tensor.js';
import { norm } from '../linalg/operator.js';
import { asModelVector, moved } from './at-parameters.js';
import { checkModel, hessianOperator } from './operators.js';
import { topEigenvalues } from './top-eigenvalues.js';
import { trace } from './trace.js';

export interface SharpnessTraceOptions extends LongOptions {
  readonly learningRate: number;
  /** Full-batch steps of gradient descent; 100. */
  readonly steps?: number;
  /** Measure every so many steps; 1. */
  readonly every?: number;
  /** Hutchinson probes for the trace at each measurement; 0: not measured. */
  readonly traceProbes?: number;
  readonly seed?: number;
}

/** One measurement. */
export interface SharpnessPoint {
  readonly step: number;
  readonly loss: number;
  readonly gradientNorm: number;
  /** λ_max of the Hessian. */
  readonly sharpness: number;
  /** tr(H), NaN when not measured. */
  readonly trace: number;
}

/**
 * Runs full-batch gradient descent from the model's parameters and measures the sharpness on the way: progressive sharpening shows as
 * λ_max rising to 2/learning rate, the edge of stability as λ_max hovering there while the loss goes up and down.
 *
 * @param model any DifferentiableModel; its parameters are put back, the last ones are returned; @param data full batch
 * @param options `learningRate`, `steps` (100), `every` (1), `traceProbes` (0), `seed` (0), `signal`, `onProgress`
 * @returns `history`, `limit` = 2/learning rate, `parameters` after the last step [d]; stops early when the loss is not finite
 * @throws {DomainError} on a learning rate that is not > 0
 * @see Cohen et al. 2021, arXiv:2103.00065; Rosenfeld & Risteski 2023, arXiv:2311.04163; trace as flatness: Liu et al. 2022, arXiv:2210.14199
 */
export async function sharpnessTrace(
  model: DifferentiableModel,
  data: Data,
  options: SharpnessTraceOptions,
): Promise<{ history: SharpnessPoint[]; limit: number; parameters: FloatArray }> {
  checkModel(model, 'gradient', 'hvp', 'getParameters', 'setParameters');
  const { learningRate, steps = 100, every = 1, traceProbes = 0, seed = 0, signal, onProgress } = readLong(options, '{ learningRate }');
  checkPositive('learningRate', learningRate);
  checkInteger('steps', steps, 0);
  checkInteger('every', every, 1);
  checkInteger('traceProbes', traceProbes, 0);
  const original = model.getParameters();
  const history: SharpnessPoint[] = [];
  let w = original;
  let start: FloatArray | undefined;
  try {
    for (let step = 0; step <= steps; step++) {
      checkAborted(signal);
      const { value, grad } = await model.gradient(data);
      if (!Number.isFinite(value) || !grad.every(Number.isFinite)) break;
      if (step % every === 0) {
        const op = hessianOperator(model, data);
        const top = await topEigenvalues(op, { verify: false, tolerance: 1e-4, seed, ...(start && { start }) });
        start = top.vectors[0]!;
        const flatness = traceProbes > 0 ? (await trace(op, { probes: traceProbes, seed })).estimate : Number.NaN;
        history.push({ step, loss: value, gradientNorm: norm(grad), sharpness: top.values[0]!, trace: flatness });
      }
      onProgress?.({ done: step, total: steps, phase: 'gradient descent' });
      if (step === steps) break;
      const next = moved(model, w, grad, -learningRate);
      if (!next.every(Number.isFinite)) break;
      w = next;
      model.setParameters(w);
    }
    return { history, limit: 2 / learningRate, parameters: asModelVector(model, w) };
  } finally {
    model.setParameters(original);
  }
}
