import { Random } from '../../src/core/random.js';
import { assignment, blackboxSolverGrad, graphMatching } from '../../src/transport/index.js';
import { expectClose, randomF64 } from '../helpers/close.js';

/** The best value over all permutations. */
function bruteForce(node: Float64Array, edge: Float64Array, n: number): number {
  let best = -Infinity;
  const columns: number[] = [];
  const visit = (): void => {
    if (columns.length === n) {
      let value = 0;
      for (let i = 0; i < n; i++) {
        value += node[i * n + columns[i]!]!;
        for (let k = 0; k < n; k++) value += edge[(i * n + columns[i]!) * n * n + k * n + columns[k]!]!;
      }
      best = Math.max(best, value);
      return;
    }
    for (let j = 0; j < n; j++) {
      if (columns.includes(j)) continue;
      columns.push(j);
      visit();
      columns.pop();
    }
  };
  visit();
  return best;
}

test('systems/69: random quadratic problems are solved within 2 % of brute force, most of them exactly', () => {
  let exact = 0;
  for (let seed = 0; seed < 20; seed++) {
    const n = 3 + (seed % 4);
    const [node, edge] = [randomF64(n * n, seed), randomF64(n ** 4, seed + 100)];
    const { value, columns } = graphMatching({ node: { data: node, shape: [n, n] }, edge });
    const best = bruteForce(node, edge, n);
    expect(new Set(columns).size).toBe(n);
    expect(value).toBeGreaterThan(best - 0.05 * Math.abs(best) - 1e-9);
    if (value > best - 1e-9) exact++;
  }
  expect(exact).toBeGreaterThanOrEqual(17);
});

test('systems/69: without edges it is the assignment', () => {
  const node = randomF64(30, 4);
  const { columns, value } = graphMatching({ node: { data: node, shape: [5, 6] } });
  expectClose(value, -assignment({ cost: { data: node.map((x) => -x), shape: [5, 6] } }).value, { rtol: 1e-12 });
  expect(columns).toHaveLength(5);
});

test('systems/69: the black-box gradient is the slope of the interpolated loss on a one-parameter family', () => {
  // argmin over {e₀, e₁} of ⟨(θ, 1), x⟩, loss = x₀: it jumps from 1 to 0 at θ = 1.
  const solver = (c: ArrayLike<number>) => (c[0]! <= c[1]! ? [1, 0] : [0, 1]);
  const gradient = [1, 0];
  for (const [theta, slope] of [
    [0.5, -0.5],
    [-2, 0],
    [1.5, 0],
  ] as const) {
    expectClose(blackboxSolverGrad(solver, [theta, 1], gradient, { lambda: 2 })[0]!, slope);
  }
});

test('systems/69: learning the affinities of noisy permuted graphs brings the Hamming loss below 5 %', () => {
  // Features of permuted, noisy copies carry one informative and one misleading channel; w weighs them.
  const draw = new Random(5);
  const n = 6;
  const tasks = Array.from({ length: 12 }, (_, t) => {
    const order = new Random(t + 9).permutation(n);
    const [good, bad] = [new Float64Array(n * n), new Float64Array(n * n)];
    const features = Float64Array.from({ length: n }, () => draw.normal());
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        const source = order.indexOf(i) === j;
        good[i * n + j] = (features[i]! - features[order[j]!]! + 0.02 * draw.normal()) ** 2 + (source ? 0 : 0.05);
        bad[i * n + j] = 3 * draw.uniform();
      }
    }
    const truth = new Float64Array(n * n);
    for (let j = 0; j < n; j++) truth[order[j]! * n + j] = 1;
    return { good, bad, truth };
  });
  const solver = (c: Float64Array) => {
    const x = new Float64Array(n * n);
    assignment({ cost: { data: c, shape: [n, n] } }).columns.forEach((j, i) => {
      x[i * n + j] = 1;
    });
    return x;
  };
  let w = [0.1, 1];
  const loss = () =>
    tasks.reduce(
      (sum, { good, bad, truth }) =>
        sum + solver(good.map((g, k) => w[0]! * g + w[1]! * bad[k]!)).reduce((s, x, k) => s + (1 - x) * truth[k]!, 0),
      0,
    ) /
    (12 * n);
  const before = loss();
  for (let step = 0; step < 60; step++) {
    const slope = [0, 0];
    for (const { good, bad, truth } of tasks) {
      const c = good.map((g, k) => w[0]! * g + w[1]! * bad[k]!);
      const grad = blackboxSolverGrad(
        solver,
        c,
        truth.map((t) => -t),
        { lambda: 1 },
      );
      for (let k = 0; k < n * n; k++) {
        slope[0]! += grad[k]! * good[k]!;
        slope[1]! += grad[k]! * bad[k]!;
      }
    }
    w = [w[0]! - 0.02 * slope[0]!, Math.max(0, w[1]! - 0.02 * slope[1]!)];
  }
  expect(before).toBeGreaterThan(0.4);
  expect(loss()).toBeLessThan(0.05);
});

test('bad input is refused by name', () => {
  expect(() => graphMatching({ node: [[1], [2]] })).toThrow(/node: expected at most as many rows/);
  expect(() => graphMatching({ node: [[1, 2]], edge: [1, 2, 3] })).toThrow(/edge: expected 2 x 2/);
  expect(() => blackboxSolverGrad(() => [0], [1], [1], { lambda: 0 })).toThrow(/lambda/);
});
