import { cauchyLoss } from '../../src/losses/index.js';
import { expectClose, numericalGradient, randomF64 } from '../helpers/close.js';

const [x, y] = [randomF64(12, 1), randomF64(12, 2)];
const length = (g: ArrayLike<number>) => Math.sqrt(Array.from(g, (v) => v * v).reduce((s, v) => s + v, 0));
const shaped = (data: Float64Array) => ({ data, shape: [3, 4] });

test('systems/188: the value is the formula, and its gradient that of differences', () => {
  const options = { scale: 0.3, weights: [1, 2, 0.5] };
  const { value, grad, perSample } = cauchyLoss(shaped(x), y, options);
  const want = [0, 1, 2].map((i) => {
    const mean = [0, 1, 2, 3].reduce((s, k) => s + (x[4 * i + k]! - y[4 * i + k]!) ** 2 / 4, 0);
    return Math.log(1 + mean / (2 * 0.09));
  });
  expectClose(perSample, want, { rtol: 1e-12 });
  expectClose(value, (want[0]! + 2 * want[1]! + 0.5 * want[2]!) / 3.5, { rtol: 1e-12 });
  expectClose(
    grad,
    numericalGradient((p) => cauchyLoss(shaped(p), y, options).value, x),
    { rtol: 1e-6, atol: 1e-8 },
  );
});

test('systems/188: the pull of a sample is bounded by 1/(c√(2n)), reached at mean square 2c²', () => {
  const c = 0.7;
  const bound = 1 / (c * Math.sqrt(8));
  for (const far of [1e-3, 0.1, 1, 10, 1e3, 1e8]) {
    const { grad } = cauchyLoss({ data: Float64Array.of(far, -far, far, far), shape: [1, 4] }, new Float64Array(4), { scale: c });
    expect(length(grad)).toBeLessThanOrEqual(bound * (1 + 1e-12));
  }
  const at = Math.sqrt(2) * c;
  const { grad } = cauchyLoss({ data: Float64Array.of(at, at, at, at), shape: [1, 4] }, new Float64Array(4), { scale: c });
  expectClose(length(grad), bound, { rtol: 1e-12 });
});

test('bad input is refused by name', () => {
  expect(() => cauchyLoss(shaped(x), y, { scale: 0 })).toThrow(/scale: expected a number > 0/);
  expect(() => cauchyLoss(shaped(x), y.subarray(1))).toThrow(/targets: expected 12 elements, got 11/);
});
