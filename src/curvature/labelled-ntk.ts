import { takeSamples } from '../core/batches.js';
import { asRecord, checkLabels, checkLength } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import type { Batch, DifferentiableModel, Inputs, LongOptions } from '../core/model-types.js';
import { type Step, stepper } from '../core/stepper.js';
import type { FloatArray, Tensor, TensorLike } from '../core/tensor.js';
import { asFloats, floats } from '../core/tensor.js';
import { syrk } from '../kernels/syrk.js';
import { withArena } from '../runtime/instance.js';
import { checkModel } from './operators.js';
import { labelsOf } from './sample-losses.js';

/** What the kernel needs beyond a DifferentiableModel: products with the transposed Jacobian of the logits. */
interface WithVjp {
  perSampleVjp?(x: Inputs, seed: TensorLike): Promise<Tensor>;
  vjp?(x: Inputs, seed: TensorLike): Promise<FloatArray>;
}

/**
 * The labelled pseudo neural tangent kernel: how learning one sample moves the prediction on another, with signs for the true classes.
 *   K(i, j) = (1/K) s(y_i)ᵀ [J_i J_jᵀ] s(y_j),  s(y)_c = +1 at c = y, −1 elsewhere, J the Jacobian of the K logits
 * Positive: interchangeable samples, near 0: unrelated, negative: contradictory. It is the Gram matrix of f_i = J_iᵀs(y_i)/√K, so one
 * backward pass per sample is enough.
 * The factor 1/K was not read in the paper; it follows from what the paper proves, convergence to the empirical kernel for wide networks:
 * there J_i J_jᵀ → Θ(i, j)·I, so that K(i, j) → Θ(i, j)·s(y_i)ᵀs(y_j)/K, which is Θ(i, j) within a class, and Θ(i, j)(1 − 4/K) across two,
 * with this factor only. With s = 1 it is the kernel of the sum of logits (arXiv:2206.12543), scaled alike.
 * So compare samples of one class: there the sign is that of the first-order change of the loss. Between classes it is for two, and with
 * more than four it tends to be positive (digits: right for a third of the pairs).
 *
 * @param model a model with `vjp` or `perSampleVjp` (OnnxModel, DenseModel) and logits [n, K]; @param batch n samples with class labels
 * @returns `kernel` [n, n], `features` f [n, d]; a factor on the kernel (the released code leaves 1/K out) changes no ordering
 * @throws {DomainError} when the model has no vector-Jacobian products, or the labels are not classes
 * @see Guo et al. 2024, arXiv:2401.08808, §3 (lpNTK)
 */
export async function labelledNtk(
  model: DifferentiableModel,
  batch: Batch,
  options: LongOptions = {},
): Promise<{ kernel: Tensor<Float64Array>; features: Tensor<FloatArray> }> {
  checkModel(model, 'predict');
  const step = stepper(options);
  const { shape } = await model.predict(asRecord('batch', batch, '{ x, y }').x);
  if (shape.length !== 2) throw new ShapeError(`model: expected logits [n, k], got shape [${shape.join(', ')}]`);
  const [n = 0, k = 0] = shape;
  const labels = labelsOf(batch);
  if (!labels) throw new DomainError('y: expected class labels, got dense targets');
  checkLength('y', labels, n);
  checkLabels('y', labels, k);
  const d = model.parameterCount;
  const seed = floats(model.precision, n * k).fill(-1 / Math.sqrt(k));
  labels.forEach((label, i) => {
    seed[i * k + label] = 1 / Math.sqrt(k);
  });
  const features = await vjps(model, batch, { data: seed, shape: [n, k] }, n, k, d, step);
  const kernel = withArena((arena) => {
    const out = arena.zeros('f64', n * n);
    if (n > 0) syrk(n, d, arena.put(features), out);
    return arena.take(out);
  });
  return { kernel: { data: kernel, shape: [n, n] }, features: { data: features, shape: [n, d] } };
}

async function vjps(
  model: DifferentiableModel,
  batch: Batch,
  seed: Tensor<FloatArray>,
  n: number,
  k: number,
  d: number,
  step: Step,
): Promise<FloatArray> {
  const able = model as DifferentiableModel & WithVjp;
  if (typeof able.perSampleVjp === 'function') return asFloats('features', (await step(() => able.perSampleVjp!(batch.x, seed))).data);
  if (typeof able.vjp !== 'function') throw new DomainError('model: expected one with vjp or perSampleVjp, got a model with neither');
  const out = floats(model.precision, n * d);
  for (let i = 0; i < n; i++) {
    const row = { data: seed.data.subarray(i * k, (i + 1) * k), shape: [1, k] };
    const product = await step(() => able.vjp!(takeSamples(batch, [i]).x, row));
    checkLength('vjp', product, d);
    out.set(product, i * d);
  }
  return out;
}
