import { adaptiveSharpness } from '../../src/curvature/adaptive-sharpness.js';
import { batchSharpness } from '../../src/curvature/batch-sharpness.js';
import { samSharpness } from '../../src/curvature/sam-sharpness.js';
import { expectClose, relativeError } from '../helpers/close.js';
import { network, noData, quadratic } from '../helpers/quadratic.js';

const h = Float64Array.of(4, 1, 0.25);
const w = Float64Array.of(1, -2, 3);
const g = w.map((x, i) => h[i]! * x);
const length = Math.hypot(...g);

test('on a quadratic the SAM step, rise and gradient are the closed form', async () => {
  const model = quadratic(h, w);
  const found = await samSharpness(model, noData, { rho: 0.3 });
  const epsilon = g.map((x) => (0.3 * x) / length);
  expectClose(found.perturbation, epsilon, { rtol: 1e-14 });
  expectClose(
    found.gradient,
    w.map((x, i) => h[i]! * (x + epsilon[i]!)),
    { rtol: 1e-14 },
  );
  expectClose(
    found.sharpness,
    epsilon.reduce((sum, e, i) => sum + g[i]! * e + 0.5 * h[i]! * e * e, 0),
    { rtol: 1e-13 },
  );
  expectClose(found.perturbedLoss - found.loss, found.sharpness, { rtol: 1e-13 });
  expect(model.getParameters()).toEqual(w);
});

test('more steps of ascent find the maximum over the ball, which one step underestimates', async () => {
  const model = quadratic(Float64Array.of(8, 0.5), Float64Array.of(0.01, 1));
  const [one, many] = [await samSharpness(model, noData, { rho: 0.5 }), await samSharpness(model, noData, { rho: 0.5, steps: 60 })];
  let best = 0;
  for (let a = 0; a < 2000; a++) {
    const e = [0.5 * Math.cos(a / 300), 0.5 * Math.sin(a / 300)] as const;
    best = Math.max(best, 4 * ((0.01 + e[0]) ** 2 - 0.01 ** 2) + 0.25 * ((1 + e[1]) ** 2 - 1));
  }
  expect(one.sharpness).toBeLessThan(best);
  expectClose(many.sharpness, best, { rtol: 1e-3 });
});

test('a zero gradient gives a zero step, not NaN', async () => {
  const model = quadratic(h, [0, 0, 0]);
  for (const found of [await samSharpness(model, noData), await adaptiveSharpness(model, noData)]) {
    expect(found.sharpness).toBe(0);
    expect([...found.perturbation]).toEqual([0, 0, 0]);
  }
});

test('adaptive sharpness is what it says in both norms, and does not change when a layer is rescaled', async () => {
  const model = quadratic(h, w);
  const c = w.map(Math.abs);
  const weighted = Math.hypot(...g.map((x, i) => x * c[i]!));
  const l2 = await adaptiveSharpness(model, noData, { rho: 0.1, eta: 0 });
  expectClose(
    l2.perturbation,
    g.map((x, i) => (0.1 * c[i]! ** 2 * x) / weighted),
    { rtol: 1e-14 },
  );
  expectClose(l2.firstOrder, 0.1 * weighted, { rtol: 1e-14 });
  const linf = await adaptiveSharpness(model, noData, { rho: 0.1, norm: 'linf' });
  expectClose(
    linf.perturbation,
    g.map((x, i) => 0.1 * c[i]! * Math.sign(x)),
    { rtol: 1e-14 },
  );
  for (const norm of ['l2', 'linf'] as const) {
    const { model: net, batch } = network([3, 5, 2], 10, { activation: 'relu' });
    const before = await adaptiveSharpness(net, batch, { norm, eta: 0 });
    const scaled = net.getParameters();
    for (let i = 0; i < 20; i++) scaled[i] = scaled[i]! * 3; // first weights and biases up, second weights down: the same function
    for (let i = 20; i < 30; i++) scaled[i] = scaled[i]! / 3;
    net.setParameters(scaled);
    const after = await adaptiveSharpness(net, batch, { norm, eta: 0 });
    expectClose(after.sharpness, before.sharpness, { rtol: 1e-9 });
    expect(relativeError([(await samSharpness(net, batch)).sharpness], [before.sharpness])).toBeGreaterThan(0.01);
  }
});

test('the average rise over random perturbations is half the trace in adapted units, within its error', async () => {
  const { average } = await adaptiveSharpness(quadratic(h, w), noData, { rho: 0.2, eta: 0, average: 4000 });
  const want = w.reduce((sum, x, i) => sum + 0.5 * h[i]! * (0.2 * x) ** 2, 0);
  expect(Math.abs(average!.mean - want)).toBeLessThan(4 * average!.standardError);
});

test('batch sharpness of a quadratic is gᵀHg/gᵀg, and batches without a gradient are left out', async () => {
  const want = g.reduce((sum, x, i) => sum + h[i]! * x * x, 0) / g.reduce((sum, x) => sum + x * x, 0);
  const { value, perBatch } = await batchSharpness(quadratic(h, w), [noData, noData]);
  expectClose(value, want, { rtol: 1e-14 });
  expect(perBatch).toHaveLength(2);
  expect((await batchSharpness(quadratic(h, [0, 0, 0]), [noData])).perBatch).toHaveLength(0);
});

test('radii that are not positive are refused by name', async () => {
  await expect(samSharpness(quadratic(h, w), noData, { rho: 0 })).rejects.toThrow(/rho: expected a number > 0, got 0/);
  await expect(adaptiveSharpness(quadratic(h, w), noData, { eta: -1 })).rejects.toThrow(/eta: expected a number >= 0, got -1/);
});
