// systems/173: Gradient-Normalized Smoothness for Optimization with Approximate Hessians.
import { DenseModel } from '../../src/dense/dense-model.js';
import { gradNormSmoothNewton } from '../../src/optimizers/index.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { functionModel, noData, quadratic } from '../helpers/quadratic.js';

/** ℓ2-regularised softmax regression, strongly convex: regularisation by squared-error rows would change the loss, so it is explicit. */
function softmaxRegression() {
  const [n, inputs, k, mu] = [60, 4, 3, 0.05];
  const x = randomF64(n * inputs, 1);
  const y = Int32Array.from({ length: n }, (_, i) => (x[i * inputs]! > 0.3 ? 0 : x[i * inputs + 1]! > 0 ? 1 : 2));
  const inner = DenseModel.create({ layers: [{ weight: { data: randomF64(k * inputs, 2), shape: [k, inputs] } }], loss: 'cross-entropy' });
  const batch = { x: { data: x, shape: [n, inputs] }, y };
  return Object.assign(Object.create(inner) as DenseModel, {
    precision: 'float64' as const,
    parameterCount: inner.parameterCount,
    getParameters: () => inner.getParameters(),
    setParameters: (w: Float64Array) => inner.setParameters(w),
    async gradient() {
      const { value, grad } = await inner.gradient(batch);
      const w = inner.getParameters() as Float64Array;
      return { value: value + 0.5 * mu * w.reduce((s, v) => s + v * v, 0), grad: (grad as Float64Array).map((g, i) => g + mu * w[i]!) };
    },
    hvp: async (_d: unknown, v: Float64Array) => ((await inner.hvp(batch, v)) as Float64Array).map((h, i) => h + mu * v[i]!),
    ggnvp: async (_d: unknown, v: Float64Array) => ((await inner.ggnvp(batch, v)) as Float64Array).map((h, i) => h + mu * v[i]!),
  });
}

test('systems/173: on strongly convex softmax regression the exact Hessian converges superlinearly to high precision', async () => {
  const model = softmaxRegression();
  const { history, gradientNorm, converged } = await gradNormSmoothNewton(model, noData, { approximation: 'hessian', tolerance: 1e-12 });
  expect(converged).toBe(true);
  expect(gradientNorm).toBeLessThan(1e-12);
  // Superlinear: the factor by which the gradient shrinks gets better and better.
  const factors = history.slice(1).map(({ gradientNorm: g }, i) => g / history[i]!.gradientNorm);
  const sharp = factors.filter((_, i) => history[i]!.gradientNorm > 1e-10);
  expect(sharp.at(-1)!).toBeLessThan(0.05);
  expect(sharp.at(-1)!).toBeLessThan(sharp[0]! / 3);
});

test('systems/173: accepted steps satisfy the stated decrease, and the loss is monotone', async () => {
  const model = softmaxRegression();
  const start = (await model.gradient(noData)).value;
  const { history } = await gradNormSmoothNewton(model, noData, { approximation: 'ggn', tolerance: 1e-6 });
  let before = start;
  for (const { loss, gradientNorm, damping } of history) {
    expect(before - loss).toBeGreaterThanOrEqual((gradientNorm * gradientNorm) / (8 * damping) - 1e-14);
    before = loss;
  }
  expect(history.length).toBeGreaterThan(2);
});

test('systems/173: with a curvature that is off by a factor the convergence is linear', async () => {
  const model = softmaxRegression();
  const half = (m: DenseModel) => ({
    size: m.parameterCount,
    precision: 'float64' as const,
    async apply(v: Float64Array, out: Float64Array) {
      out.set((await m.hvp(noData, v)).map((h) => 2 * h));
    },
  });
  const { history, converged } = await gradNormSmoothNewton(model, noData, { approximation: half as never, tolerance: 1e-10 });
  expect(converged).toBe(true);
  const late = history.slice(-6).map(({ gradientNorm: g }, i, all) => (i ? g / all[i - 1]!.gradientNorm : 0.5));
  for (const factor of late) expectClose(factor, 0.5, { atol: 0.1 });
});

test('a quadratic is solved, and its damping falls by half at every accepted step of a constant gradient ratio', async () => {
  const { converged, loss, history } = await gradNormSmoothNewton(quadratic([1, 10, 100], [1, 1, 1]), noData, { approximation: 'hessian' });
  expect(converged).toBe(true);
  expect(loss).toBeLessThan(1e-16);
  expect(history.every(({ tries }) => tries === 1)).toBe(true);
});

test('from a region of negative curvature it damps until the step is a descent, and still converges', async () => {
  // L = (w² − 1)²/4: at 0.1 the second derivative is negative.
  const model = functionModel([0.1], {
    loss: ([w]) => (w! * w! - 1) ** 2 / 4,
    gradient: ([w]) => Float64Array.of((w! * w! - 1) * w!),
    hvp: ([w], v) => Float64Array.of((3 * w! * w! - 1) * v[0]!),
  });
  const { converged } = await gradNormSmoothNewton(model, noData, { approximation: 'hessian' });
  expect(converged).toBe(true);
  expectClose(Math.abs(model.getParameters()[0]!), 1, { atol: 1e-7 });
});

test('a stationary start needs no step; bad options are refused by name', async () => {
  expect(await gradNormSmoothNewton(quadratic([1], [0]), noData)).toMatchObject({ history: [], converged: true });
  await expect(gradNormSmoothNewton(quadratic([1], [1]), noData, { gamma: 0 })).rejects.toThrow(/gamma: expected a number > 0, got 0/);
});
