import { samplesOf, takeSamples } from '../core/batches.js';
import { asRecord, checkInteger, checkPositive } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import type { Batch, DifferentiableModel } from '../core/model-types.js';
import type { FloatArray } from '../core/tensor.js';
import { inner, norm } from '../linalg/operator.js';
import { atParameters, moved } from './at-parameters.js';
import { checkModel, hessianOperator } from './operators.js';
import { perSampleCurvature } from './sample-loss-difference.js';
import { sampleLosses } from './sample-losses.js';
import { topEigenvalues } from './top-eigenvalues.js';

/** One of the two groups of samples a step pulls apart. */
export interface SignalGroup {
  /** Samples, strongest change first. */
  readonly indices: Int32Array;
  /** ℓ_i(after) − ℓ_i(before) of each. */
  readonly changes: Float64Array;
  /** Gradient of the group's mean loss before the step [d]. */
  readonly gradient: FloatArray;
  /** vᵀH_i v along the top eigenvector v of the full Hessian, for each. */
  readonly curvature: Float64Array;
}

export interface OpposingSignals {
  /** The samples whose loss rose most, and those whose loss fell most. */
  readonly increased: SignalGroup;
  readonly decreased: SignalGroup;
  /** Cosine between the two groups' gradients: near −1 for opposing signals. */
  readonly cosine: number;
  /** ℓ_i(after) − ℓ_i(before) of every sample [n]. */
  readonly changes: Float64Array;
  /** λ_max of the full Hessian before the step, and its eigenvector. */
  readonly sharpness: number;
  readonly direction: FloatArray;
}

/**
 * Finds the groups of outliers with opposing signals: samples with large, nearly opposite gradients that one full-batch step pulls
 * apart. They carry the sharpest curvature and decide when training becomes unstable.
 *
 * @param model any DifferentiableModel; its parameters are put back; @param batch n samples, the full batch
 * @param options `size` samples per group (max(1, n/20)); `learningRate` of the gradient step that pulls them apart (2/λ_max, the
 *   largest stable one), or `after` parameters [d] of the next iterate
 * @returns `increased`, `decreased`, `cosine`, `changes`, `sharpness`, `direction`
 * @throws {ShapeError} when there are fewer than two samples per group
 * @see Rosenfeld & Risteski 2023, arXiv:2311.04163, §2
 */
export async function opposingSignals(
  model: DifferentiableModel,
  batch: Batch,
  options: { size?: number; learningRate?: number; after?: FloatArray } = {},
): Promise<OpposingSignals> {
  checkModel(model, 'gradient', 'hvp', 'predict', 'getParameters', 'setParameters');
  const n = samplesOf(batch);
  if (n < 2) throw new ShapeError(`batch: expected at least two samples, got ${n}`);
  const { size = Math.max(1, Math.floor(n / 20)) } = asRecord('options', options);
  checkInteger('size', size, 1, Math.floor(n / 2));
  if (options.learningRate !== undefined) checkPositive('learningRate', options.learningRate);
  const top = await topEigenvalues(hessianOperator(model, batch), { verify: false });
  const sharpness = top.values[0]!;
  const direction = top.vectors[0]!;
  const { grad } = await model.gradient(batch);
  const rate = options.learningRate ?? (sharpness > 0 ? 2 / sharpness : 1);
  const after = options.after ?? moved(model, model.getParameters(), grad, -rate);
  const before = await sampleLosses(model, batch);
  const later = await atParameters(model, after, () => sampleLosses(model, batch));
  const changes = later.map((loss, i) => loss - before[i]!);
  const order = Array.from(changes.keys()).sort((i, j) => changes[j]! - changes[i]! || i - j);
  const group = async (indices: number[]): Promise<SignalGroup> => {
    const rows = takeSamples(batch, indices);
    return {
      indices: Int32Array.from(indices),
      changes: Float64Array.from(indices, (i) => changes[i]!),
      gradient: (await model.gradient(rows)).grad,
      curvature: await perSampleCurvature(model, rows, direction),
    };
  };
  const increased = await group(order.slice(0, size));
  const decreased = await group(order.slice(-size).reverse());
  const lengths = norm(increased.gradient) * norm(decreased.gradient);
  return {
    increased,
    decreased,
    cosine: lengths > 0 ? inner(increased.gradient, decreased.gradient) / lengths : 0,
    changes,
    sharpness,
    direction,
  };
}
