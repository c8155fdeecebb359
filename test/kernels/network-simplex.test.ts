import { networkSimplex } from '../../src/kernels/network-simplex.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { tier } from '../helpers/tiers.js';

test.each([
  [1, 1],
  [1, 5],
  [7, 3],
  [16, 17],
  [33, 40],
])('pricing in vectors takes the same pivots as the twin on %i x %i', (n, m) => {
  for (const ties of [false, true]) {
    const cost = randomF64(n * m, n).map((c) => (ties ? Math.round(3 * c) : c));
    const [fast, plain] = [tier('simd'), tier('reference')].map((instance) =>
      instance.run((arena) => {
        const ones = (length: number, value: number) => arena.put(new Float64Array(length).fill(value));
        const [u, v] = [ones(n, 0), ones(m, 0)];
        const options = { tolerance: 1e-12, blockRows: 2, maxPivots: 10_000 };
        const tree = networkSimplex(arena.put(cost), ones(n, m), ones(m, n), u, v, options);
        return { ...tree, u: arena.take(u) };
      }),
    );
    expect(fast!.finished).toBe(true);
    expect(fast!.pivots).toBe(plain!.pivots);
    expect([...fast!.parent]).toEqual([...plain!.parent]);
    expectClose(fast!.u, plain!.u, { atol: 1e-12 });
    expectClose(fast!.flow, plain!.flow);
  }
});

test.each(['simd', 'reference'] as const)('%s: a search in pieces takes the same pivots as in one call', (build) => {
  const [n, m] = [60, 80];
  const cost = randomF64(n * m, 3);
  const solve = (most: number, onPivots?: (pivots: number, gap: number) => unknown) =>
    tier(build).run((arena) => {
      const ones = (length: number, value: number) => arena.put(new Float64Array(length).fill(value));
      const [u, v] = [ones(n, 0), ones(m, 0)];
      const options = { tolerance: 1e-12, blockRows: 2, maxPivots: most, ...(onPivots && { onPivots }) };
      return { ...networkSimplex(arena.put(cost), ones(n, m), ones(m, n), u, v, options), v: arena.take(v) };
    });
  const whole = solve(10_000);
  expect(whole.pivots).toBeGreaterThan(256);
  const told: [number, number][] = [];
  expect(solve(10_000, (...step) => void told.push(step))).toEqual(whole);
  expect(told.map(([pivots]) => pivots)).toEqual([256, ...told.slice(1, -1).map((_, i) => 512 + 256 * i), whole.pivots]);
  for (const [, gap] of told.slice(0, -1)) expect(gap).toBeGreaterThan(0);
  expect(told.at(-1)?.[1]).toBe(0);
  // Exactly enough pivots are enough, one fewer is not; listening changes neither.
  for (const most of [whole.pivots, whole.pivots - 1, 100, 0]) {
    expect(solve(most, () => true)).toEqual(solve(most));
    expect(solve(most).finished).toBe(most === whole.pivots);
  }
  expect(solve(10_000, () => false)).toMatchObject({ pivots: 256, finished: false });
});
