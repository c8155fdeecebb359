// One Newton step on the dual of entropic partial transport, between two steps of block ascent that settle which columns are full.
import { exp, log } from '../kernels/scalar.js';
import { newtonDirection } from './dual-newton.js';
import { total } from './problem.js';

/** Duals in units of ε: P_ij = exp(F_i + G_j + level − C_ij/ε), F and G ≤ 0. */
export interface CappedDual {
  readonly F: Float64Array;
  readonly G: Float64Array;
  readonly level: number;
}
/** Weights, costs [n, m], the mass to move, and the spread of the costs. */
export interface CappedProblem {
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly C: ArrayLike<number>;
  readonly mass: number;
  readonly epsilon: number;
  readonly spread: number;
}

/** Potentials so near to 0 whose column is not full count as slack. */
const nearBound = 1e-6;

interface Evaluated extends CappedDual {
  readonly plan: Float64Array;
  readonly sums: Float64Array;
  readonly value: number;
}

/** Best F for G and level, the plan and the dual value. */
function evaluate({ a, b, C, mass, epsilon }: CappedProblem, G: Float64Array, level: number): Evaluated {
  const [n, m] = [a.length, b.length];
  const F = new Float64Array(n);
  const plan = new Float64Array(n * m);
  const sums = new Float64Array(m);
  let value = level * mass;
  for (let i = 0; i < n; i++) {
    let top = -Infinity;
    for (let j = 0; j < m; j++) {
      const x = G[j]! + level - C[i * m + j]! / epsilon;
      plan[i * m + j] = x;
      if (x > top) top = x;
    }
    let rowSum = 0;
    for (let j = 0; j < m; j++) rowSum += plan[i * m + j] = exp(plan[i * m + j]! - top);
    F[i] = Math.min(0, log(a[i]! / rowSum) - top);
    const scale = exp(F[i]! + top);
    for (let j = 0; j < m; j++) sums[j]! += plan[i * m + j]! *= scale;
    value += a[i]! * F[i]! - scale * rowSum;
  }
  for (let j = 0; j < m; j++) value += b[j]! * G[j]!;
  return { F, G, level, plan, sums, value };
}

/**
 * A step that does not lower the dual, or undefined where there is none. Columns with slack (G = 0, not full) move with the level as one node of the
 * Laplacian, full ones by themselves; `ridge` is relative to the masses.
 */
export function cappedNewton(problem: CappedProblem, start: CappedDual, ridge: number): CappedDual | undefined {
  const { a, b, mass, epsilon, spread } = problem;
  const [n, m] = [a.length, b.length];
  // While all columns are full the level may fall to where the first of them has slack.
  const top = Math.max(...start.G);
  const here = evaluate(
    problem,
    start.G.map((x) => x - top),
    start.level + top,
  );
  const group = new Int32Array(m);
  const slacks = Array.from(here.G, (x, j) => x > -nearBound && here.sums[j]! <= b[j]!);
  if (!slacks.includes(true)) slacks[here.G.indexOf(0)] = true;
  let nodes = 1;
  for (let j = 0; j < m; j++) group[j] = slacks[j] ? 0 : nodes++;
  const [wanted, gradient, merged] = [new Float64Array(nodes), new Float64Array(nodes), new Float64Array(n * nodes)];
  gradient[0] = mass;
  for (let j = 0; j < m; j++) {
    const [to, full] = [group[j]!, !slacks[j]];
    wanted[to]! += b[j]!;
    gradient[to]! += (full ? b[j]! : 0) - here.sums[j]!;
    if (full) gradient[0]! -= b[j]!;
    for (let i = 0; i < n; i++) merged[i * nodes + to]! += here.plan[i * m + j]!;
  }
  const kappas = here.F.map((x) => (x < 0 ? 1 : 0));
  const d = newtonDirection(
    merged,
    kappas,
    wanted.map((w) => ridge * w),
    gradient,
  );
  const longest = d.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  if (!(longest > 0 && longest < Infinity)) return undefined;
  const rounding = 1e-15 * (Math.abs(here.value) + total(here.sums));
  let step = Math.min(1, ((2 * spread) / epsilon + 50) / longest);
  for (let trial = 0; trial < 30; trial++, step /= 2) {
    const up = step * d[0]!;
    const G = here.G.map((x, j) => (slacks[j] ? 0 : Math.min(0, x + step * d[group[j]!]! - up)));
    const there = evaluate(problem, G, here.level + up);
    if (there.value >= here.value - rounding) return there;
  }
  return undefined;
}
