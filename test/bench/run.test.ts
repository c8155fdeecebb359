import { type BenchCase, bench, randomF32 } from '../../src/bench/case.js';
import { compare, undecidedAgainst } from '../../src/bench/compare.js';
import { growth } from '../../src/bench/growth.js';
import { report, time } from '../../src/bench/report.js';
import type { Row } from '../../src/bench/row.js';
import { runCases } from '../../src/bench/run.js';
import { dot } from '../../src/kernels/dot.js';

const run = (...cases: BenchCase[]) =>
  runCases(
    cases.map((subject) => ({ area: 'test', subject })),
    { seconds: 0.005, builds: ['simd'] },
  );

const product = bench('product', {
  sizes: [[64], [128]],
  bytes: ([n = 0]) => 8 * n,
  baselines: {
    javascript:
      ([n = 0]) =>
      () =>
        randomF32(n, 1).reduce((sum, x, i) => sum + x * (randomF32(n, 2)[i] as number), 0),
    wrong: () => () => 1e6,
    missing: () => undefined,
  },
  setup: (arena, [n = 0]) => {
    const [x, y] = [arena.put(randomF32(n, 1)), arena.put(randomF32(n, 2))];
    return () => dot(x, y);
  },
});

test('a run reports limits, times, shares, and baselines that agree, disagree or are absent', async () => {
  const { limits, cases } = await run(product);
  expect(limits.simd?.float32).toBeGreaterThan(0);
  expect(cases).toHaveLength(2);
  const [row] = cases as [Row];
  expect(row).toMatchObject({ name: 'product', size: [64], build: 'simd', unit: 'ms', bound: 'memory', rateUnit: 'GB/s' });
  expect(row.median).toBeGreaterThan(0);
  expect(row.share).toBeGreaterThan(0);
  expect(row.share).toBeLessThanOrEqual(1);
  expect(row.baselines.javascript?.error).toBeLessThan(1e-5);
  expect(row.baselines.missing).toEqual({ absent: true });
  expect(row.warnings.join()).toMatch(/wrong disagrees: relative difference/);
});

test('asynchronous work is awaited, and a case the machine cannot open is listed as absent', async () => {
  const { cases, absent } = await run(
    bench('later', { sizes: [[1]], open: () => async () => 1 }),
    bench('never', { sizes: [[2]], open: () => undefined }),
  );
  expect(cases.map(({ name, bound, share }) => [name, bound, share])).toEqual([['later', null, null]]);
  expect(absent).toEqual([{ name: 'never', size: [2] }]);
});

const row = (name: string, n: number, value: number, error = 0.005): Row => ({
  name,
  area: 'test',
  size: [n],
  axes: ['n'],
  build: 'simd',
  unit: 'ms',
  median: value,
  interval: [0.95 * value, 1.05 * value],
  spread: 0.1 * value,
  quartiles: [value, value],
  outliers: 0,
  samples: 10,
  bound: 'compute',
  rate: 1,
  rateUnit: 'GFLOP/s',
  share: 0.5,
  work: { flops: n * n, bytes: n },
  relative: { value, error, centres: Array(7).fill(Math.log(value)) },
  baselines: { javascript: { median: 2 * value, ratio: 2, error: 0 }, reference: { absent: true } },
  warnings: ['a <remark>'],
});

test('a change counts when it exceeds 5 % and what processes differ by', () => {
  const before = [row('a', 1, 1), row('b', 1, 1), row('c', 1, 1), row('d', 1, 1, 0.05), row('gone', 1, 1)];
  const after = [row('a', 1, 1.1), row('b', 1, 0.9), row('c', 1, 1.04), row('d', 1, 1.2, 0.05), row('new', 1, 1)];
  const { changes, added, removed } = compare(before, after);
  expect(changes.map(({ name, verdict }) => [name, verdict])).toEqual([
    ['a', 'slower'],
    ['b', 'faster'],
    ['c', 'same'],
    ['d', 'same'],
  ]);
  expect(changes[0]?.change).toBeCloseTo(0.1);
  expect([added, removed]).toEqual([['new 1 simd'], ['gone 1 simd']]);
  expect(changes[2]?.detectable).toBeLessThan(0.1);
  expect(changes[3]?.detectable).toBeGreaterThan(0.3);
});

test('processes that agree by chance in one run do not hide the scatter of the other', () => {
  const spread = (middle: number, by: number, count: number): Row => {
    const centres = Array.from({ length: count }, (_, i) => middle + by * ((2 * i) / (count - 1) - 1));
    return { ...row('a', 1, Math.exp(middle)), relative: { value: Math.exp(middle), error: (0.58 * by) / Math.sqrt(count), centres } };
  };
  const [tight, wide] = [spread(0, 0.01, 7), spread(0.06, 0.09, 20)];
  expect(compare([tight], [wide]).changes[0]?.verdict).toBe('same');
  expect(compare([wide], [tight]).changes[0]?.verdict).toBe('same');
  expect(compare([tight], [spread(0.06, 0.01, 20)]).changes[0]?.verdict).toBe('slower');
});

test('one process on either side cannot tell a change', () => {
  const single: Row = { ...row('a', 1, 2), relative: { value: 2, error: 0.001, centres: [Math.log(2)] } };
  expect(compare([row('a', 1, 1)], [single]).changes[0]?.verdict).toBe('unknown');
});

test('rows that look changed are measured in as many processes again, unsteady ones until a tenth could be seen', () => {
  const undecided = undecidedAgainst([row('a', 1, 1), row('d', 1, 1, 0.05)], 7);
  const longer = (one: Row): Row => ({ ...one, relative: { ...one.relative, centres: Array(14).fill(0) } });
  expect(undecided(row('a', 1, 1))).toBe(false);
  expect(undecided(row('a', 1, 1.045))).toBe(true);
  expect(undecided(row('a', 1, 1.1))).toBe(true);
  expect(undecided(longer(row('a', 1, 1.1)))).toBe(false);
  expect(undecided(row('d', 1, 1))).toBe(true);
  expect(undecided(row('new', 1, 1))).toBe(false);
});

test('growth is the exponent over the sizes, next to that of the declared work', () => {
  const [fit] = growth([row('a', 10, 1), row('a', 100, 1000), row('single', 1, 1)]);
  expect(fit).toMatchObject({ name: 'a', axis: 'n' });
  expect(fit?.exponent).toBeCloseTo(3);
  expect(fit?.workExponent).toBeCloseTo(2);
});

test('growth over two extents whose product is the same everywhere is that along the last of them, and alike extents are one', () => {
  const sized = (size: number[], value: number): Row => ({ ...row('a', 1, value), size, axes: ['rows', 'n'] });
  const [traded] = growth([sized([400, 10], 1), sized([200, 20], 2), sized([100, 40], 4)]);
  expect(traded?.axis).toBe('n at equal rows × n');
  expect(traded?.exponent).toBeCloseTo(1);
  const [square] = growth([sized([10, 10], 1), sized([100, 100], 100)]);
  expect(square?.axis).toBe('rows = n');
  expect(square?.exponent).toBeCloseTo(2);
});

test('the report is one page without scripts that names every row and escapes what it prints', () => {
  const limits = { simd: { float32: 40, float64: 20, read: [{ bytes: 1024, rate: 100 }] } };
  const html = report({ title: 'bench', machine: { cpu: 'x' }, limits, cases: [row('a', 10, 1)] });
  expect(html).toContain('a 10 simd');
  expect(html).not.toMatch(/<script|<remark>|NaN/);
});

test.each([
  [2, '2 ms'],
  [1234, '1234 ms'],
  [0.0123, '12.3 µs'],
  [0.0000012, '1.2 ns'],
])('%f ms is written as %s', (milliseconds, written) => {
  expect(time(milliseconds)).toBe(written);
});
