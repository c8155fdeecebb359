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
