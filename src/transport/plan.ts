// Plans from potentials, made only when asked for, by tiles of rows.
import { type FloatArray, floats } from '../core/tensor.js';
import { gibbs } from '../kernels/gibbs.js';
import { log } from '../kernels/scalar.js';
import { type F64, type Real, slice } from '../runtime/arena.js';
import { withArena } from '../runtime/instance.js';
import type { SourceMaker } from './setting.js';

/** A coupling: flat row-major numbers that carry their shape, so that a plan indexes like an array and is accepted as a Tensor. */
export type Plan = FloatArray & { readonly data: FloatArray; readonly shape: readonly [number, number] };

/** Gives flat numbers the shape of a matrix. */
export function asPlan(data: FloatArray, rows: number, cols: number): Plan {
  return Object.defineProperties(data, { data: { value: data }, shape: { value: [rows, cols] } }) as unknown as Plan;
}

/** P_ij = a_i b_j exp((f_i + g_j − C_ij)/ε) in the precision of the cost; exactly 0 where a weight is 0. */
export function planFrom(make: SourceMaker, a: Float64Array, b: Float64Array, f: Float64Array, g: Float64Array, epsilon: number): Plan {
  return withArena((arena) => {
    const source = make(arena);
    const out = floats(source.precision, a.length * b.length);
    const scaled = (weights: Float64Array, potential: Float64Array) =>
      arena.put(weights.map((w, i) => (w > 0 ? log(w) + potential[i]! / epsilon : -Infinity)));
    const [F, G] = [scaled(a, f), scaled(b, g)];
    let tile: Real | undefined;
    source.each((start, count, C) => {
      tile ??= arena.real(source.precision, C.length);
      const part = slice(tile as F64, 0, C.length);
      gibbs(part, slice(F, start, count), G, C, epsilon);
      out.set(arena.view(part), start * b.length);
    });
    return asPlan(out, a.length, b.length);
  });
}
