// Gradients with respect to points, by the envelope theorem: Σ_j P_ij ∇c(x_i, y_j) with the plan held fixed. Nothing is unrolled.
import { square } from '../core/square.js';
import { type FloatArray, floats } from '../core/tensor.js';
import { gemm } from '../kernels/gemm.js';
import { gibbs } from '../kernels/gibbs.js';
import { log } from '../kernels/scalar.js';
import { type F64, type Real, slice } from '../runtime/arena.js';
import { withArena } from '../runtime/instance.js';
import type { Setting } from './setting.js';
import { type Points, prepare, scaleOf } from './source.js';

/** Gradients of ⟨P, C(x, y)⟩ at fixed P = a_i b_j exp((f_i + g_j − C_ij)/ε): x [n, d] and y [m, d], in the precision of the points. */
export function pointGradients(setting: Setting, f: Float64Array, g: Float64Array, epsilon: number): { x: FloatArray; y: FloatArray } {
  const scaled = (weights: Float64Array, potential: Float64Array) =>
    weights.map((w, i) => (w > 0 ? log(w) + potential[i]! / epsilon : -Infinity));
  return gibbsGradients(setting, scaled(setting.a, f), scaled(setting.b, g), epsilon);
}

/** The same at fixed P = exp(rows_i + exponentsj − C_ij/ε). */
export function gibbsGradients(
  setting: Setting,
  rowExponents: Float64Array,
  columnExponents: Float64Array,
  epsilon: number,
): { x: FloatArray; y: FloatArray } {
  const { make, points, precision } = setting;
  if (!points) throw new TypeError('points: expected a problem of points');
  const { costFunction } = points;
  const [x, y] = [prepare(points.x, costFunction), prepare(points.y, costFunction)];
  const d = x.cols;
  const scale = scaleOf(costFunction);
  return withArena((arena) => {
    const source = make(arena);
    const [F, G] = [arena.put(rowExponents), arena.put(columnExponents)];
    const [X, Y] = [arena.putAs(precision, x.data), arena.putAs(precision, y.data)];
    const pulled = arena.zeroReal(precision, y.rows * d); // Wᵀ X
    const gx = floats(precision, x.rows * d);
    const columns = new Float64Array(y.rows);
    let tile: Real | undefined;
    let product: Real | undefined;
    source.each((start, count, C) => {
      tile ??= arena.real(precision, C.length);
      product ??= arena.real(precision, count * d);
      const W = slice(tile as F64, 0, C.length);
      const WY = slice(product as F64, 0, count * d);
      gibbs(W, slice(F, start, count), G, C, epsilon);
      if (costFunction === 'euclidean') {
        // ∇|x − y| = (x − y)/|x − y|, 0 where the points meet.
        const [w, c] = [arena.view(W), arena.view(C)];
        for (let k = 0; k < w.length; k++) w[k] = c[k]! > 0 ? w[k]! / (2 * c[k]!) : 0;
      }
      gemm(count, d, y.rows, W as Real, Y, WY as Real);
      gemm(y.rows, d, count, W as Real, slice(X as F64, start * d, count * d) as Real, pulled, { transA: true, beta: 1 });
      const [w, wy] = [arena.view(W), arena.view(WY)];
      for (let i = 0; i < count; i++) {
        let mass = 0;
        for (let j = 0; j < y.rows; j++) {
          const p = w[i * y.rows + j]!;
          mass += p;
          columns[j]! += p;
        }
        for (let k = 0; k < d; k++) gx[(start + i) * d + k] = 2 * scale * (mass * x.data[(start + i) * d + k]! - wy[i * d + k]!);
      }
    });
    const wx = arena.view(pulled);
    const gy = floats(precision, y.rows * d);
    for (let j = 0; j < y.rows; j++)
      for (let k = 0; k < d; k++) gy[j * d + k] = 2 * scale * (columns[j]! * y.data[j * d + k]! - wx[j * d + k]!);
    if (costFunction === 'cosine') {
      throughNormalisation(gx, x, points.x);
      throughNormalisation(gy, y, points.y);
    }
    return { x: gx, y: gy };
  });
}

/** The same at a plan of few entries. */
export function supportGradients(
  { points, precision }: Setting,
  support: { readonly rows: Int32Array; readonly cols: Int32Array; readonly mass: Float64Array },
): { x: FloatArray; y: FloatArray } {
  if (!points) throw new TypeError('points: expected a problem of points');
  const { costFunction } = points;
  const [x, y] = [prepare(points.x, costFunction), prepare(points.y, costFunction)];
  const d = x.cols;
  const [gx, gy] = [new Float64Array(x.rows * d), new Float64Array(y.rows * d)];
  support.mass.forEach((mass, k) => {
    const [i, j] = [support.rows[k]! * d, support.cols[k]! * d];
    let pull = 2 * scaleOf(costFunction) * mass;
    if (costFunction === 'euclidean') {
      let squares = 0;
      for (let l = 0; l < d; l++) squares += square(x.data[i + l]! - y.data[j + l]!);
      pull = squares > 0 ? mass / Math.sqrt(squares) : 0;
    }
    for (let l = 0; l < d; l++) {
      gx[i + l]! += pull * (x.data[i + l]! - y.data[j + l]!);
      gy[j + l]! -= pull * (x.data[i + l]! - y.data[j + l]!);
    }
  });
  if (costFunction === 'cosine') {
    throughNormalisation(gx, x, points.x);
    throughNormalisation(gy, y, points.y);
  }
  const rounded = (g: Float64Array) => {
    const out = floats(precision, g.length);
    out.set(g);
    return out;
  };
  return { x: rounded(gx), y: rounded(gy) };
}

/** From the gradient of unit vectors to that of the vectors: (I − x̂x̂ᵀ)g/|x|, in place; 0 for a zero vector. */
function throughNormalisation(gradient: FloatArray, unit: Points, given: Points): void {
  const d = unit.cols;
  for (let i = 0; i < unit.rows; i++) {
    let [squares, along] = [0, 0];
    for (let k = i * d; k < (i + 1) * d; k++) {
      squares += square(given.data[k]!);
      along += gradient[k]! * unit.data[k]!;
    }
    const inverse = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let k = i * d; k < (i + 1) * d; k++) gradient[k] = (gradient[k]! - along * unit.data[k]!) * inverse;
  }
}
