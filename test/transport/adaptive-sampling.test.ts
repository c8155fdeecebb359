import { Random } from '../../src/core/random.js';
import { adversarialAdaptiveSampler, dirichletMaxDensity, residualResample } from '../../src/transport/index.js';
import { expectClose, randomF64 } from '../helpers/close.js';

/** ∫ p·reward − β ∫ |∇p|² on a grid [rows, cols] of a box. */
function objective(
  p: Float64Array,
  reward: Float64Array,
  beta: number,
  [rows, cols]: readonly [number, number],
  [h, w]: readonly [number, number],
) {
  const volume = (h / rows) * (w / cols);
  let sum = 0;
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < cols; j++) {
      const at = i * cols + j;
      sum += volume * p[at]! * reward[at]!;
      if (i + 1 < rows) sum -= beta * volume * ((p[at]! - p[at + cols]!) / (h / rows)) ** 2;
      if (j + 1 < cols) sum -= beta * volume * ((p[at]! - p[at + 1]!) / (w / cols)) ** 2;
    }
  return sum;
}

/** Solves a dense system by elimination with pivots. */
function solve(A: number[][], b: number[]): number[] {
  const n = b.length;
  const M = A.map((row, i) => [...row, b[i]!]);
  for (let k = 0; k < n; k++) {
    const best = Array.from({ length: n - k }, (_, i) => k + i).reduce((p, i) => (Math.abs(M[i]![k]!) > Math.abs(M[p]![k]!) ? i : p));
    [M[k], M[best]] = [M[best]!, M[k]!];
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const factor = M[i]![k]! / M[k]![k]!;
      for (let j = k; j <= n; j++) M[i]![j]! -= factor * M[k]![j]!;
    }
  }
  return M.map((row, i) => row[n]! / row[i]!);
}

const [shape, lengths] = [[6, 5] as const, [2, 1] as const];
const volume = 2 / 30;
const reward = randomF64(30, 4).map((x) => x * x);

test.each([5, 0.5, 0.02, 1e-4])('systems/19: β = %f: no feasible change of the density gathers more', (beta) => {
  const r = dirichletMaxDensity({ data: reward, shape }, { beta, lengths: [...lengths] });
  const p = r.density.data;
  expect(r.converged).toBe(true);
  expectClose(r.objective, objective(p, reward, beta, shape, lengths), { rtol: 1e-9 });
  expectClose(
    p.reduce((s, v) => s + v * volume, 0),
    1,
    { rtol: 1e-12 },
  );
  const random = new Random(1);
  for (let trial = 0; trial < 200; trial++) {
    // Towards another density: stays ≥ 0 and keeps the integral.
    const other = p.map((v) => (trial % 2 ? v * random.uniform() : random.uniform() ** 4));
    const total = other.reduce((s, v) => s + v * volume, 0);
    const step = 10 ** (-4 * random.uniform());
    const moved = p.map((v, i) => (1 - step) * v + (step * other[i]!) / total);
    expect(objective(moved, reward, beta, shape, lengths)).toBeLessThanOrEqual(r.objective + 1e-12);
  }
});

test('systems/19: where the density is positive everywhere it is the dense solution of the optimality system', () => {
  const beta = 5;
  const { density, multiplier } = dirichletMaxDensity({ data: reward, shape }, { beta, lengths: [...lengths] });
  // 2β L p + c = reward and ∫p = 1.
  const A = Array.from({ length: 31 }, () => new Array<number>(31).fill(0));
  for (let i = 0; i < 6; i++)
    for (let j = 0; j < 5; j++)
      for (const [di, dj, h] of [
        [1, 0, 2 / 6],
        [-1, 0, 2 / 6],
        [0, 1, 1 / 5],
        [0, -1, 1 / 5],
      ] as const) {
        const [a, b] = [i + di, j + dj];
        if (a < 0 || a > 5 || b < 0 || b > 4) continue;
        A[i * 5 + j]![i * 5 + j]! += (2 * beta) / h ** 2;
        A[i * 5 + j]![a * 5 + b]! -= (2 * beta) / h ** 2;
      }
  for (let k = 0; k < 30; k++) [A[k]![30], A[30]![k]] = [1, volume];
  const x = solve(A, [...reward, 1]);
  expect(Math.min(...density.data)).toBeGreaterThan(0);
  expectClose(density.data, x.slice(0, 30), { rtol: 1e-9 });
  expectClose(multiplier, x[30]!, { rtol: 1e-9 });
});

test('systems/19: a small β leaves cells empty, where the reward is below the price; a large one is uniform', () => {
  const r = dirichletMaxDensity({ data: reward, shape: [30] }, { beta: 1e-5 });
  const p = r.density.data;
  expect(r.converged).toBe(true);
  expect(p.filter((v) => v === 0).length).toBeGreaterThan(10);
  const slope = p.map((v, i) => (2 * v - (p[i - 1] ?? v) - (p[i + 1] ?? v)) * 900);
  for (let i = 0; i < 30; i++) {
    const gain = reward[i]! - 2e-5 * slope[i]!;
    if (p[i]! > 0) expectClose(gain, r.multiplier, { rtol: 1e-8 });
    else expect(gain).toBeLessThanOrEqual(r.multiplier + 1e-8);
  }
  expectClose(dirichletMaxDensity({ data: reward, shape: [30] }, { beta: 1e8 }).density.data, new Float64Array(30).fill(1), { rtol: 1e-6 });
});

test('the eigenvectors of the Laplacian are cosines: a cosine reward gives a cosine density', () => {
  const n = 64;
  const r = Float64Array.from({ length: n }, (_, i) => Math.cos((Math.PI * 3 * (i + 0.5)) / n));
  const eigenvalue = (2 * n * Math.sin((3 * Math.PI) / (2 * n))) ** 2;
  const beta = 0.1;
  const { density } = dirichletMaxDensity({ data: r, shape: [n] }, { beta });
  expectClose(
    density.data,
    r.map((v) => 1 + v / (2 * beta * eigenvalue)),
    { rtol: 1e-10 },
  );
});

test('systems/19: drawn points fill cells by their share, inside the box, and the same seed draws the same', () => {
  const density = { data: Float64Array.of(0, 1, 3, 0, 0, 4), shape: [2, 3] };
  const draw = (stratified: boolean) => residualResample(density, 8000, { lower: [-1, 0], upper: [1, 3], stratified, seed: 2 });
  for (const stratified of [false, true]) {
    const { data } = draw(stratified);
    const counts = new Float64Array(6);
    for (let k = 0; k < 8000; k++) {
      const [x, y] = [data[2 * k]!, data[2 * k + 1]!];
      expect(x >= -1 && x < 1 && y >= 0 && y < 3).toBe(true);
      counts[Math.floor(x + 1) * 3 + Math.floor(y)]!++;
    }
    expectClose(counts, [0, 1000, 3000, 0, 0, 4000], { atol: stratified ? 1 : 200 });
    expect(draw(stratified).data).toEqual(data);
  }
});

/**
 * −u″ = f on [−1, 1] with a sharp peak, by a sum of 40 Gaussian bumps whose squared residual at the drawn points is minimised (with the
 * boundary values), plus a ridge that keeps bumps without points flat. Every stage adds points; returns the L2 error and the variance of the squared residual after every stage.
 */
function refine(adaptive: boolean, seed: number) {
  const [units, perStage, stages] = [40, 8, 10];
  const [center, width, radius] = [0.37, 0.06, 0.07];
  const exact = (x: number) => Math.exp(-(((x - center) / width) ** 2));
  const load = (x: number) => -exact(x) * (4 * ((x - center) / width ** 2) ** 2 - 2 / width ** 2);
  const bump = (x: number, k: number) => {
    const t = (x - (-1 + (2 * k) / (units - 1))) / radius;
    return { value: Math.exp(-(t * t) / 2), second: (Math.exp(-(t * t) / 2) * (t * t - 1)) / radius ** 2 };
  };
  let a: number[] = new Array(units).fill(0);
  const value = (x: number) => a.reduce((s, c, k) => s + c * bump(x, k).value, 0);
  const residual = (x: number) => a.reduce((s, c, k) => s - c * bump(x, k).second, -load(x));
  const sampler = adversarialAdaptiveSampler({ shape: [200], lower: [-1], upper: [1], beta: 1e-4, uniform: 0.3, seed });
  const rows: { features: number[]; target: number }[] = [-1, 1].map((x) => ({
    features: Array.from({ length: units }, (_, k) => 1e3 * bump(x, k).value),
    target: 1e3 * exact(x),
  }));
  const variances: number[] = [];
  for (let stage = 0; stage < stages; stage++) {
    for (const x of sampler.draw(perStage).data)
      rows.push({ features: Array.from({ length: units }, (_, k) => -bump(x, k).second), target: load(x) });
    const normal = Array.from({ length: units }, (_, p) =>
      Array.from({ length: units }, (_, q) => rows.reduce((s, { features }) => s + features[p]! * features[q]!, p === q ? 100 : 0)),
    );
    a = solve(
      normal,
      Array.from({ length: units }, (_, p) => rows.reduce((s, { features, target }) => s + features[p]! * target, 0)),
    );
    const residuals = Float64Array.from(sampler.cells.data, residual);
    const mean = residuals.reduce((s, r) => s + (r * r) / 200, 0);
    variances.push(residuals.reduce((s, r) => s + (r * r - mean) ** 2 / 200, 0));
    if (adaptive) sampler.update(residuals);
  }
  let square = 0;
  for (let i = 0; i < 400; i++) square += (value(-1 + (i + 0.5) / 200) - exact(-1 + (i + 0.5) / 200)) ** 2 / 200;
  return { error: Math.sqrt(square), variances };
}

test('systems/19: on a Poisson problem with a sharp peak adaptive points beat as many uniform ones, and the residual evens out', () => {
  let [uniform, adaptive] = [0, 0];
  for (const seed of [1, 2, 3, 4, 5]) {
    const [plain, moved] = [refine(false, seed), refine(true, seed)];
    uniform += plain.error / 5;
    adaptive += moved.error / 5;
    expect(moved.variances.at(-1)!).toBeLessThan(0.05 * moved.variances[0]!);
  }
  expect(adaptive).toBeLessThan(0.5 * uniform);
});

test('bad input is refused by name', () => {
  expect(() => dirichletMaxDensity({ data: reward, shape }, { beta: 0 })).toThrow(/beta: expected a number > 0/);
  expect(() => dirichletMaxDensity({ data: reward, shape }, { beta: 1, lengths: [1] })).toThrow(/lengths: expected 2 elements/);
  expect(() => dirichletMaxDensity({ data: Float64Array.of(NaN), shape: [1] }, { beta: 1 })).toThrow(/reward: expected finite/);
  expect(() => residualResample({ data: Float64Array.of(1, -1), shape: [2] }, 3)).toThrow(/density: expected numbers >= 0, got -1/);
  expect(() => residualResample({ data: Float64Array.of(0, 0), shape: [2] }, 3)).toThrow(/density: expected at least one cell > 0/);
  expect(() => residualResample({ data: Float64Array.of(1), shape: [1] }, 3, { lower: [2] })).toThrow(/upper: expected more than lower/);
  expect(() => adversarialAdaptiveSampler({ shape: [3], uniform: 2 })).toThrow(/uniform: expected a number from 0 to 1/);
  expect(() => adversarialAdaptiveSampler({ shape: [3] }).update([1, 2])).toThrow(/residuals: expected 3 elements/);
});
