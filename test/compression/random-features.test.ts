import { drawDigits } from '../../bin/demo/digits.js';
import { bundledRidgeHead, scalableNeuralKernel, universalRandomFeatures } from '../../src/compression/index.js';
import type { Batch } from '../../src/core/model-types.js';
import { fit } from '../../src/workflows/index.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { accuracy, network } from './trained.js';

const d = 5;
const x = { data: randomF64(8 * d, 1).map((v) => 0.3 * v), shape: [8, d] };
const w = { data: randomF64(6 * d, 2).map((v) => 0.3 * v), shape: [6, d] };
const b = randomF64(6, 3);

const product = (a: Float64Array, c: Float64Array, rows: number, cols: number, m: number): Float64Array =>
  Float64Array.from({ length: rows * cols }, (_, k) => {
    let sum = 0;
    for (let j = 0; j < m; j++) sum += a[Math.floor(k / cols) * m + j]! * c[(k % cols) * m + j]!;
    return sum;
  });

/** Root of the mean squared error over places and seeds. */
function error(f: Parameters<typeof universalRandomFeatures>[0]['f'], truth: (u: number) => number, m: number, scale = 1): number {
  const near = { data: w.data.map((v) => scale * v), shape: w.shape };
  const arguments_ = product(x.data, near.data, 8, 6, d).map((u, k) => u + b[k % 6]!);
  let sum = 0;
  const seeds = 24;
  for (let seed = 0; seed < seeds; seed++) {
    const { inputs, weights } = universalRandomFeatures({ inputs: d, features: m, f, seed });
    const got = product(inputs(x).data, weights(near, b).data, 8, 6, m);
    for (let k = 0; k < got.length; k++) sum += (got[k]! - truth(arguments_[k]!)) ** 2 / (got.length * seeds);
  }
  return Math.sqrt(sum);
}

test.each([
  ['cos', Math.cos, 1],
  ['sin', Math.sin, 1],
  ['exp', Math.exp, 1],
  ['gaussian', (u: number) => Math.exp((-u * u) / 2), 0.4], // frequencies without bound: the variance is finite for |w|² < ½ only
] as const)('systems/22 features of %s multiply to f(w·x + b), with an error that falls as m^(−1/2)', (f, truth, scale) => {
  const sizes = [16, 64, 256];
  const points = sizes.map((m) => [Math.log(m), Math.log(error(f, truth, m, scale))] as const);
  const [mx, my] = [0, 1].map((i) => points.reduce((sum, p) => sum + p[i]!, 0) / points.length) as [number, number];
  const slope = points.reduce((sum, [a, c]) => sum + (a - mx) * (c - my), 0) / points.reduce((sum, [a]) => sum + (a - mx) ** 2, 0);
  expect(Math.abs(slope + 0.5)).toBeLessThan(0.1);
  expect(error(f, truth, 256, scale)).toBeLessThan(0.2);
});

test('systems/22 any function by its Fourier transform: a mixture of two cosines and a sine from drawn frequencies', () => {
  const f = (random: { uniform(): number }) =>
    random.uniform() < 0.5 ? { frequency: 0.5, real: 2 } : { frequency: 1.5, real: 0, imaginary: -4 };
  expect(error(f, (u) => Math.cos(0.5 * u) + 2 * Math.sin(1.5 * u), 1024)).toBeLessThan(0.24);
});

test('systems/22 arc-cosine features multiply to the closed-form kernel of a ReLU layer, which is that of the integral', () => {
  const { features, kernel } = scalableNeuralKernel({ inputs: d, features: 20000, seed: 3 });
  const closed = kernel(x, w).data;
  const size = Math.sqrt(closed.reduce((sum, v) => sum + v * v, 0) / closed.length);
  expectClose(product(features(x).data, features(w).data, 8, 6, 20000), closed, { atol: 0.1 * size });
  // In the plane of two unit vectors at angle θ: E[relu(g·x) relu(g·w)] = (1/2π)∫ relu(cos φ) relu(cos(φ − θ)) dφ · E[r²], E[r²] = 2.
  const angle = 1.1;
  const unit = scalableNeuralKernel({ inputs: 2, features: 1 });
  let integral = 0;
  const steps = 20000;
  for (let i = 0; i < steps; i++) {
    const phi = (2 * Math.PI * i) / steps;
    integral += (2 * Math.max(0, Math.cos(phi)) * Math.max(0, Math.cos(phi - angle))) / steps;
  }
  const at = unit.kernel(
    { data: Float64Array.of(1, 0), shape: [1, 2] },
    { data: Float64Array.of(Math.cos(angle), Math.sin(angle)), shape: [1, 2] },
  );
  expect(at.data[0]).toBeCloseTo(integral, 6);
  const same = unit.kernel({ data: Float64Array.of(3, 4, 0, 0), shape: [2, 2] }, { data: Float64Array.of(3, 4), shape: [1, 2] });
  expectClose(same.data, [12.5, 0], { rtol: 1e-12 });
});

test('systems/22 the bundled head solves its normal equations, and without damping is the least-squares fit', () => {
  const phi = { data: randomF64(30 * 4, 5), shape: [30, 4] };
  const truth = randomF64(8, 6);
  const y = {
    data: product(
      phi.data,
      Float64Array.from(truth, (_, k) => truth[(k % 4) * 2 + Math.floor(k / 4)]!),
      30,
      2,
      4,
    ),
    shape: [30, 2],
  };
  expectClose(bundledRidgeHead(phi, y, { damping: 0 }).data, truth, { rtol: 1e-9, atol: 1e-10 });
  const noisy = { data: y.data.map((v, k) => v + Math.sin(k)), shape: [30, 2] };
  const head = bundledRidgeHead(phi, noisy, { damping: 0.5 });
  // Φᵀ(y − Φw) = λw.
  for (let i = 0; i < 4; i++)
    for (let k = 0; k < 2; k++) {
      let sum = 0;
      for (let r = 0; r < 30; r++) {
        let fitted = 0;
        for (let j = 0; j < 4; j++) fitted += phi.data[r * 4 + j]! * head.data[j * 2 + k]!;
        sum += phi.data[r * 4 + i]! * (noisy.data[r * 2 + k]! - fitted);
      }
      expect(sum).toBeCloseTo(0.5 * head.data[i * 2 + k]!, 9);
    }
});

test('systems/22 a bundled network of half the parameters keeps more than 95 % of the accuracy of a trained one', async () => {
  const { x: images, y } = drawDigits(1500, { seed: 1 });
  const { x: unseen, y: labels } = drawDigits(500, { seed: 2 });
  const inputs = images.data.length / 1500;
  const model = network([inputs, 48, 10]);
  const train: Batch = { x: { data: images.data, shape: [1500, inputs] }, y };
  const test: Batch = { x: { data: unseen.data, shape: [500, inputs] }, y: labels };
  await fit(model, train, { epochs: 12, learningRate: 3e-3, batchSize: 50 });
  const trained = await accuracy(model, test);
  const m = Math.floor(model.parameterCount / 2 / 10); // the directions follow from the seed: m·10 numbers are all there is
  const { features } = scalableNeuralKernel({ inputs, features: m });
  const targets = { data: new Float64Array(15000), shape: [1500, 10] };
  for (const [i, label] of y.entries()) targets.data[i * 10 + label] = 1;
  const head = bundledRidgeHead(features(train.x as never), targets, { damping: 1e-2 }).data;
  const phi = features(test.x as never).data;
  let right = 0;
  for (let i = 0; i < 500; i++) {
    const scores = Array.from({ length: 10 }, (_, k) => {
      let sum = 0;
      for (let j = 0; j < m; j++) sum += phi[i * m + j]! * head[j * 10 + k]!;
      return sum;
    });
    if (scores.indexOf(Math.max(...scores)) === labels[i]) right++;
  }
  expect(10 * m).toBeLessThanOrEqual(model.parameterCount / 2);
  expect(right / 500).toBeGreaterThan(0.95 * trained);
  model.dispose();
});

test('bad input is refused by name', () => {
  expect(() => universalRandomFeatures({ inputs: 0, features: 1, f: 'cos' })).toThrow(/inputs: expected an integer >= 1/);
  expect(() => universalRandomFeatures({ inputs: 1, features: 1, f: 'tan' as never })).toThrow(
    /f: expected one of cos, sin, exp, gaussian/,
  );
  expect(() => universalRandomFeatures({ inputs: 2, features: 1, f: 'cos' }).inputs(x)).toThrow(
    /x: expected rows \[n, 2\], got shape \[8, 5\]/,
  );
  expect(() => universalRandomFeatures({ inputs: d, features: 1, f: 'cos' }).weights(w, [1])).toThrow(
    /b: expected 1 elements|b: expected 6 elements/,
  );
  expect(() => scalableNeuralKernel({ inputs: 2, features: 1 }).features(x)).toThrow(/x: expected rows \[n, 2\]/);
  expect(() => bundledRidgeHead(x, { data: new Float64Array(3), shape: [3, 1] })).toThrow(/targets: expected 8 rows as features, got 3/);
  const twice = { data: Float64Array.of(1, 1, 2, 2), shape: [2, 2] };
  expect(() => bundledRidgeHead(twice, { data: new Float64Array(2), shape: [2, 1] }, { damping: 0 })).toThrow(
    /damping: expected a value > 0: the system is singular/,
  );
});
