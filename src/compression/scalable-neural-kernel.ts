import { asRecord, checkFinite, checkInteger } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import { Random } from '../core/random.js';
import { asTensor, isFloatArray, type Tensor, type TensorLike } from '../core/tensor.js';
import { gemm } from '../kernels/gemm.js';
import { acos } from '../kernels/scalar.js';
import { withArena } from '../runtime/instance.js';

export interface ScalableNeuralKernelOptions {
  /** Length of an input d, and number of features m: a layer of k outputs has k·m weights in place of k·(d + 1). */
  readonly inputs: number;
  readonly features: number;
  readonly seed?: number;
}

/**
 * Features of the ReLU layer's kernel: Φ(x) = relu(Gx)/√m with rows of G drawn from N(0, I), E[Φ(x)·Φ(w)] = |x||w|(sin θ + (π − θ)cos θ)/(2π).
 * A layer on them is Φ(x)Ψᵀ with free Ψ [k, m]; a whole network becomes linear in Φ (`bundledRidgeHead`). G is never stored: it follows from the seed.
 *
 * @param options `inputs` (d), `features` (m), `seed` (0)
 * @returns `features(x)`: [n, d] → [n, m] in f64; `kernel(x, w)`: its closed form for rows [n, d] and [k, d] → [n, k]
 * @throws {ShapeError | DomainError} when an option or a shape does not fit
 * @see Sehanobish et al. 2024 (SNNK), arXiv:2310.13225, §3.2; Cho & Saul 2009 (arc-cosine kernel of order 1)
 */
export function scalableNeuralKernel(options: ScalableNeuralKernelOptions): {
  features: (x: TensorLike) => Tensor<Float64Array>;
  kernel: (x: TensorLike, w: TensorLike) => Tensor<Float64Array>;
} {
  const { inputs: d, features: m, seed = 0 } = asRecord('options', options, '{ inputs, features }');
  checkInteger('inputs', d, 1);
  checkInteger('features', m, 1);
  const directions = new Random(seed).fill(new Float64Array(m * d));
  return {
    features: (x) => {
      const { rows, data } = readRows('x', x, d);
      const out = product(data, rows, directions, m, d);
      const scale = 1 / Math.sqrt(m);
      for (let k = 0; k < out.length; k++) out[k] = scale * Math.max(0, out[k] as number);
      return { data: out, shape: [rows, m] };
    },
    kernel: (x, w) => {
      const [a, b] = [readRows('x', x, d), readRows('w', w, d)];
      const out = product(a.data, a.rows, b.data, b.rows, d);
      const [na, nb] = [norms(a.data, d), norms(b.data, d)];
      for (let k = 0; k < out.length; k++) {
        const size = (na[Math.floor(k / b.rows)] as number) * (nb[k % b.rows] as number);
        const c = size > 0 ? Math.min(1, Math.max(-1, (out[k] as number) / size)) : 0;
        out[k] = (size * (Math.sqrt(1 - c * c) + (Math.PI - acos(c)) * c)) / (2 * Math.PI);
      }
      return { data: out, shape: [a.rows, b.rows] };
    },
  };
}

function norms(data: Float64Array, d: number): Float64Array {
  const out = new Float64Array(data.length / d);
  for (let k = 0; k < data.length; k++)
    out[Math.floor(k / d)] = (out[Math.floor(k / d)] as number) + (data[k] as number) * (data[k] as number);
  return out.map(Math.sqrt);
}

function readRows(name: string, value: TensorLike, d: number): { rows: number; data: Float64Array } {
  const { data, shape } = asTensor(name, value);
  if (shape.length !== 2 || shape[1] !== d) throw new ShapeError(`${name}: expected rows [n, ${d}], got shape [${shape.join(', ')}]`);
  if (!isFloatArray(data)) throw new DomainError(`${name}: expected float32 or float64 numbers`);
  checkFinite(name, data);
  return { rows: shape[0] as number, data: Float64Array.from(data) };
}

/** A·Bᵀ. */
function product(a: Float64Array, rows: number, b: Float64Array, cols: number, d: number): Float64Array {
  return withArena((arena) => {
    const out = arena.alloc('f64', rows * cols);
    gemm(rows, cols, d, arena.put(a), arena.put(b), out, { transB: true });
    return arena.take(out);
  });
}
