import fc from 'fast-check';
import { argsortSegments } from '../../src/kernels/radix.js';
import { orderRows } from '../../src/kernels/wasserstein1d.js';
import { withArena } from '../../src/runtime/instance.js';
import { wasserstein1d } from '../../src/transport/index.js';
import { expectClose, numericalGradient, randomF64 } from '../helpers/close.js';

/** ∫₀¹ |F⁻¹(t) − G⁻¹(t)|^p dt by walking the merged steps of both quantile functions. */
function byQuantiles(x: number[], a: number[], y: number[], b: number[], p: number): number {
  const sorted = (v: number[], w: number[]) => v.map((value, i) => [value, w[i]!] as const).sort((s, t) => s[0] - t[0]);
  const [sx, sy] = [sorted(x, a), sorted(y, b)];
  const ends = (s: readonly (readonly [number, number])[]) => {
    let sum = 0;
    return s.map(([, w]) => (sum += w));
  };
  const [ex, ey] = [ends(sx), ends(sy)];
  const cuts = [...new Set([0, ...ex, ...ey])].sort((s, t) => s - t);
  let value = 0;
  for (let k = 0; k + 1 < cuts.length; k++) {
    const middle = (cuts[k]! + cuts[k + 1]!) / 2;
    const at = (s: readonly (readonly [number, number])[], e: number[]) =>
      s[
        Math.max(
          0,
          e.findIndex((end) => end > middle),
        )
      ]![0];
    value += (cuts[k + 1]! - cuts[k]!) * Math.abs(at(sx, ex) - at(sy, ey)) ** p;
  }
  return value;
}

const weights = (n: number) => fc.array(fc.integer({ min: 1, max: 9 }), { minLength: n, maxLength: n });
const samples = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })).chain(([n, m]) =>
  fc.record({
    x: fc.array(fc.integer({ min: -9, max: 9 }), { minLength: n, maxLength: n }),
    y: fc.array(fc.integer({ min: -9, max: 9 }), { minLength: m, maxLength: m }),
    a: weights(n),
    b: weights(m),
    p: fc.constantFrom(1, 1.5, 2, 3),
  }),
);
const unit = (w: number[]) => w.map((v) => v / w.reduce((s, t) => s + t, 0));

test('the value is the integral over quantiles, with ties and weights', () =>
  fc.assert(
    fc.property(samples, ({ x, y, a, b, p }) => {
      const [wa, wb] = [unit(a), unit(b)];
      expectClose(wasserstein1d({ x, y, a: wa, b: wb }, { p }).power, byQuantiles(x, wa, y, wb, p), { rtol: 1e-9, atol: 1e-9 });
    }),
  ));

test('the dual potentials certify the value: they are feasible and reach it', () =>
  fc.assert(
    fc.property(samples, ({ x, y, a, b, p }) => {
      const [wa, wb] = [unit(a), unit(b)];
      const r = wasserstein1d({ x, y, a: wa, b: wb }, { p });
      const dual = wa.reduce((s, w, i) => s + w * r.gradA[i]!, 0) + wb.reduce((s, w, j) => s + w * r.gradB[j]!, 0);
      expectClose(dual, r.power, { rtol: 1e-9, atol: 1e-9 });
      for (const [i, xi] of x.entries())
        for (const [j, yj] of y.entries()) expect(r.gradA[i]! + r.gradB[j]!).toBeLessThanOrEqual(Math.abs(xi - yj) ** p + 1e-9);
    }),
  ));

test.each([2, 3])('p = %i: the gradient agrees with central differences', (p) => {
  const [x, y] = [randomF64(7, 1), randomF64(5, 2)];
  const r = wasserstein1d({ x, y }, { p });
  expectClose(
    r.gradX,
    numericalGradient((v) => wasserstein1d({ x: v, y }, { p }).power, x),
    { atol: 1e-8 },
  );
  expectClose(
    r.gradY,
    numericalGradient((v) => wasserstein1d({ x, y: v }, { p }).power, y),
    { atol: 1e-8 },
  );
});

test('a shift moves every distance by its length', () => {
  const x = randomF64(33, 3);
  for (const p of [1, 2, 3]) expectClose(wasserstein1d({ x, y: x.map((v) => v + 0.75) }, { p }).distance, 0.75, { rtol: 1e-12 });
});

test('one precision decides: f32 points give f64 results close to those of f64 points', () => {
  const [x, y] = [randomF64(100, 1), randomF64(70, 2)];
  const single = wasserstein1d({ x: Float32Array.from(x), y: Float32Array.from(y) }, { p: 2 });
  expectClose(single.power, wasserstein1d({ x, y }, { p: 2 }).power, { rtol: 1e-6 });
});

test('bad input is refused by name', () => {
  expect(() => wasserstein1d({ x: [], y: [1] })).toThrow(/x: expected at least one element/);
  expect(() => wasserstein1d({ x: [Number.NaN], y: [1] })).toThrow(/x: expected finite numbers/);
  expect(() => wasserstein1d({ x: [0], y: [1] }, { p: 0.5 })).toThrow(/p: expected a number from 1/);
  expect(() => wasserstein1d({ x: [0], y: [1], a: [-1] })).toThrow(/a: expected numbers >= 0/);
  expect(() => wasserstein1d({ x: [0], y: [1], a: [2], b: [1] })).toThrow(/b: expected the total of a/);
});

test.each([1, 2, 65, 500])('%i points a side of equal weight: the pairing is the merge, value, gradients and duals', (n) => {
  for (const spread of [1, 4]) {
    const [x, y] = [1, 2].map((seed) => randomF64(n, seed).map((v) => (spread === 4 ? Math.round(v * 4) / 4 : v))) as [
      Float64Array,
      Float64Array,
    ];
    const even = new Float64Array(n).fill(1 / n);
    for (const p of [1, 1.5, 2, 3]) {
      for (const points of [
        { x, y },
        { x: Float32Array.from(x), y: Float32Array.from(y) },
      ]) {
        const [paired, merged] = [wasserstein1d(points, { p }), wasserstein1d({ ...points, a: even, b: even }, { p })];
        for (const key of ['power', 'gradX', 'gradY', 'gradA', 'gradB'] as const)
          expectClose(paired[key] as Float64Array, merged[key] as Float64Array, { rtol: 1e-9, atol: 1e-11 });
      }
    }
  }
});

test('orders by buckets or rounded values, finished by insertion, are the orders of the values: ties, zeros of both signs, neighbours below f32', () => {
  const close = (n: number) => Float64Array.from({ length: n }, (_, k) => 1 + 1e-12 * ((k * 7919) % n)); // all equal in f32
  const rows: [Float64Array, number][] = [
    [randomF64(40, 1), 8],
    [Float64Array.of(3), 1],
    [Float64Array.of(0, -1e-50, -0, 1e-50, 0, -0, 1e300, 2e300, -1e300, 1e300), 5],
    [randomF64(4000, 2).map((x) => Math.round(4 * x) + 0), 2000],
    [randomF64(600, 4).map((x, k) => (k === 5 ? 1e30 : x)), 300],
    [randomF64(600, 5).map((x) => x ** 15), 300],
    [randomF64(600, 6).map((x, k) => (k < 2 ? (k ? 1.7e308 : -1.7e308) : x)), 300],
    [close(30), 30],
    [close(3000), 3000],
    [close(3000).map((x, k) => (k < 1500 ? -k : x)), 1500],
  ];
  for (const [data, length] of rows) {
    withArena((arena) => {
      const points = arena.put(data);
      const limits = arena.put(Int32Array.from({ length: data.length / length + 1 }, (_, row) => row * length));
      const exact = arena.alloc('i32', data.length);
      argsortSegments(arena, exact, points, limits, false);
      expect([...arena.take(orderRows(arena, points, length))]).toEqual([...arena.take(exact)]);
    });
  }
});
