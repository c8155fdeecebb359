// Steps of dense networks between the matrix products, on blocks (assembly/dense.ts). Matrices are row-major [rows, cols].
import { checkLength } from '../core/check.js';
import type { Real } from '../runtime/arena.js';
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
