import fc from 'fast-check';
import { pieces } from '../../src/core/batches.js';
import { diagonalEstimate } from '../../src/curvature/diagonal.js';
import { hessianOperator } from '../../src/curvature/operators.js';
import { sharpnessTrace } from '../../src/curvature/sharpness-trace.js';
import { trace } from '../../src/curvature/trace.js';
import { lanczos } from '../../src/linalg/lanczos.js';
import { expectClose } from '../helpers/close.js';
import { diagonal, rotated } from '../helpers/operators.js';
import { matrixOf, network } from '../helpers/quadratic.js';

const decaying = Float64Array.from({ length: 80 }, (_, i) => 10 * 0.8 ** i);
const total = decaying.reduce((sum, x) => sum + x, 0);

test('Hutchinson is exact for a diagonal operator, whatever the probes', async () => {
  const { estimate, standardError, iterations } = await trace(diagonal(decaying), { probes: 5 });
  expectClose(estimate, total, { rtol: 1e-13 });
  expectClose(standardError, 0, { atol: 1e-13 });
  expect(iterations).toBe(5);
});

test.each(['hutchinson', 'hutch++', 'xtrace'] as const)('%s lies within its own error bars', async (method) => {
  const bars = method === 'xtrace' ? 5 : 2.5; // XTrace's samples share their basis: its published error estimate is low by up to 2
  let within = 0;
  for (let seed = 0; seed < 40; seed++) {
    const { estimate, standardError } = await trace(rotated(decaying, 7), { method, probes: 24, seed });
    if (Math.abs(estimate - total) <= bars * standardError) within++;
  }
  expect(within).toBeGreaterThanOrEqual(34);
});

test('where the spectrum decays, Hutch++ and XTrace are closer than Hutchinson with as many products', async () => {
  const errors = async (method: 'hutchinson' | 'hutch++' | 'xtrace') => {
    let squares = 0;
    for (let seed = 0; seed < 10; seed++) squares += ((await trace(rotated(decaying), { method, probes: 36, seed })).estimate - total) ** 2;
    return Math.sqrt(squares / 10);
  };
  const [plain, plus, x] = [await errors('hutchinson'), await errors('hutch++'), await errors('xtrace')];
  expect(plus).toBeLessThan(plain);
  expect(x).toBeLessThan(plain);
});

test('an operator of lower rank than the probes is traced exactly by Hutch++ and XTrace', async () => {
  const values = Float64Array.from({ length: 50 }, (_, i) => (i < 4 ? i - 1.5 : 0));
  for (const method of ['hutch++', 'xtrace'] as const) {
    const { estimate, standardError } = await trace(rotated(values), { method, probes: 30 });
    expectClose(estimate, 0, { atol: 1e-10 });
    expectClose(standardError, 0, { atol: 1e-10 });
  }
});

test('with a known part, probes measure only the rest, and the error shrinks', async () => {
  const op = rotated(decaying);
  const { alpha, basis } = await lanczos(op, { steps: 20, seed: 9 });
  const known = { vectors: basis, trace: alpha.reduce((sum, x) => sum + x, 0) };
  const [plain, helped] = [await trace(op, { probes: 20 }), await trace(op, { probes: 20, known })];
  expect(Math.abs(helped.estimate - total)).toBeLessThan(4 * helped.standardError);
  expect(helped.standardError).toBeLessThan(plain.standardError / 5);
});

test('a sum of operators is traced part by part: vectors of their own lower the error at the same cost, with or without a known part', async () => {
  const { model, batch } = network([4, 8, 3], 64);
  const whole = hessianOperator(model, batch);
  const d = model.parameterCount;
  const H = await matrixOf(d, (v) => model.hvp(batch, v));
  const exact = Array.from({ length: d }, (_, i) => H[i * d + i]!).reduce((a, b) => a + b, 0);
  const parts = [...pieces(batch, 8)].map((piece) => ({ operator: hessianOperator(model, piece), share: 8 / 64 }));
  const { alpha, basis } = await lanczos(whole, { steps: 6, seed: 3 });
  const known = { vectors: basis, trace: alpha.reduce((sum, x) => sum + x, 0) };
  for (const more of [{}, { known }]) {
    let within = 0;
    let [apart, together] = [0, 0];
    for (let seed = 0; seed < 20; seed++) {
      const own = await trace(whole, { parts, probes: 8, seed, ...more });
      const common = await trace(whole, { probes: 8, seed, ...more });
      expect([own.iterations, own.samples.length]).toEqual([64, 8]);
      expectClose(own.estimate, own.samples.reduce((sum, x) => sum + x / 8, 0) + ('known' in more ? known.trace : 0), { rtol: 1e-12 });
      if (Math.abs(own.estimate - exact) <= 2.5 * own.standardError) within++;
      apart += own.standardError ** 2;
      together += common.standardError ** 2;
    }
    expect(within).toBeGreaterThanOrEqual(17);
    expect(apart).toBeLessThan(together);
  }
});

test('with a tolerance, passes end as soon as the error is known well enough; wrong parts are refused by name', async () => {
  const op = diagonal(decaying);
  const parts = [0.25, 0.75].map((share) => ({ operator: op, share }));
  const { estimate, standardError, samples } = await trace(op, { parts, probes: 50, tolerance: 0.1 });
  expectClose([estimate, standardError], [total, 0], { atol: 1e-10 });
  expect(samples).toHaveLength(7);
  await expect(trace(op, { parts: [] })).rejects.toThrow(/parts: expected at least one operator, got none/);
  await expect(trace(op, { parts: [{ operator: diagonal([1]), share: 1 }] })).rejects.toThrow(
    /parts\[0\].operator: expected size 80, got 1/,
  );
  await expect(trace(op, { parts: [{ operator: op, share: Number.NaN }] })).rejects.toThrow(/parts\[0\].share: expected a finite number/);
  await expect(trace(op, { parts, method: 'xtrace' })).rejects.toThrow(/parts: expected none for xtrace/);
});

test('a zero operator, one dimension, and a tolerance that is reached early', async () => {
  for (const method of ['hutchinson', 'hutch++', 'xtrace'] as const) {
    expect((await trace(diagonal(new Float64Array(9)), { method, probes: 6 })).estimate).toBe(0);
    expectClose((await trace(diagonal([4]), { method, probes: 6 })).estimate, 4, { rtol: 1e-14 });
  }
  expect((await trace(diagonal(decaying), { probes: 500, tolerance: 0.01 })).iterations).toBe(10);
});

test('a single sample has no standard error', async () => {
  expect((await trace(diagonal(decaying), { probes: 1 })).standardError).toBeNaN();
});

test('Hutchinson with all ±1 vectors of three dimensions is the trace of any symmetric matrix', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 6, maxLength: 6 }), async ([a, b, c, d, e, f]) => {
      const matrix = [a!, b!, c!, b!, d!, e!, c!, e!, f!];
      const op = {
        size: 3,
        precision: 'float64' as const,
        apply(v: ArrayLike<number>, out: Float32Array | Float64Array) {
          for (let i = 0; i < 3; i++) out[i] = matrix[3 * i]! * v[0]! + matrix[3 * i + 1]! * v[1]! + matrix[3 * i + 2]! * v[2]!;
        },
      };
      const vectors = Array.from({ length: 8 }, (_, i) => [1, 2, 4].map((bit) => (i & bit ? 1 : -1)));
      expectClose((await trace(op, { vectors })).estimate, a! + d! + f!, { atol: 1e-12 });
    }),
    { numRuns: 30 },
  ));

test('the diagonal of a dense operator lies within its error bars', async () => {
  const op = rotated(decaying, 3);
  const matrix = await matrixOf(80, async (v) => {
    const out = new Float64Array(80);
    await op.apply(v, out);
    return out;
  });
  const { estimate, standardErrors, iterations } = await diagonalEstimate(op, { probes: 400 });
  expect(iterations).toBe(400);
  for (let i = 0; i < 80; i++) expect(Math.abs(estimate[i]! - matrix[i * 81]!)).toBeLessThan(5 * standardErrors[i]! + 1e-12);
  expectClose((await diagonalEstimate(diagonal(decaying), { probes: 1 })).estimate, decaying, { rtol: 1e-14 });
});

test('bad options are refused by name', async () => {
  await expect(trace(diagonal([1, 2]), { probes: 2, method: 'hutch++' })).rejects.toThrow(/probes: expected an integer >= 3, got 2/);
  await expect(trace(diagonal([1, 2]), { vectors: [] })).rejects.toThrow(/vectors: expected at least one vector/);
  await expect(trace(diagonal([1, 2]), { vectors: [[1, 2, 3]] })).rejects.toThrow(/vectors\[0\]: expected 2 elements, got 3/);
  await expect(trace(diagonal([1, 2]), { vectors: [[1, 1]], method: 'hutch++' })).rejects.toThrow(/vectors: expected an even number/);
  await expect(diagonalEstimate(diagonal([1, 2]), { probes: 0 })).rejects.toThrow(/probes: expected an integer >= 1, got 0/);
});

test('the trace of a network’s Hessian is the sum of its exact diagonal', async () => {
  const { model, batch } = network([4, 6, 4, 2], 12);
  const op = hessianOperator(model, batch);
  const H = await matrixOf(op.size, (v) => model.hvp(batch, v));
  const exact = Array.from({ length: op.size }, (_, i) => H[i * (op.size + 1)]!).reduce((sum, x) => sum + x, 0);
  const { estimate, standardError } = await trace(op, { method: 'xtrace', probes: 60 });
  expect(Math.abs(estimate - exact)).toBeLessThan(6 * standardError);
});

test('a sharpness trace can record the trace of the Hessian on its way', async () => {
  const { model, batch } = network([4, 6, 2], 12);
  const { history } = await sharpnessTrace(model, batch, { learningRate: 0.5, steps: 4, every: 2, traceProbes: 20 });
  expect(history.map(({ step }) => step)).toEqual([0, 2, 4]);
  expect(history.every(({ trace: flatness }) => Number.isFinite(flatness))).toBe(true);
});

test('in two and three dimensions XTrace does not claim to be exact where its probes repeat each other', async () => {
  for (const values of [
    [1, 3],
    [1, -2, 4],
  ]) {
    const op = rotated(Float64Array.from(values));
    const exact = values.reduce((sum, x) => sum + x, 0);
    let certain = 0;
    for (let seed = 0; seed < 200; seed++) {
      const { estimate, standardError } = await trace(op, { method: 'xtrace', probes: 12, seed });
      if (!(standardError < 1e-9)) continue; // uncertain, or a single sample
      certain++;
      expect(Math.abs(estimate - exact)).toBeLessThan(1e-9);
    }
    expect(certain).toBeGreaterThan(150);
  }
});
