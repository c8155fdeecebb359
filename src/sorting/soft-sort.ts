import { asRecord, checkOneOf } from '../core/check.js';
import { type FloatArray, floats } from '../core/tensor.js';
import { isotonic, isotonicBack } from '../kernels/isotonic.js';
import { withArena } from '../runtime/instance.js';
import { argsort } from './argsort.js';
import { isDescending } from './direction.js';
import { giveBack, type Rows, type RowsOf, readLike, readRows } from './rows.js';
import { regularizations, type SoftRankOptions, type SoftResult } from './soft-rank.js';
import { addRangeGradient, type RowStrengths, readStrengths } from './strength.js';

export interface SoftSortOptions extends SoftRankOptions {}

/**
 * Softly sorted values: the projection of (n, …, 1)/strength on the permutahedron of x, by sorting and isotonic regression.
 * A larger strength pulls all values to their mean (l2) or log-mean-exp (kl); with l2 the sum of a row is preserved.
 *
 * @param x one row as an array, or rows as a tensor [..., n], finite
 * @param options `regularization` 'l2' | 'kl' ('l2'), `strength` (1; 0 is the hard sort), `units` 'absolute' | 'range' ('absolute'), `direction` ('ascending')
 * @returns `values` in the form of x, and `backward(grad)`, exact away from kinks
 * @throws {DomainError} when strength < 0 or x is not finite; {ShapeError} when a row is empty
 * @see Blondel et al. 2020, arXiv:2002.08871, §3–4
 */
export function softSort<X extends Rows>(x: X, options: SoftSortOptions = {}): SoftResult<X> {
  const { regularization = 'l2', strength = 1, units = 'absolute', direction = 'ascending' } = asRecord('options', options);
  const input = readRows('x', x);
  checkOneOf('regularization', regularization, regularizations);
  const setting: Setting = {
    kl: regularization === 'kl',
    sign: isDescending(direction) ? 1 : -1,
    strengths: readStrengths(input.data, input.rows, input.n, strength, units),
    strength,
  };
  const state = project(input, argsort({ data: input.data, shape: [input.rows, input.n] }, { direction }).data, setting);
  return {
    values: giveBack<X, FloatArray>(input, state.values),
    backward: (grad) =>
      giveBack<X, FloatArray>(input, gradient(input, setting, state, readLike('grad', grad, input.data.length, input.precision))),
  };
}

interface Setting {
  readonly kl: boolean;
  /** The projection works on sign·x from its largest. */
  readonly sign: number;
  readonly strengths: RowStrengths;
  readonly strength: number;
}
interface State {
  readonly order: Int32Array;
  /** sign·x in falling order. */
  readonly sorted: Float64Array;
  /** (n, …, 1)/strength. */
  readonly slopes: Float64Array;
  readonly first: Int32Array;
  readonly values: FloatArray;
}

function project({ data, rows, n, precision }: RowsOf<FloatArray>, order: Int32Array, { kl, sign, strengths }: Setting): State {
  const sorted = new Float64Array(rows * n);
  const slopes = new Float64Array(rows * n);
  for (let row = 0; row < rows; row++) {
    const scale = strengths.strength[row] as number;
    for (let i = 0; i < n; i++) {
      sorted[row * n + i] = sign * (data[row * n + (order[row * n + i] as number)] as number);
      slopes[row * n + i] = scale === 0 ? 0 : (n - i) / scale; // a hard row is taken from `sorted`
    }
  }
  const { rest, first } = withArena((arena) => {
    const out = arena.alloc('f64', rows * n);
    const starts = arena.alloc('i32', rows * n);
    isotonic(arena, out, starts, arena.put(slopes), arena.put(sorted), n, kl);
    return { rest: arena.take(out), first: arena.take(starts) };
  });
  const values = floats(precision, rows * n);
  for (let place = 0; place < values.length; place++) {
    const hard = strengths.strength[Math.floor(place / n)] === 0;
    values[place] = sign * ((hard ? sorted : rest)[place] as number);
  }
  return { order, sorted, slopes, first, values };
}

function gradient({ data, rows, n, precision }: RowsOf<FloatArray>, setting: Setting, state: State, grad: FloatArray): FloatArray {
  const { kl, sign, strengths, strength } = setting;
  const { order, sorted, slopes, first } = state;
  // values = sign·(slopes − v): dv/dsorted is minus the softmax of `sorted` over the pool (kl) or minus the mean (l2).
  const inflow = Float64Array.from(grad, (g) => sign * g);
  const [toSorted, toSlopes] = withArena((arena) => {
    const g = arena.put(inflow);
    const out = arena.alloc('f64', rows * n);
    const starts = arena.put(first);
    isotonicBack(out, g, starts, arena.put(sorted), n, kl);
    const through = arena.take(out);
    isotonicBack(out, g, starts, arena.put(slopes), n, kl);
    return [through, arena.take(out)] as const;
  });
  const gx = floats(precision, data.length);
  for (let row = 0; row < rows; row++) {
    const scale = strengths.strength[row] as number;
    let along = 0; // ⟨d loss / d slopes, slopes⟩ = −strength · d loss / d strength
    for (let place = row * n; place < (row + 1) * n; place++) {
      const g = scale === 0 ? (inflow[place] as number) : (toSorted[place] as number);
      gx[row * n + (order[place] as number)] = sign * g;
      along += ((inflow[place] as number) - (toSlopes[place] as number)) * (slopes[place] as number);
    }
    if (scale !== 0) addRangeGradient(gx, row, n, -along / scale, strengths, strength);
  }
  return gx;
}
