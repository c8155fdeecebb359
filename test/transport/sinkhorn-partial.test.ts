import fc from 'fast-check';
import { sinkhornPartial } from '../../src/transport/index.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { columnSums, drawProblem, inner, randomWeights, rowSums } from './problems.js';

test('the plan keeps both bounds, moves the mass asked for, and its value is the primal value', () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 8 }),
      fc.double({ min: 0.05, max: 1, noNaN: true }),
      fc.integer(),
      (n, m, mass, seed) => {
        const [a, b] = [randomWeights(n, seed), randomWeights(m, seed + 1)];
        const cost = randomF64(n * m, seed + 2);
        const r = sinkhornPartial({ cost, a, b }, { mass, epsilon: 0.3, tolerance: 1e-10, maxIterations: 50_000 });
        const plan = r.plan();
        for (const [i, s] of rowSums(plan, m).entries()) expect(s).toBeLessThanOrEqual(a[i]! + 1e-9);
        for (const [j, s] of columnSums(plan, m).entries()) expect(s).toBeLessThanOrEqual(b[j]! + 1e-9);
        expectClose(r.mass, mass, { atol: 1e-9 });
        let entropy = 0;
        for (const p of plan) entropy += p * (Math.log(p) - 1);
        expectClose(r.value, inner(plan, cost) + 0.3 * entropy, { atol: 1e-7 });
        expect([...r.f, ...r.g].every((x) => x <= 0)).toBe(true);
      },
    ),
    { numRuns: 40 },
  ));

test('small ε stays finite and honest', () => {
  const { cost, a, b } = drawProblem(30, 40, 3);
  for (const epsilon of [1e-2, 1e-4, 1e-6]) {
    const r = sinkhornPartial({ cost, a, b }, { mass: 0.3, epsilon });
    expect([...r.plan(), r.value, r.error].every(Number.isFinite)).toBe(true);
    if (r.converged) expectClose(r.mass, 0.3, { atol: 1e-5 });
    else expect(r.error).toBeGreaterThan(1e-6);
  }
});

test('massless points get −∞ and nothing else changes', () => {
  const { cost, a, b } = drawProblem(3, 4, 3);
  const wide = Float64Array.from({ length: 16 }, (_, k) => (k < 12 ? cost[k]! : 0));
  const [one, two] = [sinkhornPartial({ cost, a, b }, { mass: 0.5 }), sinkhornPartial({ cost: wide, a: [...a, 0], b }, { mass: 0.5 })];
  expectClose(two.plan().subarray(0, 12), one.plan(), { atol: 1e-12 });
  expect(two.f[3]).toBe(-Infinity);
});

test.each([0, -1, 1.5, NaN, undefined])('mass %p is refused by name', (mass) => {
  expect(() => sinkhornPartial({ cost: [0, 1, 1, 0] }, { mass: mass as number })).toThrow(/mass: expected/);
});
