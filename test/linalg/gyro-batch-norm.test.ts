// systems/226: Riemannian Batch Normalization: A Gyro Approach (GyroBN).
import fc from 'fast-check';
import { frechetMean, gyroBatchNorm, poincareAdd } from '../../src/linalg/gyro-batch-norm.js';
import { expectClose, randomF64 } from '../helpers/close.js';

const ball = (n: number, d: number, seed = 1) => {
  const x = randomF64(n * d, seed);
  for (let i = 0; i < n; i++) {
    const length = Math.hypot(...x.slice(i * d, (i + 1) * d));
    for (let j = 0; j < d; j++) x[i * d + j] = (x[i * d + j]! / length) * (0.85 * (length / (1 + length)));
  }
  return { data: x, shape: [n, d] };
};
const spd = (n: number, m: number, seed = 1) => {
  const root = randomF64(n * m * m, seed);
  const data = Float64Array.from({ length: n * m * m }, (_, at) => {
    const [s, i, j] = [Math.floor(at / (m * m)), Math.floor(at / m) % m, at % m];
    let sum = i === j ? 0.3 : 0;
    for (let l = 0; l < m; l++) sum += root[s * m * m + i * m + l]! * root[s * m * m + j * m + l]!;
    return sum;
  });
  return { data, shape: [n, m, m] };
};

test('systems/226: after the layer the Fréchet mean is β and the dispersion s², in the ball', () => {
  for (const curvature of [1, 0.4]) {
    const beta = [0.3, -0.2, 0.1];
    const out = gyroBatchNorm(ball(20, 3), { beta, scale: 0.7, curvature }).points;
    const { mean, variance, converged } = frechetMean(out, { curvature });
    expect(converged).toBe(true);
    expectClose(mean.data, beta, { atol: 1e-8 });
    expectClose(variance, 0.49, { rtol: 1e-8 });
  }
});

test('systems/226: and on positive definite matrices with the affine-invariant metric', () => {
  const beta = [2, 0.5, 0, 0.5, 1, 0.2, 0, 0.2, 1.5];
  const out = gyroBatchNorm(spd(12, 3), { space: 'spd', beta, scale: 1.3 }).points;
  const { mean, variance } = frechetMean(out, { space: 'spd' });
  expectClose(mean.data, beta, { atol: 1e-8 });
  expectClose(variance, 1.69, { rtol: 1e-8 });
});

const point = fc.array(fc.double({ min: -0.5, max: 0.5, noNaN: true }), { minLength: 3, maxLength: 3 });

test('systems/226: left cancellation and gyroisometry hold for Möbius addition', () =>
  fc.assert(
    fc.property(point, point, point, (x, y, z) => {
      const minus = x.map((v) => -v);
      expectClose(poincareAdd(minus, poincareAdd(x, y)), y, { atol: 1e-10 });
      // Translations keep the gyrodistance ‖⊖y ⊕ z‖.
      const size = (a: ArrayLike<number>, b: ArrayLike<number>) =>
        Math.hypot(
          ...poincareAdd(
            Array.from(a, (v) => -v),
            Array.from(b),
          ),
        );
      expectClose(size(poincareAdd(x, y), poincareAdd(x, z)), size(y, z), { atol: 1e-9 });
    }),
    { numRuns: 100 },
  ));

test('systems/226: as the curvature goes to 0 it becomes ordinary batch normalisation', () => {
  const [n, d] = [15, 2];
  const x = randomF64(n * d, 3);
  const { points } = gyroBatchNorm({ data: x, shape: [n, d] }, { curvature: 1e-9, beta: [0.5, -1], scale: 2 });
  const mean = [0, 1].map((j) => x.reduce((sum, v, i) => (i % d === j ? sum + v / n : sum), 0));
  // Distances in the ball of vanishing curvature are twice the Euclidean ones, in the numerator and in the dispersion alike.
  const variance = x.reduce((sum, v, i) => sum + (v - mean[i % d]!) ** 2 / n, 0);
  const want = x.map((v, i) => [0.5, -1][i % d]! + (2 / (2 * Math.sqrt(variance))) * (v - mean[i % d]!));
  expectClose(points.data, want, { atol: 1e-6 });
});

test('the mean of one point is itself, of two the midpoint; equal points go to β', () => {
  const one = frechetMean({ data: Float64Array.of(0.3, 0.1), shape: [1, 2] });
  expectClose(one.mean.data, [0.3, 0.1], { atol: 1e-14 });
  expectClose(frechetMean({ data: Float64Array.of(0.6, 0, -0.6, 0), shape: [2, 2] }).mean.data, [0, 0], { atol: 1e-12 });
  const same = gyroBatchNorm({ data: Float64Array.of(0.2, 0.2, 0.2, 0.2), shape: [2, 2] }, { beta: [0.1, 0] });
  expectClose(same.points.data, [0.1, 0, 0.1, 0], { atol: 1e-14 });
});

test('points outside the space are refused by name', () => {
  expect(() => frechetMean({ data: Float64Array.of(1, 0), shape: [1, 2] })).toThrow(
    /points\[0\]: expected a point of the open ball of radius 1, got norm 1/,
  );
  expect(() => frechetMean({ data: Float64Array.of(1, 0, 0, -1), shape: [1, 2, 2] }, { space: 'spd' })).toThrow(
    /points\[0\]: expected a positive definite matrix/,
  );
  expect(() => gyroBatchNorm(ball(3, 2), { beta: [0.1] })).toThrow(/beta: expected 2 elements, got 1/);
  expect(() => poincareAdd([0.9, 0.9], [0, 0])).toThrow(/x: expected a point of the open ball/);
});
