import fc from 'fast-check';
import { emd, sinkhorn } from '../../src/transport/index.js';
import { expectClose, numericalGradient, randomF64 } from '../helpers/close.js';
import { columnSums, drawProblem, inner, randomWeights, rowSums } from './problems.js';

const shaped = (data: Float64Array, cols: number) => ({ data, shape: [data.length / cols, cols] });

/** Σ min over permutations of a square cost, by trying all of them. */
function bruteForce(cost: Float64Array, n: number): number {
  const search = (i: number, used: number): number => {
    if (i === n) return 0;
    let best = Infinity;
    for (let j = 0; j < n; j++) if (!(used & (1 << j))) best = Math.min(best, cost[i * n + j]! + search(i + 1, used | (1 << j)));
    return best;
  };
  return search(0, 0);
}

test('uniform weights give the best permutation', () =>
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.integer(), fc.boolean(), (n, seed, ties) => {
      const cost = randomF64(n * n, seed).map((c) => (ties ? Math.round(c) : c));
      expectClose(emd({ cost: shaped(cost, n) }).value * n, bruteForce(cost, n), { atol: 1e-12 });
    }),
  ));

test('the plan has the marginals, the dual certifies it, and the support is a tree', () =>
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }), fc.integer(), fc.boolean(), (n, m, seed, ties) => {
      const [a, b] = [randomWeights(n, seed), randomWeights(m, seed + 1)];
      const cost = randomF64(n * m, seed + 2).map((c) => (ties ? Math.round(2 * c) : c));
      const r = emd({ cost: shaped(cost, m), a, b });
      const plan = r.plan();
      expect(r.converged).toBe(true);
      expectClose(rowSums(plan, m), a, { atol: 1e-13 });
      expectClose(columnSums(plan, m), b, { atol: 1e-13 });
      expectClose(r.value, inner(plan, cost), { atol: 1e-12 });
      expectClose(r.value, inner(a, r.f) + inner(b, r.g), { atol: 1e-11 });
      for (let k = 0; k < n * m; k++) expect(r.f[Math.floor(k / m)]! + r.g[k % m]!).toBeLessThanOrEqual(cost[k]! + 1e-11);
      expect(r.support.mass.length).toBeLessThanOrEqual(n + m - 1);
    }),
  ));

test('partial transport moves the cheapest mass: between nothing and everything the value is convex', () => {
  const { cost, a, b } = drawProblem(15, 20, 4);
  const values = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1].map((mass) => {
    const r = emd({ cost: shaped(cost, 20), a, b }, { mass });
    const plan = r.plan();
    expectClose(r.mass, mass, { atol: 1e-12 });
    for (const [i, s] of rowSums(plan, 20).entries()) expect(s).toBeLessThanOrEqual(a[i]! + 1e-12);
    for (const [j, s] of columnSums(plan, 20).entries()) expect(s).toBeLessThanOrEqual(b[j]! + 1e-12);
    return r.value;
  });
  for (let k = 1; k < 9; k++) expect(2 * values[k]!).toBeLessThanOrEqual(values[k - 1]! + values[k + 1]! + 1e-12);
  expectClose(values[9]!, emd({ cost: shaped(cost, 20), a, b }).value, { rtol: 1e-12 });
});

test('it is the limit of Sinkhorn for small ε, and Sinkhorn potentials are a warm start', () => {
  const { cost, a, b } = drawProblem(80, 90, 5);
  const soft = sinkhorn({ cost, a, b }, { epsilon: 1e-4 });
  const cold = emd({ cost, a, b });
  const warm = emd({ cost, a, b }, { warmStart: soft });
  expectClose(soft.transportCost, cold.value, { rtol: 2e-2 });
  expectClose(warm.value, cold.value, { rtol: 1e-12 });
  expect(warm.iterations * 2).toBeLessThan(cold.iterations);
});

test('potentials are the gradient in the weights where the basis does not change', () => {
  const { cost, a, b } = drawProblem(4, 5, 6);
  const { f } = emd({ cost, a, b });
  const moved = (w: Float64Array) => emd({ cost, a: w, b: b.map((v) => v * w.reduce((s, x) => s + x, 0)) }).value;
  const gradient = numericalGradient((d) => moved(a.map((w, i) => w + (i === 0 ? -d[0]! : i === 1 ? d[0]! : 0))), [0], 1e-7);
  expectClose(f[1]! - f[0]!, gradient[0]!, { atol: 1e-6 });
});

test('zero weights take no mass, f32 costs work, and a pivot limit is reported', () => {
  const { cost, a, b } = drawProblem(6, 7, 7);
  const zero = emd({ cost: new Float32Array(cost), a: a.map((w, i) => (i === 2 ? 0 : w)), b: b.map((w) => w * (1 - a[2]!)) });
  expect(zero.f[2]).toBe(-Infinity);
  expectClose(rowSums(zero.plan(), 7)[2]!, 0);
  expect(emd({ cost, a, b }, { maxIterations: 1 }).converged).toBe(false);
});

test.each([
  ['negative weights', { cost: [0, 1, 1, 0], a: [1.5, -0.5] }, {}, /a: expected numbers >= 0/],
  ['unequal totals', { cost: [0, 1, 1, 0], a: [1, 1] }, {}, /b: expected the total of a/],
  ['too much mass', { cost: [0, 1, 1, 0] }, { mass: 2 }, /mass: expected at most/],
  ['an empty cost', { cost: [] }, {}, /cost: expected at least one/],
])('%s are refused by name', (_name, problem, options, message) => {
  expect(() => emd(problem as never, options as never)).toThrow(message);
});

test.each([1e-14, 1e-6, 1, 1e6, 1e30])('costs of size %p are solved as well as others, whole or in part', (scale) => {
  const unit = randomF64(35, 4).map((c) => Math.round(8 * c) / 8);
  const cost = shaped(
    unit.map((c) => c * scale),
    5,
  );
  const [a, b] = [randomWeights(7, 1), randomWeights(5, 2)];
  for (const mass of [undefined, 0.6]) {
    const options = mass === undefined ? {} : { mass };
    const [one, scaled] = [emd({ cost: shaped(unit, 5), a, b }, options), emd({ cost, a, b }, options)];
    expectClose(scaled.value / scale, one.value, { rtol: 1e-12 });
    for (let i = 0; i < 7; i++)
      for (let j = 0; j < 5; j++) expect(scaled.f[i]! + scaled.g[j]! - cost.data[i * 5 + j]!).toBeLessThanOrEqual(1e-12 * scale);
    if (mass === undefined) expectClose((inner(scaled.f, a) + inner(scaled.g, b)) / scale, one.value, { rtol: 1e-12 });
  }
});
