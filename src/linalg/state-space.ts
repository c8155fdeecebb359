// Linear state-space models x' = A x + B u, y = C x: the HiPPO matrix, its approximate diagonalisation, and diagonal systems.
import { asRecord, checkArray, checkFinite, checkInteger, checkLength, checkPositive } from '../core/check.js';
import { Random } from '../core/random.js';
import { asFloats, type NumberArray, type Tensor, type TensorLike } from '../core/tensor.js';
import { cos, exp, sin } from '../kernels/scalar.js';
import { type Complex, type ComplexTensor, complexZeros, condition, divide, inverse, multiply } from './complex.js';
import { eig } from './eig.js';
import { readMatrix } from './matrix.js';
import { svd } from './svd.js';

/**
 * The HiPPO-LegS system, which remembers its input in Legendre polynomials:
 *   A[i, k] = −√((2i + 1)(2k + 1)) below the diagonal, −(i + 1) on it, 0 above;  B[i] = √(2i + 1)
 *
 * @param n states
 * @returns `a` [n, n], `b` [n]
 * @throws {DomainError} when n is not an integer >= 1
 * @see Gu et al. 2020, arXiv:2008.07669, theorem 2
 */
export function hippoLegs(n: number): { a: Tensor<Float64Array>; b: Float64Array } {
  checkInteger('n', n, 1);
  const b = Float64Array.from({ length: n }, (_, i) => Math.sqrt(2 * i + 1));
  const data = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let k = 0; k <= i; k++) data[i * n + k] = k === i ? -(i + 1) : -b[i]! * b[k]!;
  return { a: { data, shape: [n, n] }, b };
}

export interface PerturbedEigen {
  /** Eigenvalues of A + E [n]. */
  readonly values: Complex;
  /** V and V⁻¹ [n, n], A + E = V diag(values) V⁻¹. */
  readonly vectors: ComplexTensor;
  readonly inverse: ComplexTensor;
  /** E [n, n], ‖E‖₂ = epsilon. */
  readonly perturbation: Tensor<Float64Array>;
  /** κ₂(V). */
  readonly condition: number;
  /** The diagonal system (Λ, V⁻¹b, cV) of (A + E, b, c), b and c [n]. */
  system(b: NumberArray, c: NumberArray): DiagonalSystem;
}

/**
 * Perturb-then-diagonalize (PTD): A + E = V Λ V⁻¹ with a random E of norm epsilon, where A itself has no well-conditioned eigenvectors.
 * κ(V) is of the order ‖A‖/ε in place of exponential, and the system (Λ, V⁻¹B, CV) has the transfer function of (A, B, C) up to O(ε).
 *
 * @param a matrix [n, n]
 * @param options `epsilon` ‖E‖₂ (0.1), in units of A; `draws` of E, of which the best conditioned is taken (1); `seed` (0)
 * @returns `values`, `vectors`, `inverse`, `perturbation`, `condition`, `system(b, c)`: what `diagonalSsm` takes
 * @throws {ShapeError} when a is not square; {DomainError} on NaN, or options out of range
 * @see Yu, Nigmetov, Morozov, Mahoney & Erichson 2024, arXiv:2310.01698, §3; Banks et al. 2021, arXiv:1906.11819 (κ of perturbed matrices)
 */
export function perturbThenDiagonalize(a: TensorLike, options: { epsilon?: number; draws?: number; seed?: number } = {}): PerturbedEigen {
  const { epsilon = 0.1, draws = 1, seed = 0 } = asRecord('options', options);
  const { data, rows: n } = readMatrix('a', a);
  checkPositive('epsilon', epsilon);
  checkInteger('draws', draws, 1);
  const random = new Random(seed);
  let best: PerturbedEigen | undefined;
  for (let draw = 0; draw < draws; draw++) {
    const E = random.fill(new Float64Array(data.length));
    const length = n > 0 ? svd({ data: E, shape: [n, n] }).s[0]! : 1;
    for (let i = 0; i < E.length; i++) E[i] = (epsilon / length) * E[i]!;
    const { values, vectors } = eig({ data: data.map((x, i) => x + E[i]!), shape: [n, data.length / Math.max(1, n)] });
    const found = condition(vectors, n);
    if (best && found >= best.condition) continue;
    const shape = [n, n];
    const back = inverse(vectors, n);
    const system = (b: NumberArray, c: NumberArray): DiagonalSystem => ({
      values,
      b: multiply(back, column('b', b, n), n, n, 1),
      c: multiply(column('c', c, n), vectors, 1, n, n),
    });
    best = { values, vectors, inverse: { ...back, shape }, perturbation: { data: E, shape }, condition: found, system };
  }
  return best!;
}

/** Real numbers [n] as complex ones. */
function column(name: string, given: NumberArray, n: number): Complex {
  const re = Float64Array.from(asFloats(name, given));
  checkLength(name, re, n);
  checkFinite(name, re);
  return { re, im: new Float64Array(n) };
}

/** A diagonal system: Λ [n], V⁻¹B [n], CV [n]. */
export interface DiagonalSystem {
  readonly values: Complex;
  readonly b: Complex;
  readonly c: Complex;
}

/**
 * A diagonal state-space model x' = Λ x + B u, y = Re(C x): its impulse response, transfer function, convolution kernel and recurrence.
 * Discretised by zero-order hold: Λ̄ = exp(ΔΛ), B̄ = (Λ̄ − 1)/Λ·B (ΔB where Λ = 0).
 *
 * @param system `values`, `b`, `c`: complex [n] each, for example (Λ, V⁻¹B, CV) of `perturbThenDiagonalize`
 * @param options `step` Δ in units of time (1)
 * @returns `impulse(t)` Re(C exp(Λt) B) at each time, `transfer(omega)` C (iω − Λ)⁻¹ B, `kernel(length)` Re(C Λ̄^l B̄), `run(u)` the recurrence on
 *   an input [length] from the zero state (equal to the convolution with the kernel)
 * @throws {ShapeError} when lengths differ; {DomainError} on NaN, or a step that is not > 0
 * @see Gu et al. 2022, arXiv:2206.11893 (S4D), §3; Smith, Warrington & Linderman 2023, arXiv:2208.04933 (S5)
 */
export function diagonalSsm(
  system: DiagonalSystem,
  options: { step?: number } = {},
): {
  impulse(times: NumberArray): Float64Array;
  transfer(omega: NumberArray): Complex;
  kernel(length: number): Float64Array;
  run(u: NumberArray): Float64Array;
} {
  const { values, b, c } = asRecord('system', system, '{ values, b, c }');
  const { step = 1 } = asRecord('options', options);
  const n = asRecord('values', values, '{ re, im }').re?.length;
  for (const [name, pair] of Object.entries({ values, b, c })) {
    const { re, im } = asRecord(name, pair, '{ re, im }');
    for (const part of [re, im]) {
      checkArray(name, part);
      checkLength(name, part, n);
      checkFinite(name, part);
    }
  }
  checkPositive('step', step);
  // C and B meet only in their products.
  const weight = complexZeros(n);
  const held = complexZeros(n);
  const factor = powers(values, step);
  for (let i = 0; i < n; i++) {
    const [re, im] = [values.re[i]!, values.im[i]!];
    weight.re[i] = c.re[i]! * b.re[i]! - c.im[i]! * b.im[i]!;
    weight.im[i] = c.re[i]! * b.im[i]! + c.im[i]! * b.re[i]!;
    const [p, q] = re === 0 && im === 0 ? [step, 0] : divide(factor.re[i]! - 1, factor.im[i]!, re, im);
    held.re[i] = p * weight.re[i]! - q * weight.im[i]!;
    held.im[i] = p * weight.im[i]! + q * weight.re[i]!;
  }
  const run = (u: NumberArray) => {
    const input = asFloats('u', u);
    checkFinite('u', input);
    const [x, y] = [new Float64Array(n), new Float64Array(n)];
    return Float64Array.from(input, (value) => {
      let out = 0;
      for (let i = 0; i < n; i++) {
        const re = factor.re[i]! * x[i]! - factor.im[i]! * y[i]! + value * held.re[i]!;
        y[i] = factor.re[i]! * y[i]! + factor.im[i]! * x[i]! + value * held.im[i]!;
        x[i] = re;
        out += re;
      }
      return out;
    });
  };
  return {
    impulse: (times) =>
      Float64Array.from(asFloats('times', times), (t) => {
        const { re, im } = powers(values, t);
        return re.reduce((sum, x, i) => sum + x * weight.re[i]! - im[i]! * weight.im[i]!, 0);
      }),
    transfer(omega) {
      const at = asFloats('omega', omega);
      const out = complexZeros(at.length);
      for (let k = 0; k < at.length; k++) {
        for (let i = 0; i < n; i++) {
          const [re, im] = divide(weight.re[i]!, weight.im[i]!, -values.re[i]!, at[k]! - values.im[i]!);
          out.re[k] = out.re[k]! + re;
          out.im[k] = out.im[k]! + im;
        }
      }
      return out;
    },
    kernel(length) {
      checkInteger('length', length, 0);
      const u = new Float64Array(length);
      if (length > 0) u[0] = 1;
      return run(u);
    },
    run,
  };
}

/** exp(t·λ) for every λ. */
function powers({ re, im }: Complex, t: number): Complex {
  const size = re.map((x) => exp(t * x));
  return { re: size.map((s, i) => s * cos(t * im[i]!)), im: size.map((s, i) => s * sin(t * im[i]!)) };
}
