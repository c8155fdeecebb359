import { batchesOf } from '../core/batches.js';
import type { Batch, Data, DifferentiableModel, LongOptions } from '../core/model-types.js';
import { stepper } from '../core/stepper.js';
import { inner } from '../linalg/operator.js';
import { checkModel } from './operators.js';
import { meanAndError } from './probes.js';

/**
 * Batch sharpness: the mean over mini-batches of the curvature of a batch's own loss along its own gradient. SGD with batches of this
 * size is at the edge of stochastic stability when it reaches 2/learning rate.
 *   E_B[g_Bᵀ H_B g_B / ‖g_B‖²]
 *
 * @param model any DifferentiableModel; @param data two or more batches of the size used in training
 * @param options `signal`, `onProgress` (after every batch)
 * @returns `value`, its `standardError` over batches, `perBatch`; batches with a zero gradient are left out
 * @see Andreyev & Beneventano 2024, arXiv:2412.20553
 */
export async function batchSharpness(
  model: DifferentiableModel,
  data: Data,
  options: LongOptions = {},
): Promise<{ value: number; standardError: number; perBatch: Float64Array }> {
  checkModel(model, 'gradient', 'hvp');
  const found: number[] = [];
  const step = stepper(options);
  for await (const batch of batchesOf(data)) {
    const single: Batch = batch;
    await step(async () => {
      const { grad } = await model.gradient(single);
      const squares = inner(grad, grad);
      if (squares > 0) found.push(inner(grad, await model.hvp(single, grad)) / squares);
    });
  }
  const { mean, error } = meanAndError(found);
  return { value: mean, standardError: error, perBatch: Float64Array.from(found) };
}
