import fc from 'fast-check';
import { assign } from '../../src/kernels/assignment.js';
import { assignment, minibatchCoupling, sinkhorn } from '../../src/transport/index.js';
import { expectClose, randomF32, randomF64 } from '../helpers/close.js';
import { onBoth } from '../helpers/tiers.js';

/** The least sum over all injections of rows into columns. */
function byTrying(cost: number[][]): number {
  const [n, m] = [cost.length, cost[0]!.length];
  if (n > m) return byTrying(Array.from({ length: m }, (_, j) => cost.map((row) => row[j]!)));
  const used = new Set<number>();
  const best = (i: number): number => {
    if (i === n) return 0;
    let low = Infinity;
    for (let j = 0; j < m; j++) {
      if (used.has(j)) continue;
      used.add(j);
      low = Math.min(low, cost[i]![j]! + best(i + 1));
      used.delete(j);
    }
    return low;
  };
  return best(0);
}

const matrices = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }))
  .chain(([n, m]) => fc.array(fc.array(fc.integer({ min: -5, max: 5 }), { minLength: m, maxLength: m }), { minLength: n, maxLength: n }));

test('the value is the least over all matchings, with ties, negative costs and any shape', () =>
  fc.assert(
    fc.property(matrices, (cost) => {
      const { columns, value } = assignment(cost);
      expectClose(value, byTrying(cost), { atol: 1e-12 });
      const matched = [...columns].filter((j) => j >= 0);
      expect(new Set(matched).size).toBe(Math.min(cost.length, cost[0]!.length));
      expect(matched.length).toBe(Math.min(cost.length, cost[0]!.length));
    }),
    { numRuns: 300 },
  ));

test('the prices certify the value: feasible everywhere, tight on the matching, zero on what is left over', () =>
  fc.assert(
    fc.property(matrices, (cost) => {
      const { columns, value, f, g } = assignment(cost);
      let sum = 0;
      for (const price of [...f, ...g]) sum += price;
      expectClose(sum, value, { atol: 1e-12 });
      for (const [i, row] of cost.entries())
        for (const [j, c] of row.entries()) {
          expect(f[i]! + g[j]!).toBeLessThanOrEqual(c + 1e-12);
          if (columns[i] === j) expectClose(f[i]! + g[j]!, c, { atol: 1e-12 });
        }
    }),
  ));

test.each([
  [1, 1],
  [1, 7],
  [2, 3],
  [17, 17],
  [33, 40],
  [64, 64],
  [65, 130],
])('the kernel finds the matching of its twin on %i × %i', (rows, cols) => {
  const [fast, plain] = onBoth((arena) => {
    const columns = arena.alloc('i32', rows);
    assign(arena, columns, arena.alloc('f64', cols), arena.put(randomF64(rows * cols, rows)));
    return columns;
  });
  expect(fast).toEqual(plain);
});

test('rows that price each other out by less than a rounding step still end', () => {
  const n = 40;
  const cost = { data: randomF64(n * n, 3).map((v) => 1e16 + Math.round(v)), shape: [n, n] };
  expect(new Set(assignment(cost).columns).size).toBe(n);
});

test('a shuffled copy of a point set is matched point by point', () => {
  const x = randomF32(50 * 3, 1);
  const order = Array.from({ length: 50 }, (_, i) => (i * 7) % 50);
  const y = Float32Array.from({ length: 150 }, (_, at) => x[order[Math.floor(at / 3)]! * 3 + (at % 3)]!);
  const { columns, value, paired } = minibatchCoupling({ x: { data: x, shape: [50, 3] }, y: { data: y, shape: [50, 3] } });
  expectClose(value, 0, { atol: 1e-6 });
  expect([...columns].map((j) => order[j])).toEqual(Array.from({ length: 50 }, (_, i) => i));
  expectClose(paired, x);
});

test('systems/188: the coupling is the limit of entropic transport as ε → 0', () => {
  const [x, y] = [
    { data: randomF64(8 * 2, 5), shape: [8, 2] },
    { data: randomF64(8 * 2, 6), shape: [8, 2] },
  ];
  const { columns, value } = minibatchCoupling({ x, y });
  const soft = sinkhorn({ x, y }, { epsilon: 1e-3, tolerance: 1e-10, maxIterations: 100_000 });
  expectClose(soft.transportCost, value, { rtol: 1e-3 });
  const plan = soft.plan().data;
  columns.forEach((j, i) => {
    expect(plan[i * 8 + j]! * 8).toBeGreaterThan(0.9);
  });
});

test('systems/188: coupled noise crosses less: the variance of the data given a point of the path falls', () => {
  // x_t = (1 − t)·noise + t·data at t = ½; the spread of data among the nearest path points estimates E Var(data | x_t).
  const n = 256;
  const noise = randomF64(n * 2, 7);
  const data = randomF64(n * 2, 8).map((v, at) => 0.2 * v + (at % 2 === 0 ? (at % 4 === 0 ? 2 : -2) : 0));
  const spread = (partner: Float64Array): number => {
    const path = noise.map((v, at) => (v + partner[at]!) / 2);
    let sum = 0;
    for (let i = 0; i < n; i++) {
      let [nearest, gap] = [0, Infinity];
      for (let j = 0; j < n; j++) {
        const distance = (path[2 * i]! - path[2 * j]!) ** 2 + (path[2 * i + 1]! - path[2 * j + 1]!) ** 2;
        if (j !== i && distance < gap) [nearest, gap] = [j, distance];
      }
      sum += (partner[2 * i]! - partner[2 * nearest]!) ** 2 + (partner[2 * i + 1]! - partner[2 * nearest + 1]!) ** 2;
    }
    return sum / n;
  };
  const { paired } = minibatchCoupling({ x: { data: noise, shape: [n, 2] }, y: { data, shape: [n, 2] } });
  expect(spread(paired as Float64Array)).toBeLessThan(0.5 * spread(data));
});

test('bad input is refused by name', () => {
  expect(() => assignment([])).toThrow(/cost: expected/);
  expect(() => assignment([[1, Number.NaN]])).toThrow(/cost: expected finite numbers/);
  expect(() => assignment({ cost: [[1, 2], [3]] })).toThrow(/cost: expected 2 columns in row 1, got 1/);
  expect(() => minibatchCoupling({ x: [[1], [2]], y: [[1]] })).toThrow(/y: expected 2 points/);
});
