// Steps of dense networks between the matrix products, on blocks (assembly/dense.ts). Matrices are row-major [rows, cols].
import { checkLength } from '../core/check.js';
import type { F64, I32, Real } from '../runtime/arena.js';
import { kernels } from '../runtime/instance.js';

/** Every row of `out` [rows, row.length] becomes `row`. */
export function fillRows<B extends Real>(row: B, out: B, rows: number): void {
  checkLength('out', out, rows * row.length);
  const k = kernels();
  (out.type === 'f32' ? k.sfillRows : k.dfillRows)(rows, row.length, row.ptr, out.ptr);
}

/** out[j] += Σ_i x[i, j]. */
export function addColumnSums<B extends Real>(x: B, out: B, rows: number): void {
  checkLength('x', x, rows * out.length);
  const k = kernels();
  (x.type === 'f32' ? k.saddColumnSums : k.daddColumnSums)(rows, out.length, x.ptr, out.ptr);
}

/** out = x·y, element by element; `out` may be either. */
export function multiply<B extends Real>(x: B, y: B, out: B): void {
  checkLength('y', y, x.length);
  checkLength('out', out, x.length);
  const k = kernels();
  (x.type === 'f32' ? k.smultiply : k.dmultiply)(x.length, x.ptr, y.ptr, out.ptr);
}

/** out = back·d1 + delta·d2·rz: how an R-pass goes back through an activation. `out` may be any input. */
export function activationTurn<B extends Real>(back: B, d1: B, delta: B, d2: B, rz: B, out: B): void {
  for (const [name, block] of Object.entries({ d1, delta, d2, rz, out })) checkLength(name, block, back.length);
  const k = kernels();
  const run = back.type === 'f32' ? k.sactivationTurn : k.dactivationTurn;
  run(back.length, back.ptr, d1.ptr, delta.ptr, d2.ptr, rz.ptr, out.ptr);
}

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

/** Rank-one rows: out[i·stride + offset + o·inputs + j] = delta[i, o]·a[i, j]. */
export function outerRows<B extends Real>(delta: B, a: B, out: B, rows: number, stride: number, offset: number): void {
  if (rows === 0) return;
  const outputs = delta.length / rows;
  const inputs = a.length / rows;
  checkLength('out', { length: Math.min(out.length, rows * stride) }, rows * stride);
  const k = kernels();
  const bytes = out.type === 'f32' ? 4 : 8;
  (out.type === 'f32' ? k.souterRows : k.douterRows)(rows, outputs, inputs, delta.ptr, a.ptr, out.ptr + offset * bytes, stride);
}
