import { softtopk, softtopkBack } from '../../src/kernels/soft-topk.js';
import { aroundVector, expectClose, randomF32, randomF64 } from '../helpers/close.js';
import { onBoth } from '../helpers/tiers.js';

describe.each([
  ['f32', randomF32, 2e-5],
  ['f64', randomF64, 1e-11],
] as const)('%s', (_type, random, tolerance) => {
  test.each([...aroundVector, 1000, 4099])('soft top-k of rows of %i agrees with bisection, values and gradient', (n) => {
    for (const k of new Set([1, Math.ceil(n / 2), n])) {
      for (const logarithm of [false, true]) {
        const [y, wanted] = onBoth((arena) => {
          const out = arena.real(random === randomF32 ? 'float32' : 'float64', 2 * n);
          softtopk(arena, out, arena.alloc('f64', 2), arena.put(random(2 * n)), k, 3, logarithm);
          return out;
        });
        expectClose(y as Float32Array, wanted as Float32Array, { rtol: tolerance, atol: tolerance });
        const [g, wantedG] = onBoth((arena) => {
          const x = arena.put(random(2 * n));
          const t = arena.alloc('f64', 2);
          const out = arena.real(random === randomF32 ? 'float32' : 'float64', 2 * n);
          softtopk(arena, out, t, x, k, 3, logarithm);
          softtopkBack(arena, out, arena.put(random(2 * n, 2)), x, t, 3, logarithm);
          return out;
        });
        expectClose(g as Float32Array, wantedG as Float32Array, { rtol: 10 * tolerance, atol: 10 * tolerance });
      }
    }
  });
});
