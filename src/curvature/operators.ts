import { asRecord, checkFinite, checkLength, checkNonNegative } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import type { Data, DifferentiableModel, LinearOperator } from '../core/model-types.js';
import type { TensorLike } from '../core/tensor.js';
import { asFloats, asTensor, describe, precisionOf } from '../core/tensor.js';
import { gemv } from '../kernels/gemv.js';
import { checkProduct } from '../linalg/operator.js';
import { Instance } from '../runtime/instance.js';

/** Throws unless `model` has what `needs` names. @throws {DomainError} */
export function checkModel(model: unknown, ...needs: (keyof DifferentiableModel)[]): asserts model is DifferentiableModel {
  const candidate = model as DifferentiableModel | null | undefined;
  const fits =
    candidate &&
    Number.isInteger(candidate.parameterCount) &&
    candidate.parameterCount >= 0 &&
    needs.every((name) => typeof candidate[name] === 'function');
  if (!fits) throw new DomainError(`model: expected a differentiable model with ${needs.join(', ')}, got ${describe(model)}`);
}

/**
 * The Hessian of the mean loss over `data` as a linear operator: exact products, at the parameters the model has at each product.
 *
 * @param model OnnxModel, DenseModel or any DifferentiableModel; d parameters
 * @param data a batch, a list, or a function that starts a pass over an async stream (called once per product)
 * @returns symmetric operator of size d, in general indefinite
 */
export function hessianOperator(model: DifferentiableModel, data: Data): LinearOperator {
  checkModel(model, 'hvp');
  return {
    size: model.parameterCount,
    precision: model.precision,
    async apply(v, out) {
      checkProduct(v, out, model.parameterCount);
      const product = await model.hvp(data, v);
      checkLength('hvp', product, out.length);
      out.set(product);
    },
  };
}

/**
 * The generalised Gauss–Newton matrix (1/n) Σ J_iᵀ Λ_i J_i as a linear operator, Λ_i the Hessian of a sample's loss in its logits:
 * diag(p) − ppᵀ for cross-entropy (then it equals the Fisher matrix), (2/k)·I for mse over k outputs.
 *
 * @param model any DifferentiableModel; @param data as for `hessianOperator`
 * @returns symmetric positive semidefinite operator of size d
 * @see Schraudolph 2002; Martens 2020, arXiv:1412.1193 §8
 */
export function ggnOperator(model: DifferentiableModel, data: Data): LinearOperator {
  checkModel(model, 'ggnvp');
  return {
    size: model.parameterCount,
    precision: model.precision,
    async apply(v, out) {
      checkProduct(v, out, model.parameterCount);
      const product = await model.ggnvp(data, v);
      checkLength('ggnvp', product, out.length);
      out.set(product);
    },
  };
}

/** The empirical Fisher matrix with the memory it holds. */
export interface FisherOperator extends LinearOperator {
  dispose(): void;
}

/**
 * The damped empirical Fisher matrix λI + (1/m) Σ g_i g_iᵀ of m gradients; λ is not divided by m.
 *
 * @param gradients [m, d], for example `perSampleGradients(batch)`; copied into WebAssembly memory, freed by `dispose()`
 * @param options `damping` λ (0)
 * @returns symmetric positive semidefinite operator of size d; `apply` is synchronous
 * @throws {ShapeError | DomainError} when it is not a matrix, or holds NaN or infinity
 */
export function fisherOperator(gradients: TensorLike, options: { damping?: number } = {}): FisherOperator {
  const { damping = 0 } = asRecord('options', options);
  checkNonNegative('damping', damping);
  const { data, shape } = asTensor('gradients', gradients);
  const [m = 0, d = 0] = shape;
  if (shape.length !== 2 || m === 0) throw new ShapeError(`gradients: expected shape [m, d] with m >= 1, got [${shape.join(', ')}]`);
  const numbers = asFloats('gradients', data);
  checkFinite('gradients', numbers);
  let instance: Instance | undefined = new Instance();
  const rows = instance.keep((arena) => arena.put(numbers));
  const precision = precisionOf(numbers);
  return {
    size: d,
    precision,
    apply(v, out) {
      if (!instance) throw new DomainError('fisher: expected an operator in use, got one after dispose()');
      checkProduct(v, out, d);
      instance.run((arena) => {
        const x = arena.putAs(precision, v);
        const products = arena.real(precision, m);
        gemv(m, d, rows, x, products);
        gemv(m, d, rows, products, x, { transA: true, alpha: 1 / m, beta: damping });
        out.set(arena.view(x));
      });
    },
    dispose() {
      instance = undefined;
    },
  };
}
