import { asRecord, checkFinite, checkInteger, checkLength, checkOneOf } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import { Random } from '../core/random.js';
import { asFloats, asTensor, isFloatArray, type NumberArray, type Tensor, type TensorLike } from '../core/tensor.js';
import { gemm } from '../kernels/gemm.js';
import { cos, exp, sin } from '../kernels/scalar.js';
import { withArena } from '../runtime/instance.js';

/** One draw ξ of frequencies (in radians) with the complex weight F(ξ)/p(ξ) of the function's Fourier transform. */
export interface Frequency {
  readonly frequency: number;
  readonly real: number;
  readonly imaginary?: number;
}

export interface UniversalRandomFeaturesOptions {
  /** Length of an input d, and number of features m. */
  readonly inputs: number;
  readonly features: number;
  /** f: by name (gaussian is e^(−u²/2)), or drawn frequencies of f(u) = E[Re(weight·e^(iξu))]. */
  readonly f: 'cos' | 'sin' | 'exp' | 'gaussian' | ((random: Random) => Frequency);
  readonly seed?: number;
}

export interface UniversalRandomFeatures {
  /** Φ(x): [n, d] → [n, m]. */
  inputs(x: TensorLike): Tensor<Float64Array>;
  /** Ψ(w, b): rows [k, d] and biases [k] → [k, m]. */
  weights(w: TensorLike, b: NumberArray): Tensor<Float64Array>;
}

/**
 * Features that take a layer apart: E[Φ(x)·Ψ(w, b)] = f(w·x + b), inputs on one side, weights on the other, error ~ 1/√m. With g ~ N(0, I)
 * e^(g·x − |x|²/2) and e^(z g·w − z²|w|²/2) have the expected product e^(z w·x) for every complex z; z = iξ under a frequency ξ of f, z = 1 for exp.
 * Variance grows as e^(|x|² + ξ²|w|²): scale inputs and weights to about unit length.
 *
 * @param options `inputs` (d), `features` (m), `f`, `seed` (0)
 * @returns `inputs(x)` and `weights(w, b)`
 * @throws {ShapeError | DomainError} when an option or a shape does not fit
 * @see Sehanobish et al. 2024 (SNNK), arXiv:2310.13225, §3.1; positive features: Choromanski et al. 2021, arXiv:2009.14794
 */
export function universalRandomFeatures(options: UniversalRandomFeaturesOptions): UniversalRandomFeatures {
  const { inputs: d, features: m, f, seed = 0 } = asRecord('options', options, '{ inputs, features, f }');
  checkInteger('inputs', d, 1);
  checkInteger('features', m, 1);
  if (typeof f !== 'function') checkOneOf('f', f, ['cos', 'sin', 'exp', 'gaussian']);
  const random = new Random(seed);
  const directions = random.fill(new Float64Array(m * d));
  const draws = Array.from({ length: m }, () => (f === 'exp' ? undefined : drawOf(f, random)));
  const scale = 1 / Math.sqrt(m);
  return {
    inputs: (x) => {
      const { rows, data, squares } = readRows('x', x, d);
      const out = projected(data, rows, directions, m, d);
      for (let k = 0; k < out.length; k++) out[k] = scale * exp((out[k] as number) - (squares[Math.floor(k / m)] as number) / 2);
      return { data: out, shape: [rows, m] };
    },
    weights: (w, b) => {
      const { rows, data, squares } = readRows('w', w, d);
      const shift = asFloats('b', b);
      checkLength('b', shift, rows);
      checkFinite('b', shift);
      const out = projected(data, rows, directions, m, d);
      for (let k = 0; k < out.length; k++) {
        const [row, at] = [Math.floor(k / m), out[k] as number];
        const draw = draws[k % m];
        const [size, offset] = [squares[row] as number, shift[row] as number];
        if (!draw) out[k] = scale * exp(at - size / 2 + offset);
        else {
          const { frequency, real, imaginary = 0 } = draw;
          const angle = frequency * (at + offset);
          out[k] = scale * exp((frequency * frequency * size) / 2) * (real * cos(angle) - imaginary * sin(angle));
        }
      }
      return { data: out, shape: [rows, m] };
    },
  };
}

function drawOf(f: 'cos' | 'sin' | 'gaussian' | ((random: Random) => Frequency), random: Random): Frequency {
  if (typeof f === 'function') return f(random);
  if (f === 'cos') return { frequency: 1, real: 1 };
  if (f === 'sin') return { frequency: 1, real: 0, imaginary: -1 }; // Re(−i e^(iu)) = sin u
  return { frequency: random.normal(), real: 1 };
}

function readRows(name: string, value: TensorLike, d: number): { rows: number; data: Float64Array; squares: Float64Array } {
  const { data, shape } = asTensor(name, value);
  const [rows = 0, cols = 0] = shape;
  if (shape.length !== 2 || cols !== d) throw new ShapeError(`${name}: expected rows [n, ${d}], got shape [${shape.join(', ')}]`);
  if (!isFloatArray(data)) throw new DomainError(`${name}: expected float32 or float64 numbers`);
  checkFinite(name, data);
  const squares = new Float64Array(rows);
  for (let k = 0; k < data.length; k++) {
    const r = Math.floor(k / d);
    squares[r] = (squares[r] as number) + (data[k] as number) * (data[k] as number);
  }
  return { rows, data: Float64Array.from(data), squares };
}

/** X·Gᵀ [rows, m]. */
function projected(x: Float64Array, rows: number, directions: Float64Array, m: number, d: number): Float64Array {
  return withArena((arena) => {
    const out = arena.alloc('f64', rows * m);
    gemm(rows, m, d, arena.put(x), arena.put(directions), out, { transB: true });
    return arena.take(out);
  });
}
