// Losses of dense networks at the outputs, on blocks (assembly/dense-loss.ts). Matrices are row-major [rows, k].
import { checkLength } from '../core/check.js';
import type { F64, I32, Real } from '../runtime/arena.js';
import { kernels } from '../runtime/instance.js';

/** Softmax cross-entropy: p = softmax(z), delta = weight·(p − e_y), losses unweighted in f64. Returns Σ weight·loss. */
export function softmaxLoss<B extends Real>(z: B, y: I32, weights: B, p: B, delta: B, losses: F64): number {
  const rows = y.length;
  for (const [name, block] of Object.entries({ p, delta })) checkLength(name, block, z.length);
  checkLength('weights', weights, rows);
  checkLength('losses', losses, rows);
  if (rows === 0) return 0;
  const k = kernels();
  const run = z.type === 'f32' ? k.ssoftmaxLoss : k.dsoftmaxLoss;
  return run(rows, z.length / rows, z.ptr, y.ptr, weights.ptr, p.ptr, delta.ptr, losses.ptr);
}

/** out[i, :] = weight·(diag(p) − ppᵀ)·x[i, :]; `out` may be `x`. */
export function softmaxCurvature<B extends Real>(p: B, weights: B, x: B, out: B): void {
  const rows = weights.length;
  checkLength('x', x, p.length);
  checkLength('out', out, p.length);
  if (rows === 0) return;
  const k = kernels();
  const run = x.type === 'f32' ? k.ssoftmaxCurvature : k.dsoftmaxCurvature;
  run(rows, p.length / rows, p.ptr, weights.ptr, x.ptr, out.ptr);
}

/** Mean squared error over outputs: delta = weight·(2/k)(z − t), losses unweighted in f64. Returns Σ weight·loss. */
export function squaredLoss<B extends Real>(z: B, t: B, weights: B, delta: B, losses: F64): number {
  const rows = weights.length;
  checkLength('t', t, z.length);
  checkLength('delta', delta, z.length);
  checkLength('losses', losses, rows);
  if (rows === 0) return 0;
  const k = kernels();
  const run = z.type === 'f32' ? k.ssquaredLoss : k.dsquaredLoss;
  return run(rows, z.length / rows, z.ptr, t.ptr, weights.ptr, delta.ptr, losses.ptr);
}

/** out[i, :] = factor·weights[i]·x[i, :]; `out` may be `x`. */
export function scaleRows<B extends Real>(factor: number, weights: B, x: B, out: B): void {
  const rows = weights.length;
  checkLength('out', out, x.length);
  if (rows === 0) return;
  const k = kernels();
  (x.type === 'f32' ? k.sscaleRows : k.dscaleRows)(rows, x.length / rows, factor, weights.ptr, x.ptr, out.ptr);
}
