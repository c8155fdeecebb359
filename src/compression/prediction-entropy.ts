import { checkFinite } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import { asTensor, type FloatArray, floats, isFloatArray, precisionOf, type Tensor, type TensorLike } from '../core/tensor.js';
import { exp, log } from '../kernels/scalar.js';

/**
 * Mean entropy of predictions, a measure of doubt that needs no labels: H = −Σ_j p_j log p_j, p = softmax(z), ∂H/∂z_j = −p_j(log p_j + H).
 *
 * @param logits [n, k]
 * @returns `value` in nats; `grad` [n, k]
 * @throws {ShapeError | DomainError} unless logits are a non-empty matrix of finite numbers
 * @see Wang et al. 2021 (Tent), arXiv:2006.10726; for merging: Yang et al. 2024 (AdaMerging), arXiv:2310.02575
 */
export function predictionEntropy(logits: TensorLike): { value: number; grad: Tensor<FloatArray> } {
  const { data, shape } = asTensor('logits', logits);
  const [n = 0, k = 0] = shape;
  if (shape.length !== 2 || n === 0 || k === 0) throw new ShapeError(`logits: expected [n, k], got shape [${shape.join(', ')}]`);
  if (!isFloatArray(data)) throw new DomainError('logits: expected float32 or float64 numbers');
  checkFinite('logits', data);
  const grad = floats(precisionOf(data), data.length);
  const logp = new Float64Array(k);
  let value = 0;
  for (let i = 0; i < n; i++) {
    let top = -Infinity;
    for (let j = 0; j < k; j++) top = Math.max(top, data[i * k + j] as number);
    let sum = 0;
    for (let j = 0; j < k; j++) sum += exp((data[i * k + j] as number) - top);
    const shift = top + log(sum);
    let entropy = 0;
    for (let j = 0; j < k; j++) {
      logp[j] = (data[i * k + j] as number) - shift;
      entropy -= exp(logp[j] as number) * (logp[j] as number);
    }
    for (let j = 0; j < k; j++) grad[i * k + j] = (-exp(logp[j] as number) * ((logp[j] as number) + entropy)) / n;
    value += entropy / n;
  }
  return { value, grad: { data: grad, shape: [n, k] } };
}
