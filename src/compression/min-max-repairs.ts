// Destroy and repair operators of minMaxDiscreteSolve, and the roulette that chooses among them.
import type { Random } from '../core/random.js';
import { exp } from '../kernels/scalar.js';
import { bindingRows } from './min-max-moves.js';
import { largest, type MinMaxProblem, type MinMaxState, move } from './min-max-problem.js';

/** α of the weights exp(−α·slack), and the rows they are summed over (DMMV: .3; the worst rows carry the sum). */
const alpha = 0.3;
const weighed = 100;

export type Destroy = (problem: MinMaxProblem, state: MinMaxState, count: number, random: Random) => Int32Array;
/** Changes the state in place; false when it was rejected and undone. */
export type Repair = (problem: MinMaxProblem, state: MinMaxState, picked: Int32Array, random: Random) => boolean;

/** Different coordinates, all equally likely. */
export const pickAny: Destroy = ({ columns }, _state, count, random) => random.permutation(columns.length).slice(0, count);

/** Different coordinates, drawn by their weights. */
export const pickHeavy: Destroy = (problem, state, count, random) => {
  const weights = coordinateWeights(problem, state);
  const picked = new Int32Array(count);
  for (let c = 0; c < count; c++) {
    const total = weights.reduce((a, b) => a + b, 0);
    if (!(total > 0)) return pickAny(problem, state, count, random);
    let left = random.uniform() * total;
    let j = -1;
    for (let i = 0; i < weights.length && left >= 0; i++) {
      if (weights[i] === 0) continue;
      left -= weights[i] as number;
      j = i;
    }
    picked[c] = j;
    weights[j] = 0;
  }
  return picked;
};

/**
 * Σ_k |D_k|·exp(−α·slack_kj) / Σ_k |D_k| over the worst rows: slack_kj = (t − |D_k|)/|a_kj| is how far coordinate j can go before row k
 * reaches the maximum t, here in units of the widest gap, so that the weights do not depend on the scale of the problem.
 */
export function coordinateWeights({ columns, levels, reach }: MinMaxProblem, { residual }: MinMaxState): Float64Array {
  const top = largest(residual);
  const rows = bindingRows(residual, reach, 0).subarray(0, weighed);
  const shares = Float64Array.from(rows, (k) => Math.abs(residual[k] as number) / top);
  const sum = shares.reduce((a, b) => a + b, 0);
  return Float64Array.from(columns, (column) => {
    let weight = 0;
    for (let q = 0; q < rows.length; q++) {
      const k = rows[q] as number;
      const change = levels.widest * Math.abs(column[k] as number);
      if (change === 0) continue;
      weight += (shares[q] as number) * exp((-alpha * (top - Math.abs(residual[k] as number))) / change);
    }
    return sum > 0 ? weight / sum : 0;
  });
}

/** Each coordinate −1, 0 or +1 level at random; undone unless ‖D‖₂ falls. */
export const repairAtRandom: Repair = (problem, state, picked, random) => {
  const { low, high } = problem.levels;
  const before = state.residual.slice();
  const levels = Int32Array.from(picked, (j) => state.x[j] as number);
  picked.forEach((j, c) => {
    const by = random.integer(3) - 1;
    const to = (levels[c] as number) + by;
    if (by !== 0 && to >= low && to <= high) move(problem, state, j, by);
  });
  let change = 0;
  for (let k = 0; k < before.length; k++) {
    const [was, is] = [before[k] as number, state.residual[k] as number];
    change += (is - was) * (is + was);
  }
  if (change < 0) return true;
  picked.forEach((j, c) => {
    state.x[j] = levels[c] as number;
  });
  state.residual.set(before);
  return false;
};

/** Each coordinate in turn one level up or down, whichever leaves the lower max |D|. */
export const repairGreedily: Repair = (problem, state, picked) => {
  const { columns, levels } = problem;
  let changed = false;
  for (const j of picked) {
    let [best, by] = [Infinity, 0];
    for (const to of [1, -1]) {
      const level = (state.x[j] as number) + to;
      if (level < levels.low || level > levels.high) continue;
      const top = largestAfter(state.residual, columns[j] as Float64Array, levels.gap(level - to, level));
      if (top < best) [best, by] = [top, to];
    }
    if (by === 0) continue;
    move(problem, state, j, by);
    changed = true;
  }
  return changed;
};

/** max |D + g·a|. */
function largestAfter(residual: Float64Array, a: Float64Array, g: number): number {
  let top = 0;
  for (let k = 0; k < residual.length; k++) top = Math.max(top, Math.abs((residual[k] as number) + g * (a[k] as number)));
  return top;
}

/** Scores of an operator (DMMV): a lower maximum, the same with a smaller ‖D‖₂, no worse, worse. */
export const scores = { best: 5, better: 2, accepted: 1, rejected: 0.5 } as const;

/** Chooses operators by weights that follow their scores: weight ← .7·weight + .3·score. */
export class Roulette<T> {
  readonly #operators: readonly T[];
  readonly #weights: Float64Array;

  constructor(operators: readonly T[]) {
    this.#operators = operators;
    this.#weights = new Float64Array(operators.length).fill(1);
  }

  /** An operator, and what to call with its score. */
  draw(random: Random): { readonly operator: T; readonly reward: (score: number) => void } {
    const weights = this.#weights;
    let left = random.uniform() * weights.reduce((a, b) => a + b, 0);
    let at = 0;
    while (at < weights.length - 1 && (left -= weights[at] as number) >= 0) at++;
    const reward = (score: number): void => {
      weights[at] = 0.7 * (weights[at] as number) + 0.3 * score;
    };
    return { operator: this.#operators[at] as T, reward };
  }
}
