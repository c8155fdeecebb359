import { obcRow } from '../../src/kernels/obc.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { onBoth } from '../helpers/tiers.js';
import { inverse } from '../mfac/dense.js';

test.each([1, 2, 3, 8, 17, 33])('a row of %i weights is removed as by its scalar twin, with and without groups', (n) => {
  const x = randomF64(2 * n * n, 1);
  const H = Float64Array.from({ length: n * n }, (_, at) => {
    let sum = at % (n + 1) === 0 ? 0.1 : 0;
    for (let s = 0; s < 2 * n; s++) sum += x[s * n + Math.floor(at / n)]! * x[s * n + (at % n)]!;
    return sum;
  });
  const C = inverse(H, n);
  for (const [group, most] of [
    [0, 0],
    [4, 2],
    [3, 1],
  ] as const) {
    const results = [0, 1, 2].map((what) =>
      onBoth((arena) => {
        const w = arena.put(randomF64(n, 2));
        const [order, costs] = [arena.put(new Int32Array(n).fill(-1)), arena.zeros('f64', n)];
        const done = obcRow(w, arena.put(C), arena.put(new Uint8Array(n).fill(1)), order, costs, n, group, most);
        let room = 0;
        for (let k = 0; k < n; k += group || n) room += group ? Math.min(most, Math.min(group, n - k)) : n;
        expect(done).toBe(room);
        return [w, order, costs][what]!;
      }),
    );
    for (const [fast, plain] of results) expectClose(fast as Float64Array, plain as Float64Array, { rtol: 1e-9, atol: 1e-12 });
  }
});
