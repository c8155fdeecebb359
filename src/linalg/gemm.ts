import { asRecord, checkFinite, checkFiniteNumber } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import type { FloatArray, Tensor, TensorLike } from '../core/tensor.js';
import { asFloats, asTensor, precisionOf } from '../core/tensor.js';
import { gemm as multiply } from '../kernels/gemm.js';
import { withArena } from '../runtime/instance.js';

/**
 * Matrix product C = alpha·op(A)·op(B), packed and register-blocked in WebAssembly.
 *
 * @param a [m, k], or [k, m] with `transA`; @param b [k, n], or [n, k] with `transB`; read in the precision of `a`
 * @param options `alpha` (1), `transA`, `transB` (false)
 * @returns [m, n] in the precision of `a`
 * @throws {ShapeError} when the inner extents differ; {DomainError} on NaN or infinity
 */
export function gemm(
  a: TensorLike,
  b: TensorLike,
  options: { alpha?: number; transA?: boolean; transB?: boolean } = {},
): Tensor<FloatArray> {
  const { alpha = 1, transA = false, transB = false } = asRecord('options', options);
  checkFiniteNumber('alpha', alpha);
  return product(readFactors(a, b, options), { alpha, transA, transB });
}

/** Both factors of a product with its extents. */
export interface Factors {
  readonly left: FloatArray;
  readonly right: FloatArray;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** The product of factors that were read. */
export function product(
  { left, right, m, n, k }: Factors,
  options: { alpha: number; transA: boolean; transB: boolean },
): Tensor<FloatArray> {
  const precision = precisionOf(left);
  return withArena((arena) => {
    const c = arena.real(precision, m * n);
    multiply(m, n, k, arena.put(left), arena.putAs(precision, right), c, options);
    return { data: arena.take(c), shape: [m, n] };
  });
}

/** Both factors of op(A)·op(B) with the extents of the product. @throws {ShapeError | DomainError} */
export function readFactors(
  a: TensorLike,
  b: TensorLike,
  { transA = false, transB = false }: { transA?: boolean; transB?: boolean },
): Factors {
  const [left, rows, cols] = matrix('a', a);
  const [right, bRows, bCols] = matrix('b', b);
  const [m, k] = transA ? [cols, rows] : [rows, cols];
  const [inner, n] = transB ? [bCols, bRows] : [bRows, bCols];
  if (inner !== k) throw new ShapeError(`b: expected ${k} along the summed axis, got ${inner}`);
  return { left, right, m, n, k };
}

function matrix(name: string, value: TensorLike): [FloatArray, number, number] {
  const { data, shape } = asTensor(name, value);
  if (shape.length !== 2) throw new ShapeError(`${name}: expected a matrix with 2 axes, got shape [${shape.join(', ')}]`);
  const numbers = asFloats(name, data);
  checkFinite(name, numbers);
  return [numbers, shape[0]!, shape[1]!];
}
