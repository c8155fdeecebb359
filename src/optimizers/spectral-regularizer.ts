// The largest singular value of every layer is kept near one, so that a network can go on learning new tasks.
import { asRecord, checkFinite, checkInteger, checkLength, checkNonNegative } from '../core/check.js';
import type { ParameterSlot } from '../core/model-types.js';
import { Random } from '../core/random.js';
import { asFloats, type FloatArray, floats, precisionOf } from '../core/tensor.js';
import { checkSlots, sizeOf } from './slots.js';

export interface SpectralRegularizerOptions {
  /** The exponent k of the singular values (2). */
  readonly exponent?: number;
  /** Power iterations per call (1); the first call makes 100, and every later one starts where the last one ended. */
  readonly iterations?: number;
  /** Of the first vectors (0). */
  readonly seed?: number;
}

/** A penalty on parameters, with its gradient in their precision. */
export interface Penalty {
  readonly value: number;
  readonly grad: FloatArray;
}

/**
 * Spectral regularizer for continual learning: Σ_weights (σ_max(W)^k − 1)² + Σ_biases ‖b‖^2k + Σ_gains (|γ|^k − 1)². A kernel of a
 * convolution counts as the matrix [out, in·kh·kw]; a gain of a normalisation layer is a matrix of one entry; 'other' slots are left
 * alone. σ_max comes from power iteration that starts from the vectors of the last call, and its gradient, u vᵀ, flows.
 * The paper's own k could not be read (a re-implementation takes 3). It matters little where the penalty works: near σ = 1 the term is
 * k²(σ − 1)², so another k is another multiple, (k/2)² of the default's; far above 1 it grows as σ^2k.
 *
 * @param layout `layout` of a model: which parameters are weights, biases and gains
 * @param options `exponent` k ≥ 1 (2), `iterations` of the power method per call (1), `seed` (0)
 * @returns `evaluate(params)` -> { value, grad [d], sigmas }; add a multiple (1e-4 … 1e-2) of `grad` to the gradient of the loss
 * @throws {ShapeError} on an empty layout or parameters of another length; {DomainError} on NaN, k < 1, slots that overlap
 * @see Lewandowski et al. 2025, arXiv:2406.06811, §4
 */
export function spectralRegularizer(
  layout: readonly ParameterSlot[],
  options: SpectralRegularizerOptions = {},
): { evaluate(params: FloatArray): Penalty & { readonly sigmas: Float64Array } } {
  asRecord('options', options);
  const { exponent = 2, iterations = 1, seed = 0 } = options;
  checkInteger('exponent', exponent, 1);
  checkInteger('iterations', iterations, 1);
  checkNonNegative('seed', seed);
  const size = checkSlots(layout);
  const random = new Random(seed);
  const weights = layout.filter(({ role }) => role === 'weight').map((slot) => ({ slot, v: new Float64Array(0) as Float64Array }));
  return {
    evaluate(params) {
      const w = asFloats('params', params);
      checkLength('params', w, size);
      checkFinite('params', w);
      const grad = floats(precisionOf(w), size);
      let value = 0;
      const sigmas = Float64Array.from(weights, (state) => {
        const { offset, shape } = state.slot;
        const [rows, count] = [shape[0]!, sizeOf(shape)];
        const cols = count / rows;
        const first = state.v.length === 0;
        if (first) state.v = normalised(random.fill(new Float64Array(cols)));
        const { u, sigma } = largest(w.subarray(offset, offset + count), rows, cols, state.v, first ? 100 : iterations);
        const gap = power(sigma, exponent) - 1;
        value += gap * gap;
        const slope = 2 * exponent * power(sigma, exponent - 1) * gap;
        for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) grad[offset + i * cols + j] = slope * u[i]! * state.v[j]!;
        return sigma;
      });
      for (const { role, offset, shape } of layout) {
        const end = offset + sizeOf(shape);
        if (role === 'bias') {
          let squares = 0;
          for (let i = offset; i < end; i++) squares += w[i]! * w[i]!;
          value += power(squares, exponent);
          for (let i = offset; i < end; i++) grad[i] = 2 * exponent * power(squares, exponent - 1) * w[i]!;
        } else if (role === 'scale') {
          for (let i = offset; i < end; i++) {
            const gap = power(Math.abs(w[i]!), exponent) - 1;
            value += gap * gap;
            grad[i] = 2 * exponent * power(Math.abs(w[i]!), exponent - 1) * gap * Math.sign(w[i]!);
          }
        }
      }
      return { value, grad, sigmas };
    },
  };
}

/** Power iteration on WᵀW from v, which it overwrites: unit u, v and σ = uᵀWv. A zero matrix gives u = 0. */
function largest(W: FloatArray, rows: number, cols: number, v: Float64Array, iterations: number): { u: Float64Array; sigma: number } {
  const u = new Float64Array(rows);
  let sigma = 0;
  for (let k = 0; k <= iterations; k++) {
    for (let i = 0; i < rows; i++) {
      let sum = 0;
      for (let j = 0; j < cols; j++) sum += W[i * cols + j]! * v[j]!;
      u[i] = sum;
    }
    sigma = length(u);
    normalised(u);
    if (k === iterations || sigma === 0) break;
    v.fill(0);
    for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) v[j]! += W[i * cols + j]! * u[i]!;
    normalised(v);
  }
  return { u, sigma };
}

function length(x: Float64Array): number {
  let squares = 0;
  for (const value of x) squares += value * value;
  return Math.sqrt(squares);
}

/** x divided by its length, in place; zeros stay. */
function normalised(x: Float64Array): Float64Array {
  const norm = length(x);
  if (norm > 0) for (let i = 0; i < x.length; i++) x[i]! /= norm;
  return x;
}

/** x^k for a whole k ≥ 0, the same bits everywhere. */
function power(x: number, k: number): number {
  let product = 1;
  for (let i = 0; i < k; i++) product *= x;
  return product;
}
