import { asRecord, checkOneOf } from '../core/check.js';
import { type FloatArray, floats } from '../core/tensor.js';
import { expInto } from '../kernels/exp.js';
import { isotonic, isotonicBack } from '../kernels/isotonic.js';
import { log } from '../kernels/scalar.js';
import { withArena } from '../runtime/instance.js';
import { argsort } from './argsort.js';
import { type Direction, isDescending } from './direction.js';
import { rank } from './rank.js';
import { giveBack, type Rows, type RowsOf, readLike, readRows, type Shaped } from './rows.js';
import { addRangeGradient, type RowStrengths, readStrengths, type StrengthUnits } from './strength.js';

export const regularizations = ['l2', 'kl'] as const;

export interface SoftRankOptions {
  /** `'l2'` (default): piecewise linear, exact ranks for small strengths; `'kl'`: smooth within pools. */
  regularization?: 'l2' | 'kl';
  /** Softness (1). 0 gives the hard ranks. */
  strength?: number;
  /** Strength per unit of x (`'absolute'`, default), or in units of max − min of each row. */
  units?: StrengthUnits;
  direction?: Direction;
}

export interface SoftResult<X> {
  /** In the form of x. */
  readonly values: Shaped<X>;
  /** Gradient with respect to x of Σ values·grad. */
  backward(grad: FloatArray | readonly number[] | { data: FloatArray; shape: readonly number[] }): Shaped<X>;
}

/**
 * Soft ranks, from 1: the projection of x/strength on the permutahedron of (n, …, 1), by sorting and isotonic regression.
 * A larger strength pulls all ranks to their mean (n + 1)/2; equal elements share a rank.
 *
 * @param x one row as an array, or rows as a tensor [..., n], finite
 * @param options `regularization` 'l2' | 'kl' ('l2'), `strength` (1), `units` 'absolute' | 'range' ('absolute'), `direction` ('ascending': the smallest has rank 1)
 * @returns `values` in the form of x, and `backward(grad)`, exact away from kinks
 * @throws {DomainError} when strength < 0 or x is not finite; {ShapeError} when a row is empty
 * @see Blondel et al. 2020, arXiv:2002.08871, §3–4; the KL projection is computed with shifted exponents, so no strength overflows
 */
export function softRank<X extends Rows>(x: X, options: SoftRankOptions = {}): SoftResult<X> {
  const { regularization = 'l2', strength = 1, units = 'absolute', direction = 'ascending' } = asRecord('options', options);
  const input = readRows('x', x);
  checkOneOf('regularization', regularization, regularizations);
  const setting: Setting = {
    kl: regularization === 'kl',
    sign: isDescending(direction) ? -1 : 1,
    strengths: readStrengths(input.data, input.rows, input.n, strength, units),
    strength,
    direction,
  };
  const state = project(input, setting);
  const values = floats(input.precision, input.data.length);
  const hard = needsHard(setting) ? rank({ data: input.data, shape: [input.rows, input.n] }, { direction }).data : values;
  state.order.forEach((i, place) => {
    const row = Math.floor(place / input.n);
    const at = row * input.n + i;
    values[at] = (setting.strengths.strength[row] === 0 ? hard[at] : state.ranks[place]) as number;
  });
  return {
    values: giveBack<X, FloatArray>(input, values),
    backward: (grad) =>
      giveBack<X, FloatArray>(input, gradient(input, setting, state, readLike('grad', grad, input.data.length, input.precision))),
  };
}

interface Setting {
  readonly kl: boolean;
  readonly sign: number;
  readonly strengths: RowStrengths;
  readonly strength: number;
  readonly direction: Direction;
}
interface State {
  /** Rows from the largest of sign·x. */
  readonly order: Int32Array;
  readonly sorted: Float64Array;
  readonly first: Int32Array;
  /** Ranks in sorted order. */
  readonly ranks: Float64Array;
}

const needsHard = ({ strengths }: Setting) => strengths.strength.some((value) => value === 0);

function project({ data, rows, n }: RowsOf<FloatArray>, { kl, sign, strengths, direction }: Setting): State {
  const order = argsort({ data, shape: [rows, n] }, { direction: direction === 'ascending' ? 'descending' : 'ascending' }).data;
  const sorted = new Float64Array(rows * n);
  const weights = new Float64Array(rows * n);
  for (let i = 0; i < n; i++) weights[i] = kl ? log(n - i) : n - i;
  for (let row = 1; row < rows; row++) weights.copyWithin(row * n, 0, n);
  for (let row = 0; row < rows; row++) {
    // A hard row only needs finite numbers here.
    const factor = strengths.strength[row] === 0 ? 0 : sign / (strengths.strength[row] as number);
    for (let place = row * n; place < (row + 1) * n; place++) sorted[place] = factor * (data[row * n + (order[place] as number)] as number);
  }
  return withArena((arena) => {
    const s = arena.put(sorted);
    const ranks = arena.alloc('f64', rows * n);
    const first = arena.alloc('i32', rows * n);
    isotonic(arena, ranks, first, s, arena.put(weights), n, kl);
    if (kl) expInto(ranks, ranks);
    return { order, sorted, first: arena.take(first), ranks: arena.take(ranks) };
  });
}

function gradient({ data, rows, n, precision }: RowsOf<FloatArray>, setting: Setting, state: State, grad: FloatArray): FloatArray {
  const { kl, sign, strengths, strength } = setting;
  const { order, sorted, first, ranks } = state;
  const inflow = new Float64Array(rows * n);
  for (let place = 0; place < inflow.length; place++) {
    const g = grad[Math.floor(place / n) * n + (order[place] as number)] as number;
    inflow[place] = kl ? g * (ranks[place] as number) : g;
  }
  const pooled = withArena((arena) => {
    const out = arena.alloc('f64', rows * n);
    isotonicBack(out, arena.put(inflow), arena.put(first), arena.put(sorted), n, kl);
    return arena.take(out);
  });
  const gx = floats(precision, data.length);
  for (let row = 0; row < rows; row++) {
    const scale = strengths.strength[row] as number;
    if (scale === 0) continue; // hard ranks do not move
    let along = 0; // ⟨d loss / d s, s⟩ = −strength · d loss / d strength
    for (let place = row * n; place < (row + 1) * n; place++) {
      const gs = (inflow[place] as number) - (pooled[place] as number);
      along += gs * (sorted[place] as number);
      gx[row * n + (order[place] as number)] = (sign * gs) / scale;
    }
    addRangeGradient(gx, row, n, -along / scale, strengths, strength);
  }
  return gx;
}
