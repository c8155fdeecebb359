import type { Batch } from '../../src/core/model-types.js';
import { Random } from '../../src/core/random.js';
import { eigh } from '../../src/linalg/eigh.js';
import { OnnxModel } from '../../src/onnx/onnx-model.js';
import { curvatureReport } from '../../src/workflows/index.js';
import { expectClose } from '../helpers/close.js';
import { mlp } from '../helpers/models.js';
import { matrixOf, network } from '../helpers/quadratic.js';

test('every number of the report is that of the explicit Hessian', async () => {
  const { model, batch } = network([4, 8, 5, 3], 60);
  const d = model.parameterCount;
  const before = model.getParameters();
  const H = await matrixOf(d, (v) => model.hvp(batch, v));
  const { values } = eigh({ data: H, shape: [d, d] }, { vectors: false });
  const report = await curvatureReport(model, batch, { k: 4, probes: 60, traceTolerance: 0.02 });
  expectClose(report.eigenvalues, values.slice(-4).reverse(), { atol: 1e-3 * values.at(-1)! });
  expectClose(report.smallest[0]!, values[0]!, { atol: 1e-3 * values.at(-1)! });
  const trace = values.reduce((sum, x) => sum + x, 0);
  expect(Math.abs(report.trace.estimate - trace)).toBeLessThanOrEqual(4 * report.trace.standardError);
  expectClose(report.stability.gradientDescent, 2 / report.eigenvalues[0]!, { rtol: 1e-14 });
  expectClose(report.loss, await model.loss(batch), { rtol: 1e-14 });
  expect(report.samSharpness).toBeGreaterThan(0);
  const step = report.density.grid[1]! - report.density.grid[0]!;
  expectClose(
    report.density.density.reduce((sum, x) => sum + x * step, 0),
    1,
    { atol: 0.05 },
  );
  for (const { t, loss, eigenvalue } of report.slices) {
    expectClose(loss[10]!, report.loss, { rtol: 1e-12 });
    const h = t[11]!;
    expect(Math.abs((loss[11]! - 2 * loss[10]! + loss[9]!) / (h * h) - eigenvalue)).toBeLessThan(0.2 * eigenvalue + 1e-6);
  }
  expect(report).toMatchObject({ samples: 60, of: 60, parameters: d, converged: true });
  expect(model.getParameters()).toEqual(before);
});

test('the trace is that of the whole where pieces add up, also with weights, and where they do not', async () => {
  const labels = (n: number) => Int32Array.from({ length: n }, (_, i) => (i % 5 === 0 ? 9 : i % 4));
  const x = { data: new Random(4).fill(new Float64Array(3 * 150)), shape: [150, 3] };
  const weights = Float64Array.from({ length: 150 }, (_, i) => 0.5 + (i % 3));
  const plain = Int32Array.from({ length: 150 }, (_, i) => i % 4);
  for (const [loss, batch] of [
    [{ name: 'cross-entropy' }, { x, y: plain, weights }],
    [
      { name: 'cross-entropy', ignoreIndex: 9 },
      { x, y: labels(150) },
    ],
  ] as const) {
    const model = await OnnxModel.open(mlp(), { loss });
    const H = await matrixOf(model.parameterCount, async (v) => (await model.hvp(batch, v)) as Float64Array);
    const exact = Array.from({ length: model.parameterCount }, (_, i) => H[i * (model.parameterCount + 1)]!).reduce((a, b) => a + b, 0);
    const { trace } = await curvatureReport(model, batch, { k: 2, steps: 5, probes: 40, traceTolerance: 1e-3 });
    expect(Math.abs(trace.estimate - exact)).toBeLessThan(4 * trace.standardError);
    model.dispose();
  }
});

test('several batches are one, a share of the samples is drawn by the seed, and the same seed gives the same report', async () => {
  const { model, batch } = network([4, 6, 3], 40);
  const x = batch.x.data as Float64Array;
  const part = (from: number, to: number): Batch => ({
    x: { data: x.slice(from * 4, to * 4), shape: [to - from, 4] },
    y: (batch.y as Int32Array).slice(from, to),
  });
  const options = { steps: 12, probes: 20 };
  const strip = ({ seconds: _, ...rest }: Awaited<ReturnType<typeof curvatureReport>>) => rest;
  const whole = strip(await curvatureReport(model, batch, options));
  expect(strip(await curvatureReport(model, [part(0, 13), part(13, 40)], options))).toEqual(whole);
  const some = await curvatureReport(model, batch, { ...options, samples: 10, seed: 3 });
  expect([some.samples, some.of]).toEqual([10, 40]);
  expect(some.loss).not.toBe(whole.loss);
});

test('a model with fewer parameters than asked eigenvalues, and one at a flat point, are reported all the same', async () => {
  const { model, batch } = network([2, 2], 8);
  const report = await curvatureReport(model, batch, { k: 10, steps: 50 });
  expect(report.eigenvalues).toHaveLength(6);
  expect(report.converged).toBe(true);
  const { model: flat, batch: targets } = network([3, 2], 5, { loss: 'mse' });
  const zero = { x: { data: new Float64Array(15), shape: [5, 3] }, y: { data: new Float64Array(10), shape: [5, 2] } };
  flat.setParameters(new Float64Array(8));
  expect(targets.x.shape).toEqual([5, 3]);
  expect((await curvatureReport(flat, zero, { k: 2, steps: 5 })).gradientNorm).toBe(0);
});

test('no samples, options out of range, and an aborted signal are refused', async () => {
  const { model, batch } = network([4, 6, 3], 5);
  const none = { x: { data: new Float64Array(0), shape: [0, 4] }, y: new Int32Array(0) };
  await expect(curvatureReport(model, none)).rejects.toThrow(/data: expected at least one sample, got none/);
  await expect(curvatureReport(model, batch, { rho: -1 })).rejects.toThrow(/rho: expected a number > 0, got -1/);
  await expect(curvatureReport(model, batch, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
});

test('few Lanczos steps miss no eigenvalue of the largest, and each of the smallest lies within its residual of one', async () => {
  const { model, batch } = network([4, 6, 4], 40);
  const H = await matrixOf(model.parameterCount, (v) => model.hvp(batch, v));
  const exact = eigh({ data: H, shape: [model.parameterCount, model.parameterCount] }, { vectors: false }).values;
  const top = exact.slice(-5).reverse();
  for (let seed = 0; seed < 12; seed++) {
    const report = await curvatureReport(model, batch, { steps: 8, probes: 2, seed });
    expectClose(report.eigenvalues, top, { atol: 2e-3 * top[0]! });
    for (const [i, value] of report.smallest.entries()) {
      const nearest = Math.min(...exact.map((x) => Math.abs(x - value)));
      expect(nearest).toBeLessThanOrEqual(report.smallestResiduals[i]! * (1 + 1e-9) + 1e-12);
    }
  }
});
