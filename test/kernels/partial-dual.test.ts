import { extendRows, labelPlan, roundTo } from '../../src/kernels/partial-dual.js';
import type { Arena, F64 } from '../../src/runtime/arena.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { onBoth } from '../helpers/tiers.js';

const sizes = [1, 2, 3, 4, 5, 7, 8, 9, 17].flatMap((cols) => [1, 5, 9].map((rows) => [rows, cols] as const));

test.each(sizes)('rows of %i x %i costs or negative logits are widened by zeros, in every pair of types', (rows, cols) => {
  for (const [from, to] of [
    ['float32', 'float32'],
    ['float64', 'float32'],
    ['float64', 'float64'],
  ] as const) {
    for (const [based, stride, extra] of [
      [false, 1, 0],
      [true, 1, 1],
      [true, 4, 1],
    ] as const) {
      const x = randomF64(rows * cols, 1).map(Math.fround);
      const base = randomF64(rows, 2).map(Math.fround);
      const count = Math.ceil(rows / stride);
      const found = onBoth((arena) => {
        const C = arena.real(to, count * (cols + extra));
        const data = arena.putAs(from, x);
        extendRows(C, { data, base: based ? arena.putAs(from, base) : undefined, cols }, stride, count, cols + extra);
        return C;
      });
      for (const C of found) {
        for (let i = 0; i < count; i++) {
          for (let j = 0; j < cols + extra; j++) {
            const entry = x[i * stride * cols + j]!;
            const want = j === cols ? 0 : based ? base[i * stride]! - entry : entry;
            expect(C[i * (cols + extra) + j]).toBe(to === 'float32' ? Math.fround(want) : want);
          }
        }
      }
    }
  }
});

test.each([1, 2, 3, 8, 9])('rounding %i numbers drops what is below the floor', (n) => {
  const x = Float64Array.from({ length: n }, (_, k) => 10 ** (-4 * k));
  for (const out of onBoth((arena) => {
    const to = arena.alloc('f32', n);
    roundTo(to, arena.put(x), 1e-20);
    return to;
  }))
    expect([...out]).toEqual([...x].map((value) => (value > 1e-20 ? Math.fround(value) : 0)));
});

test.each(sizes)('plan and slack of %i x %i agree with the twin', (rows, cols) => {
  for (const precision of ['float32', 'float64'] as const) {
    for (const extra of [0, 1]) {
      const parts = (arena: Arena) => {
        const positive = (n: number, seed: number) => arena.putAs(precision, randomF64(n, seed).map(Math.abs));
        const out = { plan: arena.real(precision, rows * cols), slack: arena.alloc('f64', rows), logs: arena.alloc('f64', 1) as F64 };
        const logs = labelPlan(out.plan, out.slack, positive(rows * (cols + extra), 1), positive(rows, 2), positive(cols + extra, 3), cols);
        arena.view(out.logs)[0] = logs;
        return out;
      };
      for (const what of ['plan', 'slack', 'logs'] as const) {
        const [fast, plain] = onBoth((arena) => parts(arena)[what]);
        expectClose(fast as Float64Array, plain as Float64Array, { rtol: precision === 'float32' ? 3e-7 : 1e-15, atol: 0 });
      }
    }
  }
});
