import fc from 'fast-check';
import { StaticMfac } from '../../src/mfac/index.js';
import { expectClose, randomF32, randomF64, relativeError } from '../helpers/close.js';
import { denseFisher, inverse, recurrence, times } from './dense.js';

const diagonalOf = (A: Float64Array, n: number): Float64Array => Float64Array.from({ length: n }, (_, k) => A[k * n + k]!);

test.each([
  [1, 1],
  [1, 7],
  [5, 3],
  [8, 24],
  [40, 33],
  [33, 40],
  [64, 130],
])('systems/94 %i gradients of %i parameters: products, diagonal and columns are those of the dense inverse', async (m, d) => {
  const G = randomF64(m * d, 1);
  const x = randomF64(d, 2);
  for (const blockSize of [Infinity, 1, 4, 7]) {
    for (const form of ['auto', 'gram', 'covariance'] as const) {
      for (const memoryLimit of [2 ** 31, 0]) {
        using mfac = await StaticMfac.build({ data: G, shape: [m, d] }, { damping: 1e-2, blockSize, form, memoryLimit });
        const dense = inverse(denseFisher(G, m, d, 1e-2, Math.min(d, blockSize)), d);
        expectClose(mfac.ihvp(x), times(dense, x), { rtol: 1e-9, atol: 1e-10 });
        expectClose(mfac.diagonal(), diagonalOf(dense, d), { rtol: 1e-9 });
        for (const i of [0, d >> 1, d - 1]) expectClose(mfac.column(i), dense.subarray(i * d, (i + 1) * d), { rtol: 1e-8, atol: 1e-9 });
      }
    }
  }
});

test('systems/94 the published recurrence gives the same products', async () => {
  const [m, d] = [20, 50];
  const G = randomF64(m * d, 3);
  const x = randomF64(d, 4);
  using mfac = await StaticMfac.build({ data: G, shape: [m, d] }, { damping: 1e-3 });
  expect(relativeError(mfac.ihvp(x), recurrence(G, m, d, 1e-3)(x))).toBeLessThan(1e-9);
});

test('in f32 products and diagonal stay within 1e-4 for damping from 1 to 1e-5', async () => {
  const [m, d] = [32, 200];
  const G = randomF32(m * d, 5);
  const x = randomF32(d, 6);
  for (const damping of [1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5]) {
    const dense = inverse(denseFisher(G, m, d, damping), d);
    using mfac = await StaticMfac.build({ data: G, shape: [m, d] }, { damping });
    expect(mfac.precision).toBe('float32');
    expect(relativeError(mfac.ihvp(x), times(dense, x))).toBeLessThan(1e-4);
    expect(relativeError(mfac.diagonal(), diagonalOf(dense, d))).toBeLessThan(1e-4);
  }
});

test('where coordinates dominate, the diagonal of f32 gradients stays positive and right to 1e-4', async () => {
  const [m, d] = [16, 60];
  for (const damping of [1e-3, 1e-5, 1e-7]) {
    const G = randomF32(m * d, 7);
    for (let i = 0; i < m; i++) {
      G[i * d + 9] = 100 * G[i * d + 9]!; // in every gradient
      G[i * d + 30] = i === 5 ? 1000 : 0; // in one of them
    }
    const want = diagonalOf(inverse(denseFisher(G, m, d, damping), d), d);
    for (const memoryLimit of [2 ** 31, 0]) {
      using mfac = await StaticMfac.build({ data: G, shape: [m, d] }, { damping, memoryLimit });
      const got = mfac.diagonal();
      expectClose([got[9]!, got[30]!], [want[9]!, want[30]!], { rtol: 1e-4 });
      expect(relativeError(got, want)).toBeLessThan(1e-4);
      for (const value of got) expect(value).toBeGreaterThan(0);
    }
  }
});

test('repeated gradients with a tiny damping are solved in f64 where f32 products would fail', async () => {
  const [m, d] = [12, 64];
  const first = randomF32(d, 8);
  const G = new Float32Array(m * d);
  for (let i = 0; i < m; i++) G.set(first, i * d);
  using mfac = await StaticMfac.build({ data: G, shape: [m, d] }, { damping: 1e-7 });
  const want = diagonalOf(inverse(denseFisher(G, m, d, 1e-7), d), d);
  expect(relativeError(mfac.diagonal(), want)).toBeLessThan(1e-5);
});

test('a stream of rows, rows, and rows that overwrite their buffer give the bits of the tensor', async () => {
  const [m, d] = [9, 31];
  const G = randomF32(m * d, 9);
  const rows = Array.from({ length: m }, (_, i) => G.slice(i * d, (i + 1) * d));
  async function* stream(): AsyncGenerator<Float32Array> {
    const buffer = new Float32Array(d);
    for (const row of rows) {
      buffer.set(row);
      yield buffer;
    }
  }
  const x = randomF32(d, 10);
  using whole = await StaticMfac.build({ data: G, shape: [m, d] }, { damping: 1e-2 });
  using streamed = await StaticMfac.build(stream(), { damping: 1e-2 });
  using fromRows = await StaticMfac.build(rows, { damping: 1e-2 });
  expect(streamed.ihvp(x)).toEqual(whole.ihvp(x));
  expect(fromRows.ihvp(x)).toEqual(whole.ihvp(x));
});

test('gradients given are left alone, unless they may be overwritten and do not fit', async () => {
  const [m, d] = [4, 300];
  const G = randomF32(m * d, 11);
  const before = G.slice();
  const x = randomF32(d, 12);
  using kept = await StaticMfac.build({ data: G, shape: [m, d] }, { damping: 1e-2, memoryLimit: 0 });
  expect(G).toEqual(before);
  const want = kept.ihvp(x);
  using overwritten = await StaticMfac.build({ data: G, shape: [m, d] }, { damping: 1e-2, memoryLimit: 0, overwrite: true });
  expect(G).not.toEqual(before);
  expectClose(overwritten.ihvp(x), want, { rtol: 1e-5, atol: 1e-4 });
});

test('wide gradients are worked on in pieces that agree with the whole', async () => {
  const [m, d] = [260, 17_000]; // a piece of 260 rows is 16128 columns
  const G = randomF32(m * d, 13);
  const x = randomF32(d, 14);
  const done: number[] = [];
  const onProgress = (p: { done: number }): void => void done.push(p.done);
  using resident = await StaticMfac.build({ data: G, shape: [m, d] }, { damping: 1, onProgress });
  using outside = await StaticMfac.build({ data: G, shape: [m, d] }, { damping: 1, memoryLimit: 0 });
  expect(done.length).toBeGreaterThanOrEqual(4);
  expect(done).toEqual([...done].sort((a, b) => a - b));
  expect(relativeError(outside.ihvp(x), resident.ihvp(x))).toBeLessThan(1e-5);
  // F·(F⁻¹x) = x
  const y = resident.ihvp(x);
  const back = Float64Array.from(y);
  for (let i = 0; i < m; i++) {
    let dot = 0;
    for (let k = 0; k < d; k++) dot += G[i * d + k]! * y[k]!;
    for (let k = 0; k < d; k++) back[k] = back[k]! + (dot / m) * G[i * d + k]!;
  }
  expect(relativeError(back, x)).toBeLessThan(1e-4);
});

test('the inverse is symmetric, positive and bounded by 1/λ', () =>
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }), (m, d, blockSize) => {
      using mfac = StaticMfac.buildSync({ data: randomF64(m * d, m + 31 * d), shape: [m, d] }, { damping: 0.5, blockSize });
      const diagonal = mfac.diagonal();
      for (const value of diagonal) expect(value > 0 && value <= 2 + 1e-12).toBe(true);
      const [a, b] = [mfac.column(0), mfac.column(d - 1)];
      expectClose([a[d - 1]!], [b[0]!], { atol: 1e-12 });
      const x = randomF64(d, 77);
      const y = mfac.ihvp(x);
      expect(x.reduce((sum, v, k) => sum + v * y[k]!, 0)).toBeGreaterThan(0);
    }),
    { numRuns: 40 },
  ));

test('a fired signal stops the build, a disposed object refuses work', async () => {
  const G = { data: randomF32(40, 1), shape: [4, 10] };
  await expect(StaticMfac.build(G, { signal: AbortSignal.abort('enough') })).rejects.toThrow(/aborted/);
  const mfac = await StaticMfac.build(G);
  mfac.dispose();
  expect(() => mfac.ihvp(new Float32Array(10))).toThrow(/StaticMfac: expected an object in use, got one after dispose\(\)/);
});

test('bad input is refused by name', async () => {
  const G = { data: randomF32(40, 1), shape: [4, 10] };
  for (const damping of [0, -1, NaN]) await expect(StaticMfac.build(G, { damping })).rejects.toThrow(/damping: expected a number > 0/);
  await expect(StaticMfac.build(G, { blockSize: 0 })).rejects.toThrow(/blockSize: expected an integer >= 1/);
  await expect(StaticMfac.build({ data: new Float32Array(40), shape: [40] })).rejects.toThrow(
    /G: expected a matrix \[m, d\], got shape \[40\]/,
  );
  await expect(StaticMfac.build({ data: new Float32Array(0), shape: [0, 10] })).rejects.toThrow(/G: expected at least one gradient/);
  await expect(StaticMfac.build([new Float32Array(3), new Float32Array(4)])).rejects.toThrow(
    /G: expected rows of 3 elements, got 4 in row 1/,
  );
  for (const form of ['gram', 'covariance'] as const) {
    const bad = { data: randomF32(40, 1).fill(NaN, 17, 18), shape: [4, 10] };
    await expect(StaticMfac.build(bad, { form })).rejects.toThrow(/G: expected finite numbers/);
  }
  using mfac = await StaticMfac.build(G);
  expect(() => mfac.ihvp(new Float32Array(9))).toThrow(/x: expected 10 elements, got 9/);
  expect(() => mfac.ihvp(new Float32Array(10).fill(Infinity))).toThrow(/x: expected finite numbers/);
  expect(() => mfac.column(10)).toThrow(/i: expected an integer from 0 to 9, got 10/);
});
