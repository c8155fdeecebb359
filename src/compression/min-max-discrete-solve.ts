import { checkArray, checkFinite, checkInteger, checkLength, checkNotEmpty, checkPositive } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import { type OnIteration, readIterative } from '../core/iterations.js';
import { Random } from '../core/random.js';
import { asFloats, asTensor, isFloatArray, type NumberArray, type TensorLike } from '../core/tensor.js';
import { localSearch } from './min-max-moves.js';
import { evenLevels, type Levels, largest, type MinMaxState, minMaxProblem, squares, stateAt, tableLevels } from './min-max-problem.js';
import { pickAny, pickHeavy, Roulette, repairAtRandom, repairGreedily, scores } from './min-max-repairs.js';

export interface MinMaxDiscreteSolveOptions {
  /** Distance of two levels. Either this or `levels`. */
  readonly step?: number;
  /** Least and greatest level, as multiples of the step (−127, 127). */
  readonly low?: number;
  readonly high?: number;
  /** A look-up table of ascending values, in place of step, low and high: a move goes to the next entry. */
  readonly levels?: NumberArray;
  /** What A·values should come near [rows] (A·w). */
  readonly target?: NumberArray;
  /** More values [n] to start from, taken to the nearest levels: what GPTQ or `layerObs` made, say. The best one is gone on from. */
  readonly starts?: readonly NumberArray[];
  /** Rounds of destroying and repairing after the first local search (100). */
  readonly iterations?: number;
  readonly seed?: number;
  /** Called after every round with the least maximum so far; false stops the search there. */
  readonly onIteration?: OnIteration;
}

export interface MinMaxDiscreteSolveResult {
  /** Multiples of the step, or places in the table. */
  readonly levels: Int32Array;
  /** step·levels, or the entries of the table. */
  readonly values: Float64Array;
  /** max_k |(A·values − target)_k|, and the same for the nearest levels. */
  readonly maximum: number;
  readonly rounded: number;
}

/**
 * Discrete levels whose worst violation is least: min over x of max_k |A·values(x) − target|_k, target = A·w unless given. Adaptive
 * large-neighbourhood search from nearest rounding (or better starts): .5 % of the coordinates, at least two or three, are drawn, evenly or by
 * Σ_k |D_k| exp(−.3·slack_kj), and repaired, by random steps that lower ‖D‖₂ or the better single step; swaps (one level up here, one down
 * there) and single steps follow until none lowers the maximum; what is worse is undone. Operators are chosen by what they gained before.
 * O(rows) per move made, O(n²) tests per round, most of them ended by the worst row.
 *
 * @param A matrix [rows, n]: calibration inputs, or a frequency grid
 * @param w the numbers to approximate [n]
 * @param options `step`, `low` (−127), `high` (127), or `levels` (a table); `target` (A·w), `starts` (none), `iterations` (100), `seed` (0),
 *   `onIteration` (return false to stop)
 * @returns `levels`, `values`, `maximum` (never above `rounded`), `rounded`
 * @throws {ShapeError | DomainError} when shapes disagree or a value is out of range
 * @see Discrete Optimization of Min-Max Violation and its Applications Across Computational Sciences (DMMV)
 */
export function minMaxDiscreteSolve(A: TensorLike, w: NumberArray, options: MinMaxDiscreteSolveOptions): MinMaxDiscreteSolveResult {
  const { target, starts = [], iterations = 100, seed = 0, onIteration } = readIterative(options, '{ step } or { levels }');
  const { data, shape } = asTensor('A', A);
  const weights = asFloats('w', w);
  const levels = readLevels(options);
  checkInteger('iterations', iterations, 0);
  const [rows = 0, n = 0] = shape;
  if (shape.length !== 2 || rows === 0) throw new ShapeError(`A: expected a matrix [rows, n], got shape [${shape.join(', ')}]`);
  if (!isFloatArray(data)) throw new DomainError('A: expected float32 or float64 numbers');
  checkLength('w', weights, n);
  checkFinite('A', data);
  checkFinite('w', weights);
  const b = target === undefined ? undefined : readNumbers('target', target, rows);
  checkArray('starts', starts);
  const begins = [weights, ...Array.from(starts, (start, i) => readNumbers(`starts[${i}]`, start, n))];

  const problem = minMaxProblem(data, rows, weights, levels, b);
  const nearest = stateAt(problem, Int32Array.from(weights, levels.nearest));
  const rounded = largest(nearest.residual);
  let best = nearest;
  let maximum = rounded;
  // Compared by residuals computed afresh: what thousands of moves add up to does not count.
  const consider = (trial: MinMaxState): number => {
    localSearch(problem, trial);
    const fresh = stateAt(problem, trial.x);
    const top = largest(fresh.residual);
    if (top > maximum) return scores.rejected;
    const gain = squares(best.residual) - squares(fresh.residual);
    if (top === maximum && gain < 0) return scores.rejected;
    const score = top < maximum ? scores.best : gain > 0 ? scores.better : scores.accepted;
    [best, maximum] = [fresh, top];
    return score;
  };
  for (const begin of begins) consider(stateAt(problem, Int32Array.from(begin, levels.nearest)));

  const random = new Random(seed);
  const destroys = new Roulette([pickAny, pickHeavy]);
  const repairs = new Roulette([repairAtRandom, repairGreedily]);
  const share = Math.max(2, Math.ceil(n / 200));
  for (let iteration = 1; iteration <= iterations && n > 0; iteration++) {
    const destroy = destroys.draw(random);
    const repair = repairs.draw(random);
    const trial: MinMaxState = { x: best.x.slice(), residual: best.residual.slice() };
    const count = Math.min(n, share + random.integer(2)); // one more half of the time: optima that differ by an odd number of moves
    const picked = destroy.operator(problem, trial, count, random);
    const score = repair.operator(problem, trial, picked, random) ? consider(trial) : scores.rejected;
    destroy.reward(score);
    repair.reward(score);
    if (onIteration?.({ iteration, error: maximum }) === false) break;
  }
  return { levels: best.x, values: Float64Array.from(best.x, levels.value), maximum, rounded };
}

function readLevels({ step, low, high, levels }: MinMaxDiscreteSolveOptions): Levels {
  if (levels === undefined) {
    checkPositive('step', step);
    const [least, most] = [low ?? -127, high ?? 127];
    checkInteger('low', least);
    checkInteger('high', most, least);
    return evenLevels(step, least, most);
  }
  for (const [name, value] of Object.entries({ step, low, high }))
    if (value !== undefined) throw new DomainError(`${name}: expected none beside levels, got ${value}`);
  const table = Float64Array.from(asFloats('levels', levels));
  checkNotEmpty('levels', table);
  checkFinite('levels', table);
  for (let l = 1; l < table.length; l++)
    if (!((table[l] as number) > (table[l - 1] as number)))
      throw new DomainError(`levels: expected ascending numbers, got ${table[l]} after ${table[l - 1]}`);
  return tableLevels(table);
}

function readNumbers(name: string, value: NumberArray, length: number): ArrayLike<number> & Iterable<number> {
  const numbers = asFloats(name, value);
  checkLength(name, numbers, length);
  checkFinite(name, numbers);
  return numbers;
}
