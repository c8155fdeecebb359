// Logits or costs to the kernel matrix of partial transport (assembly/label-kernel.ts).
import { checkLength } from '../core/check.js';
import type { F64, Real } from '../runtime/arena.js';
import { kernels } from '../runtime/instance.js';

/** Rows of logits or of costs [·, cols] between two bounds; every `stride`-th counts. */
export interface LabelRows {
  readonly data: Real;
  readonly logits: boolean;
  readonly cols: number;
  readonly low: number;
  readonly high: number;
}
/** What is written: K [rows, pitch] of the data's type; F and, for logits, their normalisers base [rows]; largest exponents top [pitch]. */
export interface LabelKernel {
  readonly K: Real;
  readonly F: F64;
  readonly base: F64;
  readonly top?: F64 | undefined;
}

/** K = exp(F_i + G_j − C_ij/ε), zeros from `width` on, every row's largest entry 1; `known` when `base` holds the normalisers already. */
export function labelKernel(
  { K, F, base, top }: LabelKernel,
  { data, logits, cols }: LabelRows,
  G: F64,
  { epsilon, stride, width, known }: { epsilon: number; stride: number; width: number; known: boolean },
): void {
  checkLength('K', K, F.length * G.length);
  const run = K.type === 'f32' ? kernels().slabelKernel : kernels().dlabelKernel;
  const blocks = [K.ptr, F.ptr, top?.ptr ?? 0, logits ? base.ptr : 0, data.ptr, G.ptr];
  run(...blocks, (logits ? 1 : -1) / epsilon, known ? 1 : 0, stride, F.length, cols, width, G.length);
}

/** Powers up to here cost less than an exponential. */
const largestPower = 64;

/** The same of f64 logits for G = 0, without a look for each row's largest entry: (high − low)/ε stays inside the range of exponentials. */
export function flatKernel(
  { K, F, base }: LabelKernel,
  { data, cols, high }: LabelRows,
  { epsilon, stride, width, pitch }: { epsilon: number; stride: number; width: number; pitch: number },
): void {
  checkLength('K', K, F.length * pitch);
  const scale = 1 / epsilon;
  const power = Number.isInteger(scale) && scale <= largestPower ? scale : 0;
  kernels().dflatKernel(K.ptr, F.ptr, base.ptr, data.ptr, high, scale, power, stride, F.length, cols, width, pitch);
}
