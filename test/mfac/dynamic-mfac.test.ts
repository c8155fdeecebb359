import { DynamicMfac, StaticMfac } from '../../src/mfac/index.js';
import { expectClose, randomF32, randomF64, relativeError } from '../helpers/close.js';
import { denseFisher, inverse, times } from './dense.js';

test.each([
  [1, 5],
  [3, 7],
  [8, 5],
  [7, 20],
])('systems/94 a window of %i over %i parameters is the static inverse of its rows, also after it wrapped around', (window, size) => {
  using mfac = new DynamicMfac({ size, window, damping: 1e-2 });
  const rows: Float64Array[] = Array.from({ length: window }, () => new Float64Array(size));
  const x = randomF64(size, 99);
  expectClose(
    mfac.ihvp(x),
    x.map((v) => v / 1e-2),
    { rtol: 1e-12 },
  );
  for (let t = 0; t < 3 * window + 1; t++) {
    const g = randomF64(size, t + 1);
    rows[t % window] = g;
    const flat = Float64Array.from(rows.flatMap((row) => Array.from(row)));
    using fixed = StaticMfac.buildSync({ data: flat, shape: [window, size] }, { damping: 1e-2 });
    expect(relativeError(mfac.update(g), fixed.ihvp(g))).toBeLessThan(1e-8);
    expect(relativeError(mfac.ihvp(x), fixed.ihvp(x))).toBeLessThan(1e-8);
    expect(relativeError(mfac.ihvp(x), times(inverse(denseFisher(flat, window, size, 1e-2), size), x))).toBeLessThan(1e-8);
  }
  expect(mfac.pushes).toBe(3 * window + 1);
});

test('in f32 the newest gradient is right to 1e-5 for every damping from 1e-3 to 1e-7', () => {
  const [m, d] = [16, 96];
  for (const damping of [1e-3, 1e-4, 1e-5, 1e-6, 1e-7]) {
    using fast = new DynamicMfac({ size: d, window: m, damping });
    using exact = new DynamicMfac({ size: d, window: m, damping, precision: 'float64' });
    for (let t = 0; t < 40; t++) {
      const g = randomF32(d, t + 1);
      expect(relativeError(fast.update(g), exact.update(g))).toBeLessThan(1e-5);
    }
  }
});

test('a thousand replacements leave the accuracy of the first', () => {
  const [m, d] = [6, 30];
  using mfac = new DynamicMfac({ size: d, window: m, damping: 1e-4 });
  const last: Float64Array[] = [];
  let result: ArrayLike<number> = [];
  for (let t = 0; t < 1000; t++) {
    last[t % m] = randomF64(d, t + 1);
    result = mfac.update(last[t % m]!);
  }
  const flat = Float64Array.from(last.flatMap((row) => Array.from(row)));
  const want = times(inverse(denseFisher(flat, m, d, 1e-4), d), last[999 % m]!);
  expect(relativeError(result, want)).toBeLessThan(1e-9);
});

test('repeated, zero, huge and tiny gradients in f32 stay finite and right', () => {
  const [m, d] = [8, 50];
  const base = randomF32(d, 1);
  const gradients = [base, base, base, new Float32Array(d), base.map((v) => v * 1e4), base.map((v) => v * 1e-6), base, base, base, base];
  using mfac = new DynamicMfac({ size: d, window: m, damping: 1e-3 });
  using exact = new DynamicMfac({ size: d, window: m, damping: 1e-3, precision: 'float64' });
  for (const g of gradients) {
    const want = exact.update(g);
    expect(relativeError(mfac.update(g), want)).toBeLessThan(1e-3);
  }
});

test('a clone goes its own way', () => {
  using mfac = new DynamicMfac({ size: 10, window: 3 });
  mfac.push(randomF32(10, 1));
  using copy = mfac.clone();
  const x = randomF32(10, 2);
  expect(copy.ihvp(x)).toEqual(mfac.ihvp(x));
  const before = mfac.ihvp(x);
  copy.push(randomF32(10, 3));
  expect(mfac.ihvp(x)).toEqual(before);
  expect(copy.ihvp(x)).not.toEqual(before);
  expect(copy.row(1)).toEqual(randomF32(10, 3));
  expect(mfac.row(1)).toEqual(new Float32Array(10));
});

test('bad input is refused by name, and leaves the window as it was', () => {
  expect(() => new DynamicMfac({ size: 0, window: 3 })).toThrow(/size: expected an integer >= 1/);
  expect(() => new DynamicMfac({ size: 3, window: 0 })).toThrow(/window: expected an integer >= 1/);
  expect(() => new DynamicMfac({ size: 3, window: 3, damping: 0 })).toThrow(/damping: expected a number > 0/);
  const mfac = new DynamicMfac({ size: 3, window: 3 });
  expect(() => mfac.push([1, 2])).toThrow(/g: expected 3 elements, got 2/);
  expect(() => mfac.update([1, NaN, 2])).toThrow(/g: expected finite numbers, got NaN at index 1/);
  expect(() => mfac.ihvp([1, Infinity, 2])).toThrow(/x: expected finite numbers/);
  expect(() => mfac.row(3)).toThrow(/i: expected an integer from 0 to 2/);
  expect(mfac.pushes).toBe(0);
  mfac.dispose();
  expect(() => mfac.push([1, 2, 3])).toThrow(/got one after dispose\(\)/);
});

test('update writes to out, mixes it with momentum, and does what plain updates do', () => {
  const [m, d] = [5, 33];
  using plain = new DynamicMfac({ size: d, window: m, damping: 1e-2 });
  using mixed = new DynamicMfac({ size: d, window: m, damping: 1e-2 });
  using written = new DynamicMfac({ size: d, window: m, damping: 1e-2 });
  const velocity = new Float64Array(d);
  const out = new Float64Array(d);
  const want = new Float64Array(d);
  for (let t = 0; t < 2 * m; t++) {
    const g = randomF64(d, t + 1);
    const u = plain.update(g);
    for (let i = 0; i < d; i++) want[i] = 0.9 * want[i]! + (1 - 0.9) * u[i]!;
    expect(mixed.update(g, { out: velocity, momentum: 0.9 })).toBe(velocity);
    expectClose(velocity, want, { rtol: 1e-12, atol: 1e-15 });
    expect(written.update(g, { out })).toBe(out);
    expect(out).toEqual(u);
  }
  expect(() => plain.update(randomF64(d, 1), { out: new Float64Array(3) })).toThrow(/out: expected 33 elements/);
  expect(() => plain.update(randomF64(d, 1), { out, momentum: 2 })).toThrow(/momentum: expected/);
  expect(plain.pushes).toBe(2 * m);
});

test('a gradient that is refused leaves the window as it was', () => {
  const d = 9;
  using mfac = new DynamicMfac({ size: d, window: 3, damping: 1e-2 });
  for (let t = 0; t < 4; t++) mfac.push(randomF64(d, t + 1));
  const before = [mfac.ihvp(randomF64(d, 20)), mfac.row(0), mfac.row(1)];
  for (const bad of [NaN, Infinity, 1e200]) {
    const g = randomF64(d, 30);
    g[4] = bad;
    expect(() => mfac.push(g)).toThrow(/g: expected/);
  }
  expect([mfac.ihvp(randomF64(d, 20)), mfac.row(0), mfac.row(1)]).toEqual(before);
  expect(mfac.pushes).toBe(4);
});

test.each([
  ['float32', 1e-5, 1e-6],
  ['float64', 1e-5, 1e-8],
  ['float64', 1e-7, 1e-4],
  ['float64', 1e-8, 1e-2],
] as const)('in %s gradients that repeat each other at damping %p keep F⁻¹g right to %p', (precision, damping, rtol) => {
  const [m, d] = [12, 40];
  const base = randomF32(d / 2, 1); // repeated; the others are orthogonal to it: F⁻¹g = g/(λ + copies/m·‖g‖²)
  const squares = base.reduce((sum, v) => sum + v * v, 0);
  using mfac = new DynamicMfac({ size: d, window: m, damping, precision });
  for (let t = 0; t < 5 * m; t++) {
    if (t % 3 === 0) {
      mfac.update(Float64Array.from([...new Float64Array(d / 2), ...randomF32(d / 2, t + 2)]));
      continue;
    }
    const g = Float64Array.from([...base, ...new Float64Array(d / 2)]);
    const got = mfac.update(g);
    let copies = 0;
    for (let s = Math.max(0, t - m + 1); s <= t; s++) if (s % 3 !== 0) copies++;
    const want = g.map((v) => v / (damping + (copies / m) * squares));
    expect(relativeError(got, want)).toBeLessThan(rtol);
    const along = mfac.ihvp(g); // the subtractive form loses ‖g‖²/λ of its digits
    if (precision === 'float64') expect(relativeError(along, want)).toBeLessThan(1e-14 / damping + rtol);
  }
});
