import { asRecord, checkOneOf, checkPositive, checkRange } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import type { FloatArray, Tensor } from '../core/tensor.js';
import { type Distribution, diffsort, diffsortBack, distributions, type RelaxedNetwork } from '../kernels/diff-sort.js';
import type { Arena, Real } from '../runtime/arena.js';
import { withArena } from '../runtime/instance.js';
import { type Direction, isDescending } from './direction.js';
import { giveBack, type Rows, type RowsOf, readLike, readRows, type Shaped, type ShapedArray, shape } from './rows.js';
import { type NetworkName, type Wiring, wiringOf } from './wiring.js';

export interface DiffSortOptions {
  /** `'odd-even'` (n layers, smoother) or `'bitonic'` (log² n layers, faster; default). */
  network?: NetworkName;
  /** How a comparison is softened (`'cauchy'`). 'reciprocal', 'cauchy' and 'optimal' are monotonic. */
  distribution?: Distribution;
  /** Inverse temperature per unit of x (10); the limit is the hard sort. */
  steepness?: number;
  direction?: Direction;
  /** Exponent λ of 'logistic-phi' (0.25). */
  artLambda?: number;
}

export interface DiffSortResult<X> {
  /** Softly sorted values, in the form of x. */
  readonly sorted: Shaped<X>;
  /** P [..., n, n], row = place in the result, sorted = P x; doubly stochastic. Computed when called. */
  permutation(): ShapedArray;
  /** U P [..., m, n] for weights U on places ([n] is one row): all that a loss on groups of places needs, without P. */
  propagate(places: FloatArray | readonly number[] | Tensor): ShapedArray;
  /** Gradient with respect to x of Σ sorted·g + Σ permutation·G + Σ propagate(places)·H, for the parts given. */
  backward(grads: BackwardGrads): Shaped<X>;
}

export interface BackwardGrads {
  /** [..., n] */
  sorted?: FloatArray | readonly number[] | Tensor;
  /** [..., n, n] */
  permutation?: FloatArray | readonly number[] | Tensor;
  /** `places` as given to `propagate`, and the gradient of its result. */
  propagated?: { places: FloatArray | readonly number[] | Tensor; grad: FloatArray | readonly number[] | Tensor };
}

/**
 * Differentiable sort: a sorting network whose comparators mix their two wires by a soft comparison.
 *   low ← a·low + (1 − a)·high,  high ← (1 − a)·low + a·high,  a = relaxation(steepness·(high − low))
 *
 * @param x one row as an array, or rows as a tensor [..., n], finite; f32 or f64 (plain numbers are f64)
 * @param options `network` ('bitonic'), `distribution` ('cauchy'), `steepness` (10, per unit of x), `direction` ('ascending'), `artLambda` (0.25)
 * @returns `sorted`, and `permutation()`, `propagate(places)` and `backward(grads)`, which compute when called
 * @throws {DomainError} when steepness ≤ 0 or x is not finite; {ShapeError} for empty rows or gradients of another size
 * @see Petersen et al. 2021, arXiv:2105.04019, §3; monotonic relaxations: Petersen et al. 2022, arXiv:2203.09630
 */
export function diffSort<X extends Rows>(x: X, options: DiffSortOptions = {}): DiffSortResult<X> {
  const input = readRows('x', x);
  const relaxed = readOptions(input.n, options);
  const sorted = withArena((arena) => {
    const data = arena.put(input.data);
    const y = arena.real(input.precision, data.length);
    diffsort(arena, { y }, data, place(arena, relaxed));
    return arena.take(y);
  });
  return {
    sorted: giveBack<X, FloatArray>(input, sorted),
    permutation: () => shape(rowsOfPermutation(input, relaxed), [...input.lead, input.n, input.n]),
    propagate: (places) => {
      const weights = readPlaces(input, places);
      return shape(rowsOfPermutation(input, relaxed, weights), [...input.lead, weights.length / input.n, input.n]);
    },
    backward: (grads) => giveBack<X, FloatArray>(input, gradient(input, relaxed, grads)),
  };
}

/** A network and its relaxation, outside the arena. */
export interface Relaxed {
  readonly wiring: Wiring;
  readonly distribution: Distribution;
  readonly steepness: number;
  readonly artLambda: number;
}

/** Reads and checks the options of `diffSort`. */
export function readOptions(n: number, options: DiffSortOptions): Relaxed {
  const {
    network = 'bitonic',
    distribution = 'cauchy',
    steepness = 10,
    direction = 'ascending',
    artLambda = 0.25,
  } = asRecord('options', options);
  checkOneOf('distribution', distribution, distributions);
  checkPositive('steepness', steepness);
  checkRange('artLambda', artLambda, 0, 1);
  return { wiring: wiringOf(n, network, isDescending(direction)), distribution, steepness, artLambda };
}

/** The network in an arena. */
export function place(arena: Arena, { wiring, ...relaxation }: Relaxed): RelaxedNetwork {
  return { n: wiring.n, pairs: arena.put(wiring.pairs), spans: arena.put(wiring.spans), ...relaxation };
}

/** P [rows, n, n], or U P [rows, m, n] for weights U [m, n] on places. */
export function rowsOfPermutation(input: RowsOf<FloatArray>, relaxed: Relaxed, places?: FloatArray): FloatArray {
  return withArena((arena) => {
    const m = places ? places.length / input.n : input.n;
    const z = arena.real(input.precision, input.rows * m * input.n);
    diffsort(arena, { z }, arena.put(input.data), place(arena, relaxed), places && arena.put(places));
    return arena.take(z);
  });
}

function readPlaces(input: RowsOf<FloatArray>, places: FloatArray | readonly number[] | Tensor): FloatArray {
  const { data, rows, n } = readRows('places', places);
  if (n !== input.n) throw new ShapeError(`places: expected rows of ${input.n} elements, got ${n}`);
  return readLike('places', data, rows * n, input.precision);
}

function gradient(input: RowsOf<FloatArray>, relaxed: Relaxed, grads: BackwardGrads): FloatArray {
  const { sorted, permutation, propagated } = asRecord('grads', grads, '{ sorted?, permutation?, propagated? }');
  const { rows, n, precision } = input;
  return withArena((arena) => {
    const data = arena.put(input.data);
    const net = place(arena, relaxed);
    const read = (name: string, values: unknown, length: number): Real => arena.put(readLike(name, values, length, precision));
    const gy = sorted && read('sorted', sorted, rows * n);
    const gz = permutation && read('permutation', permutation, rows * n * n);
    const gx = arena.zeroReal(precision, rows * n);
    if (gy || gz) diffsortBack(arena, gx, { gy, gz }, data, net);
    const total = arena.take(gx);
    if (propagated) {
      asRecord('propagated', propagated, '{ places, grad }');
      const places = arena.put(readPlaces(input, propagated.places));
      diffsortBack(arena, gx, { gz: read('propagated', propagated.grad, rows * places.length) }, data, net, places);
      arena.view(gx).forEach((value, i) => {
        total[i] = (total[i] as number) + value;
      });
    }
    return total;
  });
}
