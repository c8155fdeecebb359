import { pairCost } from '../../src/kernels/cost.js';
import { gibbs, lift, tighten } from '../../src/kernels/gibbs.js';
import { coarseMarginals, extremes, marginals, penaltyMass } from '../../src/kernels/marginals.js';
import { logBegin, logColumns, logRows } from '../../src/kernels/sinkhorn-log.js';
import { gramv, scaling } from '../../src/kernels/sinkhorn-scaling.js';
import type { Arena, F32, F64, Real } from '../../src/runtime/arena.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { onBoth } from '../helpers/tiers.js';

const sizes = [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33].flatMap((cols) => [1, 3, 4, 6, 9].map((rows) => [rows, cols] as const));
const positive = (n: number, seed: number): Float64Array => randomF64(n, seed).map((x) => 0.1 + Math.abs(x));
const weights = (n: number, seed: number): Float64Array => {
  const w = positive(n, seed);
  const sum = w.reduce((s, x) => s + x, 0);
  return w.map((x) => x / sum);
};
const put = (arena: Arena, precision: 'float32' | 'float64', data: Float64Array): Real => arena.putAs(precision, data);

test.each([...sizes, [5, 260], [9, 515]] as readonly (readonly [number, number])[])(
  'lifting and coarse marginals of %i x %i agree with the twins and with their f64 forms',
  (rows, cols) => {
    for (const what of ['K', 'F', 'top', 'r', 'c', 'cost'] as const) {
      const run = (arena: Arena, coarse: boolean) => {
        const C = arena.putAs('float32', positive(rows * cols, 1)) as F32;
        const G = arena.put(randomF64(cols, 2));
        const out = {
          K: arena.zeros('f32', rows * cols),
          F: arena.zeros('f64', rows),
          top: arena.zeros('f64', cols),
          r: arena.zeros('f64', rows),
          c: arena.zeros('f64', cols),
          cost: arena.zeros('f64', 1),
        };
        lift(out.K, out.F, out.top, G, C, arena.zeros('f32', 2 * cols), 0.2);
        const total = coarse ? coarseMarginals(out.r, out.c, out.F, G, C, 0.2) : marginals(out.r, out.c, out.F, G, C, 0.2);
        arena.view(out.cost)[0] = total;
        return out[what];
      };
      const [fast, plain] = onBoth((arena) => run(arena, true));
      const close = { rtol: 2e-6, atol: what === 'top' ? 2e-5 : what === 'F' ? 2e-6 : 1e-12 };
      expectClose(fast as Float64Array, plain as Float64Array, close);
      const [exact] = onBoth((arena) => run(arena, false));
      expectClose(fast as Float64Array, exact as Float64Array, close);
    }
  },
);

test.each([1, 2, 7, 8, 9, 16, 33])('extremes of %i numbers, and NaN for both where any is NaN', (n) => {
  for (const precision of ['float32', 'float64'] as const) {
    const of = (data: Float64Array) =>
      onBoth((arena) => {
        const { low, high } = extremes(arena.putAs(precision, data));
        const out = arena.alloc('f64', 2);
        arena.view(out).set([low, high]);
        return out;
      });
    const data = randomF64(n, 3).map(Math.fround);
    for (const found of of(data)) expect([...found]).toEqual([Math.min(...data), Math.max(...data)]);
    for (const at of [0, n >> 1, n - 1]) {
      for (const found of of(data.map((x, i) => (i === at ? NaN : x)))) expect([...found]).toEqual([NaN, NaN]);
      for (const found of of(data.map((x, i) => (i === at ? Infinity : x)))) expect(found[1]).toBe(Infinity);
    }
  }
});

describe.each([
  ['float32', 2e-5],
  ['float64', 1e-12],
] as const)('%s', (precision, rtol) => {
  test.each(sizes)('three scaling iterations on %i x %i agree with the twin', (rows, cols) => {
    for (const what of ['u', 'v', 'stats'] as const) {
      const [fast, plain] = onBoth((arena) => {
        const blocks = {
          K: put(arena, precision, positive(rows * cols, 1)),
          u: put(arena, precision, new Float64Array(rows).fill(1)),
          v: put(arena, precision, positive(cols, 2)),
          acc: arena.zeroReal(precision, cols),
          a: put(arena, precision, weights(rows, 3)),
          b: put(arena, precision, weights(cols, 4)),
          stats: arena.zeros('f64', 4),
        };
        expect(scaling(blocks, 3, 0, 1e30)).toBeLessThanOrEqual(3);
        return blocks[what];
      });
      expectClose(fast as Float64Array, plain as Float64Array, { rtol, atol: rtol });
    }
  });

  test.each(sizes)('a penalised, over-relaxed iteration on %i x %i agrees with the twin', (rows, cols) => {
    for (const what of ['u', 'v', 'lu', 'lv', 'stats'] as const) {
      const [fast, plain] = onBoth((arena) => {
        const blocks = {
          K: put(arena, precision, positive(rows * cols, 1)),
          u: put(arena, precision, new Float64Array(rows).fill(1)),
          v: put(arena, precision, new Float64Array(cols).fill(1)),
          acc: arena.zeroReal(precision, cols),
          a: put(arena, precision, weights(rows, 3)),
          b: put(arena, precision, weights(cols, 4)),
          stats: arena.zeros('f64', 4),
          lu: arena.zeros('f64', rows),
          lv: arena.zeros('f64', cols),
          shiftU: arena.put(randomF64(rows, 5)),
          shiftV: arena.put(randomF64(cols, 6)),
        };
        scaling(blocks, 2, 0, 1e30, { ...blocks, kappa: [0.9, 1], omega: 1.3 });
        return blocks[what];
      });
      expectClose(fast as Float64Array, plain as Float64Array, { rtol, atol: rtol });
    }
  });

  test.each(sizes)('Kᵀ W K p over %i x %i agrees with the twin', (rows, cols) => {
    const [fast, plain] = onBoth((arena) => {
      const y = arena.zeroReal(precision, cols);
      const K = put(arena, precision, positive(rows * cols, 1));
      gramv(y, K, put(arena, precision, randomF64(cols, 2)), put(arena, precision, positive(rows, 3)), arena.zeroReal(precision, rows));
      return y;
    });
    expectClose(fast as Float64Array, plain as Float64Array, { rtol, atol: rtol * rows * cols });
  });

  test.each(sizes)('kernel matrix, tightening and marginals of %i x %i agree with the twins', (rows, cols) => {
    for (const what of ['K', 'F', 'top', 'r', 'c', 'plan'] as const) {
      const [fast, plain] = onBoth((arena) => {
        const C = put(arena, precision, positive(rows * cols, 1));
        const G = arena.put(randomF64(cols, 2));
        const out = {
          K: arena.zeroReal(precision, rows * cols),
          plan: arena.zeroReal(precision, rows * cols),
          F: arena.put(randomF64(rows, 3)) as F64,
          top: arena.zeros('f64', cols),
          r: arena.zeros('f64', rows),
          c: arena.zeros('f64', cols),
        };
        gibbs(out.K, out.F, G, C, 0.2);
        marginals(out.r, out.c, out.F, G, C, 0.2, out.plan);
        tighten(out.F, out.top, G, C, arena.zeroReal(precision, 2 * cols), 0.2);
        return out[what];
      });
      expectClose(fast as Float64Array, plain as Float64Array, { rtol, atol: what === 'top' ? 2e-5 : 1e-12 });
    }
  });

  test.each(sizes)('a log-domain iteration on %i x %i agrees with the twin, also from potentials that underflow', (rows, cols) => {
    for (const offset of [0, -2000, 2000]) {
      for (const what of ['F', 'G'] as const) {
        const [fast, plain] = onBoth((arena) => {
          const C = put(arena, precision, positive(rows * cols, 1));
          const [a, b] = [weights(rows, 3), weights(cols, 4)];
          const out = { F: arena.put(randomF64(rows, 5).map((x) => x + offset)), G: arena.put(randomF64(cols, 6)) };
          const line = arena.zeroReal(precision, cols);
          const acc = arena.zeroReal(precision, cols);
          const row = arena.zeroReal(precision, 2 * cols);
          const stats = arena.zeros('f64', 4);
          const logs = (w: Float64Array) => arena.put(w.map(Math.log));
          logBegin(line, acc, out.G, stats);
          logRows(out.F, acc, line, C, arena.put(a), logs(a), row, 0.3, 1, 1, stats);
          logColumns(out.G, line, acc, arena.put(b), logs(b), 0.8, 1, stats);
          return out[what];
        });
        expectClose(fast as Float64Array, plain as Float64Array, { rtol, atol: rtol * (1 + Math.abs(offset) / 100) });
      }
    }
  });

  test.each([1, 2, 3, 5, 16])('point costs in %i dimensions agree with the twin', (d) => {
    for (const [rows, cols] of sizes.slice(0, 30)) {
      for (const root of [false, true]) {
        const [fast, plain] = onBoth((arena) => {
          const C = arena.zeroReal(precision, rows * cols);
          pairCost(C, put(arena, precision, randomF64(rows * d, 1)), put(arena, precision, randomF64(cols * d, 2)), d, 0.5, root);
          return C;
        });
        expectClose(fast as Float64Array, plain as Float64Array, { rtol, atol: 1e-7 });
      }
    }
  });
});

test('an f32 cost with an f64 kernel matrix keeps the digits that f32 would lose', () => {
  const [fast, plain] = onBoth((arena) => {
    const K = arena.zeros('f64', 15);
    gibbs(K, arena.put(randomF64(3, 1)), arena.put(randomF64(5, 2)), arena.put(new Float32Array(positive(15, 3))), 1e-2);
    return K;
  });
  expectClose(fast as Float64Array, plain as Float64Array, { rtol: 1e-12 });
});

test.each([1, 2, 3, 8, 17])('the mass a penalty wants over %i points agrees with the twin', (n) => {
  const [fast, plain] = onBoth((arena) => {
    const draw = (seed: number) => arena.put(randomF64(n, seed));
    return penaltyMass(arena.put(positive(n, 1)), draw(2), draw(3), draw(4), 0.3);
  });
  expectClose(fast as number[], plain as number[], { rtol: 1e-13 });
});

test('a column without support is reported, and its scaling stays', () => {
  const [fast] = onBoth((arena) => {
    const K = arena.put(Float64Array.of(1, 0, 1, 0));
    const one = () => arena.put(Float64Array.of(1, 1));
    const stats = arena.zeros('f64', 4);
    const v = one();
    scaling({ K, u: one(), v, acc: one(), a: one(), b: one(), stats }, 5, 0, 1e30);
    expect(arena.view(v)[1]).toBe(1);
    return stats;
  });
  expect((fast as Float64Array)[3]).toBeGreaterThan(0);
});
