import { isotonic, isotonicBack } from '../../src/kernels/isotonic.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { onBoth } from '../helpers/tiers.js';

test.each([false, true])('pooling agrees with the minimax formula, values and gradient (kl: %p)', (kl) => {
  for (const [rows, n] of [
    [1, 1],
    [3, 2],
    [2, 7],
    [1, 24],
  ] as const) {
    const falling = (seed: number) => {
      const x = randomF64(rows * n, seed);
      for (let row = 0; row < rows; row++)
        x.subarray(row * n, (row + 1) * n)
          .sort()
          .reverse();
      return x;
    };
    const [v, wanted] = onBoth((arena) => {
      const out = arena.alloc('f64', rows * n);
      isotonic(arena, out, arena.alloc('i32', rows * n), arena.put(falling(1)), arena.put(falling(2)), n, kl);
      return out;
    });
    expectClose(v as Float64Array, wanted as Float64Array, { rtol: 1e-12, atol: 1e-13 });
    const [g, wantedG] = onBoth((arena) => {
      const first = arena.alloc('i32', rows * n);
      const s = arena.put(falling(1));
      isotonic(arena, arena.alloc('f64', rows * n), first, s, arena.put(falling(2)), n, kl);
      const out = arena.alloc('f64', rows * n);
      isotonicBack(out, arena.put(randomF64(rows * n, 5)), first, s, n, kl);
      return out;
    });
    expectClose(g as Float64Array, wantedG as Float64Array, { rtol: 1e-12, atol: 1e-13 });
  }
});
