import fc from 'fast-check';
import { sinkhorn, sinkhornUnbalanced } from '../../src/transport/index.js';
import { expectClose, numericalGradient } from '../helpers/close.js';
import { drawProblem, inner, randomWeights, rowSums } from './problems.js';

const tight = { tolerance: 1e-12, maxIterations: 100_000 };

test('a dirac against a dirac has the closed form of Séjourné et al.', () => {
  // min over p of p·C + ε(p log(p/ab) − p + ab) + Σ ρ(p log(p/a) − p + a): p^(ε+2ρ) = (ab)^ε (ab)^ρ e^(−C).
  fc.assert(
    fc.property(
      fc.double({ min: 0.1, max: 10, noNaN: true }),
      fc.double({ min: 0.1, max: 10, noNaN: true }),
      fc.double({ min: 0, max: 5, noNaN: true }),
      fc.double({ min: 0.01, max: 2, noNaN: true }),
      fc.double({ min: 0.05, max: 20, noNaN: true }),
      (a, b, c, epsilon, rho) => {
        const p = Math.exp(((epsilon + rho) * Math.log(a * b) - c) / (epsilon + 2 * rho));
        const kl = (x: number, y: number) => x * Math.log(x / y) - x + y;
        const r = sinkhornUnbalanced({ cost: [c], a: [a], b: [b] }, { epsilon, marginalPenalty: rho, ...tight });
        expectClose(r.mass, p, { rtol: 1e-9, atol: 1e-11 });
        expectClose(r.value, p * c + epsilon * kl(p, a * b) + rho * (kl(p, a) + kl(p, b)), { rtol: 1e-9, atol: 1e-9 });
      },
    ),
  );
});

test('row sums are a·e^(−f/ρ) and the value is the primal objective', () => {
  const { cost, a, b } = drawProblem(12, 9, 1);
  const masses = a.map((w) => 1.7 * w);
  const r = sinkhornUnbalanced({ cost, a: masses, b }, { epsilon: 0.05, marginalPenalty: [0.4, 3], ...tight });
  const plan = r.plan();
  expectClose(
    rowSums(plan, 9),
    masses.map((w, i) => w * Math.exp(-r.f[i]! / 0.4)),
    { atol: 1e-10 },
  );
  const kl = (x: number, y: number) => x * Math.log(x / y) - x + y;
  let objective = inner(plan, cost);
  for (let k = 0; k < plan.length; k++) objective += 0.05 * kl(plan[k]!, masses[Math.floor(k / 9)]! * b[k % 9]!);
  for (const [i, s] of rowSums(plan, 9).entries()) objective += 0.4 * kl(s, masses[i]!);
  for (let j = 0; j < 9; j++) {
    let s = 0;
    for (let i = 0; i < 12; i++) s += plan[i * 9 + j]!;
    objective += 3 * kl(s, b[j]!);
  }
  expectClose(r.value, objective, { rtol: 1e-9 });
});

test('infinite penalties are the balanced problem, and very large ones come close in few iterations', () => {
  const { cost, a, b } = drawProblem(20, 20, 2);
  const balanced = sinkhorn({ cost, a, b }, { epsilon: 0.02, ...tight });
  expectClose(sinkhornUnbalanced({ cost, a, b }, { epsilon: 0.02, marginalPenalty: Infinity, ...tight }).value, balanced.value, {
    rtol: 1e-12,
  });
  const near = sinkhornUnbalanced({ cost, a, b }, { epsilon: 0.02, marginalPenalty: 1e5, ...tight });
  expectClose(near.value, balanced.value, { rtol: 1e-4 });
  expect(near.iterations).toBeLessThan(500);
});

test('gradients with respect to weights, cost and points are those of differences', () => {
  const [x, y] = [randomWeights(8, 1), randomWeights(10, 2)];
  const [a, b] = [Float64Array.of(0.3, 0.5, 0.1, 0.4), randomWeights(5, 4)];
  const shaped = (data: Float64Array) => ({ data, shape: [data.length / 2, 2] });
  for (const costFunction of ['sqeuclidean', 'euclidean', 'cosine', 'half-sqeuclidean'] as const) {
    for (const marginalPenalty of [
      [0.7, 0.7],
      [0.7, Infinity],
    ] as [number, number][]) {
      const solve = (xs: Float64Array, ys: Float64Array, wa: Float64Array = a, wb: Float64Array = b) =>
        sinkhornUnbalanced({ x: shaped(xs), y: shaped(ys), costFunction, a: wa, b: wb }, { epsilon: 0.05, marginalPenalty, ...tight });
      const { a: ga, b: gb, x: gx, y: gy } = solve(x, y).gradients();
      expectClose(
        gx!,
        numericalGradient((p) => solve(p, y).value, x),
        { atol: 1e-6 },
      );
      expectClose(
        gy!,
        numericalGradient((p) => solve(x, p).value, y),
        { atol: 1e-6 },
      );
      expectClose(
        ga,
        numericalGradient((w) => solve(x, y, w).value, a),
        { atol: 1e-6 },
      );
      expectClose(
        gb,
        numericalGradient((w) => solve(x, y, a, w).value, b),
        { atol: 1e-6 },
      );
    }
  }
});

test.each([0, -1, NaN, [1, 0]])('a penalty of %p is refused by name', (marginalPenalty) => {
  expect(() => sinkhornUnbalanced({ cost: [1] }, { marginalPenalty: marginalPenalty as number })).toThrow(
    /marginalPenalty: expected a number > 0/,
  );
});

test.each(['auto', 'log', 'stabilized', 'scaling'] as const)(
  '%s: rows that a small penalty leaves without mass do not hold up the others',
  (method) => {
    // The third row is hundreds of ε from every column: its scaling is below any float, and its share of the plan nothing.
    const cost = [0, 1, 2, 1, 0, 2, 2, 1, 0, 1, 1, 1, 1, 2, 2, 0, 0, 2, 2, 2, 1, 2, 0, 1, 1];
    const a = new Array<number>(5).fill(0.5);
    for (const marginalPenalty of [0.02, 0.005, 0.002]) {
      const options = { epsilon: 0.002, marginalPenalty, method };
      const exact = sinkhornUnbalanced({ cost, a }, { ...options, method: 'log', tolerance: 1e-10 });
      const r = sinkhornUnbalanced({ cost: Float32Array.from(cost), a }, options);
      expect([r.converged, exact.converged]).toEqual([true, true]);
      expectClose(r.value, exact.value, { rtol: 1e-3 });
      expectClose(r.mass, exact.mass, { rtol: 1e-3 });
    }
  },
);

test.each(['auto', 'log'] as const)('%s: columns whose mass is below every double are a result like others', (method) => {
  const far = { cost: [0, 800_000], a: [1], b: [0.5, 0.5] };
  const r = sinkhornUnbalanced(far, { epsilon: 0.1, marginalPenalty: 100, method });
  expect(r.converged).toBe(true);
  // The near column alone is a dirac against a dirac: p^(ε+2ρ) = (ab)^(ε+ρ), and the far one is paid for in full.
  const p = 0.5 ** (100.1 / 200.1);
  expectClose(r.mass, p, { rtol: 1e-6 });
});
