import fc from 'fast-check';
import { Random } from '../../src/core/random.js';
import { sinkhorn } from '../../src/transport/index.js';
import { expectClose, numericalGradient, randomF64 } from '../helpers/close.js';
import { columnSums, drawProblem, inner, randomWeights, rowSums, squaredDistances } from './problems.js';

const methods = ['auto', 'scaling', 'log', 'stabilized'] as const;
const tight = { tolerance: 1e-11, maxIterations: 100_000 };
const problems = fc
  .record({ n: fc.integer({ min: 1, max: 9 }), m: fc.integer({ min: 1, max: 9 }), seed: fc.integer({ min: 0, max: 1e6 }) })
  .map(({ n, m, seed }) => ({
    n,
    m,
    cost: randomF64(n * m, seed).map(Math.abs),
    a: randomWeights(n, seed + 1),
    b: randomWeights(m, seed + 2),
  }));

test.each(methods)('two points: the plan of %s is the closed form ½·sigmoid(±1/ε)', (method) => {
  const stay = 0.5 / (1 + Math.exp(-1));
  const { plan } = sinkhorn({ cost: [0, 1, 1, 0] }, { epsilon: 1, method, ...tight });
  expectClose(plan(), [stay, 0.5 - stay, 0.5 - stay, stay], { atol: 1e-11 });
});

test.each(methods)('%s keeps both marginals and the value is the primal value', (method) =>
  fc.assert(
    fc.property(problems, ({ m, cost, a, b }) => {
      const r = sinkhorn({ cost, a, b }, { epsilon: 0.2, method, ...tight });
      const plan = r.plan();
      expectClose(rowSums(plan, m), a, { atol: 1e-10 });
      expectClose(columnSums(plan, m), b, { atol: 1e-10 });
      let entropy = 0;
      for (let k = 0; k < plan.length; k++) entropy += plan[k]! * Math.log(plan[k]! / (a[Math.floor(k / m)]! * b[k % m]!));
      expectClose(r.value, inner(plan, cost) + 0.2 * entropy, { atol: 1e-9 });
      expectClose(r.transportCost, inner(plan, cost), { atol: 1e-11 });
      expectClose(
        r.g.reduce((s, x) => s + x, 0),
        0,
        { atol: 1e-10 },
      );
    }),
    { numRuns: 40 },
  ),
);

test('the reported error is the error of the returned potentials, up to the rounding of entries to f32 where a tolerance allows it', () => {
  const { cost, a, b } = drawProblem(40, 30, 5);
  for (const [data, tolerance, atol] of [
    [cost, 1e-6, 1e-12],
    [Float32Array.from(cost), 9e-6, 1e-12],
    [Float32Array.from(cost), 1e-4, 5e-7],
  ] as const) {
    const { f, g, error } = sinkhorn({ cost: data, a, b }, { epsilon: 0.01, tolerance });
    const plan = Float64Array.from(
      data,
      (c, k) => a[Math.floor(k / 30)]! * b[k % 30]! * Math.exp((f[Math.floor(k / 30)]! + g[k % 30]! - c) / 0.01),
    );
    let want = 0;
    for (const [i, r] of rowSums(plan, 30).entries()) want += Math.abs(r - a[i]!);
    for (const [j, c] of columnSums(plan, 30).entries()) want += Math.abs(c - b[j]!);
    expectClose(error, want, { atol });
  }
});

test('points give what their cost matrix gives, whole and by tiles', () => {
  const x = randomF64(60, 1);
  const y = randomF64(40, 2);
  const cost = squaredDistances(x, y, 2);
  const points = { x: { data: x, shape: [30, 2] }, y: { data: y, shape: [20, 2] } };
  const want = sinkhorn({ cost, a: randomWeights(30, 3), b: randomWeights(20, 4) }, { epsilon: 0.3, ...tight });
  for (const lazy of [false, true]) {
    const got = sinkhorn({ ...points, a: randomWeights(30, 3), b: randomWeights(20, 4) }, { epsilon: 0.3, lazy, ...tight });
    expectClose(got.value, want.value, { rtol: 1e-10 });
    expectClose(got.plan(), want.plan(), { atol: 1e-10 });
  }
});

test('tiles of many rows agree with the whole matrix', () => {
  const { cost, a, b, x, y } = drawProblem(300, 500, 8);
  const lazy = sinkhorn(
    { x: { data: x, shape: [300, 2] }, y: { data: y, shape: [500, 2] }, a, b },
    { epsilon: 0.05, lazy: true, ...tight },
  );
  const whole = sinkhorn({ cost, a, b }, { epsilon: 0.05, ...tight });
  expectClose(lazy.value, whole.value, { rtol: 1e-10 });
  expectClose(lazy.g, whole.g, { atol: 1e-9 });
});

test('euclidean and cosine costs are the distances they are named after', () => {
  const x = { data: Float64Array.of(1, 0, 0, 2), shape: [2, 2] };
  const y = { data: Float64Array.of(3, 0, 3, 3), shape: [2, 2] };
  const want = { euclidean: [2, Math.sqrt(13), Math.sqrt(13), Math.sqrt(10)], cosine: [0, 1 - Math.SQRT1_2, 1, 1 - Math.SQRT1_2] };
  for (const costFunction of ['euclidean', 'cosine'] as const) {
    const got = sinkhorn({ x, y, costFunction }, { epsilon: 0.5, ...tight });
    expectClose(got.value, sinkhorn({ cost: want[costFunction] }, { epsilon: 0.5, ...tight }).value, { rtol: 1e-10 });
  }
});

test('the gradient of the value is the plan for the cost and f for the weights, up to a constant', () => {
  const { cost, a, b } = drawProblem(5, 6, 2);
  const r = sinkhorn({ cost, a, b }, { epsilon: 0.1, ...tight });
  const value = (c: Float64Array, weights = a) => sinkhorn({ cost: c, a: weights, b }, { epsilon: 0.1, ...tight }).value;
  expectClose(r.plan(), numericalGradient(value, cost), { atol: 1e-7 });
  for (let i = 1; i < 5; i++) {
    const moved = (h: number) =>
      value(
        cost,
        a.map((w, k) => (k === i ? w + h : k === 0 ? w - h : w)),
      );
    expectClose(r.f[i]! - r.f[0]!, (moved(1e-5) - moved(-1e-5)) / 2e-5, { atol: 1e-6 });
  }
});

test('a dirac against a dirac costs their distance whatever ε', () => {
  for (const epsilon of [1e-6, 1, 100]) {
    const r = sinkhorn(
      { x: { data: Float64Array.of(0, 0), shape: [1, 2] }, y: { data: Float64Array.of(3, 4), shape: [1, 2] } },
      { epsilon },
    );
    expectClose(r.value, 25, { rtol: 1e-12 });
  }
});

test('shifting or scaling the cost shifts or scales the value, with ε in units of the cost', () => {
  const { cost, a, b } = drawProblem(9, 7, 4);
  const { value } = sinkhorn({ cost, a, b }, { epsilon: 0.02, ...tight });
  expectClose(sinkhorn({ cost: cost.map((c) => c + 3), a, b }, { epsilon: 0.02, ...tight }).value, value + 3, { rtol: 1e-10 });
  for (const scale of [1e-20, 1e20]) {
    const scaled = sinkhorn({ cost: cost.map((c) => c * scale), a, b }, { epsilon: 0.02 * scale, ...tight });
    expect(scaled.converged).toBe(true);
    expectClose(scaled.value, value * scale, { rtol: 1e-9 });
  }
});

test('permuting points permutes potentials', () => {
  const { cost, a, b } = drawProblem(8, 6, 3);
  const order = new Random(1).permutation(8);
  const permuted = Float64Array.from({ length: 48 }, (_, k) => cost[order[Math.floor(k / 6)]! * 6 + (k % 6)]!);
  const one = sinkhorn({ cost, a, b }, tight);
  const two = sinkhorn({ cost: permuted, a: Float64Array.from(order, (i) => a[i]!), b }, tight);
  expectClose(
    two.f,
    Float64Array.from(order, (i) => one.f[i]!),
    { atol: 1e-9 },
  );
});

test('a warm start from the solution needs almost no iterations', () => {
  const { cost, a, b } = drawProblem(60, 50, 6);
  const cold = sinkhorn({ cost, a, b }, { epsilon: 2e-3 });
  const warm = sinkhorn({ cost, a, b }, { epsilon: 2e-3, warmStart: cold });
  expect(cold.iterations).toBeGreaterThan(40);
  expect(warm.iterations).toBeLessThan(10);
  expectClose(warm.value, cold.value, { rtol: 1e-5 });
});

test('a useless warm start does no harm', () => {
  const { cost, a, b } = drawProblem(20, 20, 6);
  const wild = { f: new Float64Array(20).map((_, i) => (i % 2 ? 1e6 : -1e6)), g: new Float64Array(20).fill(-Infinity) };
  const got = sinkhorn({ cost, a, b }, { epsilon: 0.01, warmStart: wild, ...tight });
  expect(got.converged).toBe(true);
  expectClose(got.value, sinkhorn({ cost, a, b }, { epsilon: 0.01, ...tight }).value, { rtol: 1e-10 });
});

test('over-relaxation learns ω and saves iterations', () => {
  const { cost, a, b } = drawProblem(100, 100, 7);
  const plain = sinkhorn({ cost, a, b }, { epsilon: 1e-3, overRelaxation: 1, epsilonScaling: false });
  const relaxed = sinkhorn({ cost, a, b }, { epsilon: 1e-3 });
  expect(relaxed.converged && plain.converged).toBe(true);
  expect(relaxed.iterations * 4).toBeLessThan(plain.iterations);
});

test('iterations that run out are reported, with finite results', () => {
  const { cost, a, b } = drawProblem(50, 50, 9);
  for (const method of methods) {
    const r = sinkhorn({ cost, a, b }, { epsilon: 1e-5, method, maxIterations: 7 });
    expect(r.converged).toBe(false);
    expect(r.iterations).toBe(7);
    expect([...r.f, ...r.g, r.value, r.error].every(Number.isFinite)).toBe(true);
  }
});

test('onIteration sees every iteration and can stop', () => {
  const { cost, a, b } = drawProblem(30, 30, 9);
  const seen: number[] = [];
  const r = sinkhorn({ cost, a, b }, { epsilon: 1e-3, onIteration: ({ iteration }) => seen.push(iteration) < 12 });
  expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  expect(r.converged).toBe(false);
});

test('costs over five hundred orders of magnitude and far outliers converge without NaN', () => {
  const cost = Float64Array.of(0, 1e200, 1, 1e-200, 5, 0, 1e3, 2, 1e100);
  for (const method of methods) {
    const r = sinkhorn({ cost }, { epsilon: 1e-3, method, maxIterations: 500 });
    expect([...r.f, ...r.g, r.value].every((v) => !Number.isNaN(v))).toBe(true);
  }
});

test('tiny weights are carried as faithfully as large ones', () => {
  const a = Float64Array.of(1 - 1e-12, 1e-12);
  const r = sinkhorn({ cost: [0, 1, 1, 0], a, b: [0.5, 0.5] }, { epsilon: 0.1, tolerance: 1e-15, maxIterations: 1000 });
  expectClose(rowSums(r.plan(), 2), a, { rtol: 1e-9, atol: 1e-16 });
});

test('plans index like arrays and are tensors', () => {
  const plan = sinkhorn({ cost: Float32Array.of(0, 1, 1, 0, 2, 2), b: [0.5, 0.25, 0.25] }, {}).plan();
  expect(plan).toBeInstanceOf(Float32Array);
  expect(plan.shape).toEqual([2, 3]);
  expect(plan.data).toBe(plan);
});

describe('bad input is refused by name', () => {
  const cost = [0, 1, 1, 0];
  test.each([
    ['epsilon 0', { cost }, { epsilon: 0 }, /epsilon: expected a number > 0, got 0/],
    ['epsilon NaN', { cost }, { epsilon: NaN }, /epsilon/],
    ['a negative weight', { cost, a: [1.5, -0.5] }, {}, /a: expected numbers >= 0, got -0.5 at index 1/],
    ['a NaN weight', { cost, b: [NaN, 1] }, {}, /b: expected numbers >= 0, got NaN at index 0/],
    ['weights of zero', { cost, b: [0, 0] }, {}, /b: expected at least one weight > 0/],
    ['unequal totals', { cost, a: [0.5, 0.5], b: [1, 1] }, {}, /b: expected the total of a/],
    ['a cost of the wrong shape', { cost: [1, 2, 3], a: [0.5, 0.5], b: [0.5, 0.5] }, {}, /cost: expected 2 x 2 = 4 elements, got 3/],
    ['an empty cost', { cost: [] }, {}, /cost: expected at least one element/],
    [
      'an empty point set',
      { x: { data: new Float64Array(0), shape: [0, 2] }, y: { data: new Float64Array(2), shape: [1, 2] } },
      {},
      /x: expected at least/,
    ],
    ['a NaN cost', { cost: [0, NaN, 1, 0] }, {}, /cost: expected finite numbers, got NaN at index 1/],
    ['points of other dimension', { x: [[1, 2]], y: [[1, 2, 3]] }, {}, /y: expected 2 columns/],
    ['an unknown method', { cost }, { method: 'fast' }, /method: expected one of auto, scaling, log, stabilized, got 'fast'/],
    ['an unknown cost function', { x: [[1]], y: [[1]], costFunction: 'l1' }, {}, /costFunction: expected one of/],
    ['a warm start of other length', { cost }, { warmStart: { f: [0], g: [0, 0] } }, /warmStart.f: expected 2 elements, got 1/],
    ['over-relaxation 2', { cost }, { overRelaxation: 2 }, /overRelaxation/],
  ])('%s', (_name, problem, options, message) => {
    expect(() => sinkhorn(problem as never, options as never)).toThrow(message);
  });
});
