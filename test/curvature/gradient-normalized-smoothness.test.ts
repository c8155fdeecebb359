import { gradientNormalizedSmoothness } from '../../src/curvature/gradient-normalized-smoothness.js';
import { expectClose } from '../helpers/close.js';
import { functionModel, noData, quadratic } from '../helpers/quadratic.js';

test('on a quadratic with its exact Hessian every radius holds', async () => {
  const { gamma, residuals, radii } = await gradientNormalizedSmoothness(quadratic([3, 1, 0.2], [1, 1, 1]), noData);
  expect(gamma).toBe(radii.at(-1));
  expectClose(residuals.data, new Float64Array(80), { atol: 1e-14 });
});

test('without a Hessian the radius is the gradient norm over the smoothness constant', async () => {
  // ‖∇L(w+h) − ∇L(w)‖ = 2‖h‖ ≤ ‖g‖·‖h‖/γ exactly while γ ≤ ‖g‖/2
  const radii = Array.from({ length: 60 }, (_, i) => 0.05 * (i + 1));
  const { gamma, gradientNorm } = await gradientNormalizedSmoothness(quadratic([2, 2], [0.6, 0.8]), noData, {
    approximation: 'none',
    radii,
  });
  expectClose(gradientNorm, 2, { rtol: 1e-14 });
  expectClose(gamma, 1, { rtol: 0.051 });
});

test('for log-sum-exp of one variable it is the radius of a brute-force search', async () => {
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  const model = functionModel([1.5], {
    loss: ([x]) => Math.log(1 + Math.exp(x!)),
    gradient: ([x]) => Float64Array.of(sigmoid(x!)),
    hvp: ([x], v) => Float64Array.of(sigmoid(x!) * (1 - sigmoid(x!)) * v[0]!),
  });
  const radii = Array.from({ length: 300 }, (_, i) => 0.02 * (i + 1));
  const { gamma } = await gradientNormalizedSmoothness(model, noData, { directions: [[1], [-1]], radii });
  let brute = 0;
  const g = sigmoid(1.5);
  for (const candidate of radii) {
    const fits = radii
      .filter((r) => r <= candidate)
      .every((r) => [r, -r].every((h) => Math.abs(sigmoid(1.5 + h) - g - h * g * (1 - g)) <= (g * r) / candidate));
    if (fits) brute = candidate;
  }
  expect(brute).toBeGreaterThan(0.5);
  expect(gamma).toBe(brute);
});

test('radii out of order, and zero directions, are refused by name', async () => {
  const model = quadratic([1], [1]);
  await expect(gradientNormalizedSmoothness(model, noData, { radii: [1, 0.5] })).rejects.toThrow(
    /radii: expected positive numbers in ascending order/,
  );
  await expect(gradientNormalizedSmoothness(model, noData, { directions: [[0]] })).rejects.toThrow(
    /directions\[0\]: expected a vector other than zero/,
  );
});
