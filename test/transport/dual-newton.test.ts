import { Random } from '../../src/core/random.js';
import { emd, sinkhorn, sinkhornPartial, sinkhornUnbalanced } from '../../src/transport/index.js';
import { expectClose } from '../helpers/close.js';
import { columnSums, randomWeights, rowSums } from './problems.js';

const methods = ['auto', 'log', 'stabilized'] as const;

/** Random costs in [0, 1] and weights; every third problem has uniform weights. */
function draw(n: number, m: number, seed: number) {
  const random = new Random(seed);
  const cost = Float64Array.from({ length: n * m }, () => random.uniform());
  return seed % 3 === 0
    ? { cost, a: new Float64Array(n).fill(1 / n), b: new Float64Array(m).fill(1 / m) }
    : { cost, a: randomWeights(n, seed + 1), b: randomWeights(m, seed + 2) };
}

/** Small problems, `draws` of each size, at ε from a tenth to a thousandth of the largest cost. */
function* smallProblems(draws: number) {
  for (const [n, m] of [
    [2, 2],
    [3, 3],
    [2, 5],
    [7, 3],
    [12, 12],
    [17, 33],
    [33, 33],
  ] as const)
    for (const epsilon of [0.1, 1e-2, 1e-3])
      for (let seed = 0; seed < draws; seed++)
        yield { ...draw(n, m, 10 * n + seed), n, m, epsilon, name: `${n} x ${m}, ${epsilon}, seed ${seed}` };
}

test.each(methods)('%s converges on small problems however small epsilon is against the costs', (method) => {
  const slow: string[] = [];
  for (const { cost, a, b, epsilon, name } of smallProblems(4)) {
    for (const [data, tolerance] of [
      [cost, 1e-6],
      [Float32Array.from(cost), 1e-4],
      [cost, 1e-10],
    ] as const) {
      const r = sinkhorn({ cost: data, a, b }, { epsilon, method, tolerance });
      if (!r.converged || !(r.error <= tolerance) || r.iterations > 2000)
        slow.push(`${name}, ${tolerance}: ${r.error} after ${r.iterations}`);
    }
  }
  expect(slow).toEqual([]);
});

test('the accelerated potentials are those of plain iterations, and stay valid where plain iterations run out', () => {
  let ranOut = 0;
  for (let seed = 0; seed < 12; seed++) {
    const { cost, a, b } = draw(5, 4, seed);
    const fast = sinkhorn({ cost, a, b }, { epsilon: 0.02, method: 'log', tolerance: 1e-11 });
    const plain = sinkhorn({ cost, a, b }, { epsilon: 0.02, method: 'log', tolerance: 1e-11, overRelaxation: 1, maxIterations: 20_000 });
    expect(fast.converged).toBe(true);
    expect(fast.iterations).toBeLessThanOrEqual(plain.iterations);
    expectClose(rowSums(fast.plan(), 4), a, { atol: 1e-10 });
    expectClose(columnSums(fast.plan(), 4), b, { atol: 1e-10 });
    if (!plain.converged) ranOut++;
    else expectClose(fast.plan(), plain.plan(), { atol: 1e-8 });
  }
  expect(ranOut).toBeLessThan(12);
});

test('a problem of two points that plain iterations do not solve in 10 000 is solved', () => {
  const problem = { cost: [0, 1.3, 0.1, 0] };
  const plain = sinkhorn(problem, { epsilon: 0.05, method: 'log', overRelaxation: 1 });
  expect(plain.converged).toBe(false);
  for (const method of methods) {
    const r = sinkhorn(problem, { epsilon: 0.05, method });
    expect(r.converged).toBe(true);
    expect(r.iterations).toBeLessThan(300);
    expectClose(r.plan(), [0.5, 0, 0, 0.5], { atol: 1e-6 });
  }
});

test('penalties on the marginals are accelerated to the same fixed point', () => {
  for (const penalty of [1, 100, [Infinity, 5], [5, Infinity]] as const)
    for (let seed = 0; seed < 6; seed++) {
      const { cost, a, b } = draw(6, 9, seed);
      const options = { marginalPenalty: penalty, epsilon: 0.01, tolerance: 1e-10 };
      const fast = sinkhornUnbalanced({ cost, a, b }, { ...options, method: 'log' });
      const plain = sinkhornUnbalanced({ cost, a, b }, { ...options, method: 'log', overRelaxation: 1, maxIterations: 30_000 });
      expect(fast.converged).toBe(true);
      expect(fast.iterations).toBeLessThanOrEqual(plain.iterations);
      if (plain.converged) expectClose(fast.value, plain.value, { rtol: 1e-7 });
    }
});

test('steps count as iterations, are reported one by one, and stop on false and at maxIterations', () => {
  const problem = { cost: [0, 1.3, 0.1, 0] };
  const seen: number[] = [];
  const whole = sinkhorn(problem, { epsilon: 0.05, method: 'log', onIteration: ({ iteration }) => seen.push(iteration) });
  expect(seen).toEqual(Array.from({ length: whole.iterations }, (_, k) => k + 1));
  const last = whole.iterations - 1;
  const stopped = sinkhorn(problem, { epsilon: 0.05, method: 'log', onIteration: ({ iteration }) => iteration < last });
  const ended = sinkhorn(problem, { epsilon: 0.05, method: 'log', maxIterations: last });
  for (const r of [stopped, ended]) {
    expect(r.iterations).toBe(last);
    expect(r.converged).toBe(false);
    expect(r.error).toBeGreaterThan(whole.error);
    expect(r.error).toBeLessThan(1);
  }
});

test('partial transport converges on small problems however small epsilon is, to the value of the exact plan', () => {
  const slow: string[] = [];
  for (const { cost, a, b, n, m, epsilon, name } of smallProblems(4)) {
    for (const share of [0.3, 0.8, 1])
      for (const tolerance of [1e-6, 1e-9]) {
        const r = sinkhornPartial({ cost, a, b }, { mass: share, epsilon, tolerance });
        const exact = emd({ cost, a, b }, { mass: share }).value;
        const close = Math.abs(r.transportCost - exact) <= epsilon * share * Math.log(n * m) + 2 * tolerance;
        if (!r.converged || r.iterations > 2000 || !close)
          slow.push(`${name}, mass ${share}, ${tolerance}: ${r.error} after ${r.iterations}, ${r.transportCost} ${exact}`);
      }
  }
  expect(slow).toEqual([]);
});
