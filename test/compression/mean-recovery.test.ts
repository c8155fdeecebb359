import { bimodalPenalty, magnitudePrune, pruneWithMeanRecovery } from '../../src/compression/index.js';
import { sizeOf } from '../../src/core/tensor.js';
import { adam } from '../../src/optimizers/index.js';
import { expectClose, numericalGradient, randomF64 } from '../helpers/close.js';
import { accuracy, clusters, network } from './trained.js';

test('systems/239 the penalty vanishes at 0, has its barrier at s = a/2, and the gradient of differences', () => {
  const w = randomF64(40, 1);
  for (const [fanIn, barrier] of [
    [1, 1],
    [16, 0.4],
    [9, 1.7],
  ] as const) {
    const options = { fanIn, barrier };
    expectClose(
      bimodalPenalty(w, options).grad,
      numericalGradient((v) => bimodalPenalty(v, options).value, w),
      { rtol: 1e-6, atol: 1e-7 },
    );
    expect(bimodalPenalty([0], options)).toEqual({ value: 0, grad: Float64Array.of(0) });
    const top = Math.atanh(Math.sqrt(barrier / 2)) / Math.sqrt(fanIn);
    expectClose(bimodalPenalty([top], options).grad, [0], { atol: 1e-12 });
    expect(bimodalPenalty([0.9 * top], options).grad[0]!).toBeGreaterThan(0);
    expect(bimodalPenalty([1.1 * top], options).grad[0]!).toBeLessThan(0);
  }
});

test('systems/239 the mean is the nearest constant, and keeps the mean output of inputs with equal means', () => {
  const [rows, cols, n] = [6, 20, 400];
  const w = randomF64(rows * cols, 2);
  const { weights, mask, means } = pruneWithMeanRecovery(w, { sparsity: 0.6, rowLength: cols });
  const plain = magnitudePrune(w, { sparsity: 0.6 });
  expect(mask).toEqual(plain.mask);
  for (let i = 0; i < rows; i++) {
    const gone = Array.from({ length: cols }, (_, j) => i * cols + j).filter((k) => !mask[k]);
    for (const k of gone) expect(weights[k]).toBe(means[i]);
    const squares = (constant: number): number => gone.reduce((sum, k) => sum + (w[k]! - constant) ** 2, 0);
    expect(squares(means[i]!)).toBeLessThanOrEqual(Math.min(squares(means[i]! + 1e-3), squares(means[i]! - 1e-3), squares(0)));
    // For inputs that all equal μ the output does not change at all.
    const sum = (v: ArrayLike<number>): number => Array.from({ length: cols }, (_, j) => v[i * cols + j]!).reduce((a, b) => a + b, 0);
    expectClose(sum(weights), sum(w), { atol: 1e-12 });
  }
  const x = randomF64(n * cols, 3).map((v) => v + 2);
  const error = (v: ArrayLike<number>): number => {
    let total = 0;
    for (let s = 0; s < n; s++) {
      for (let i = 0; i < rows; i++) {
        let out = 0;
        for (let j = 0; j < cols; j++) out += (w[i * cols + j]! - v[i * cols + j]!) * x[s * cols + j]!;
        total += out * out;
      }
    }
    return total;
  };
  expect(error(weights)).toBeLessThan(error(plain.weights));
});

test('systems/239 at 70 % sparsity a network trained with the penalty loses a fraction of what one without it loses', async () => {
  const data = clusters(400, 2);
  const held = clusters(600, 9);
  const drop = async (strength: number, recover: boolean): Promise<number> => {
    const model = network([16, 48, 10]);
    const slots = model.layout.filter(({ role }) => role === 'weight');
    const w = model.getParameters();
    const optimizer = adam({ learningRate: 1e-2 });
    const state = optimizer.init(w);
    for (let t = 0; t < 120; t++) {
      model.setParameters(w);
      const { grad } = await model.gradient(data);
      for (const { offset, shape } of slots) {
        const part = bimodalPenalty(w.subarray(offset, offset + sizeOf(shape)), { fanIn: shape[1]! }).grad;
        for (let k = 0; k < part.length; k++) grad[offset + k] = grad[offset + k]! + strength * part[k]!;
      }
      optimizer.step(w, grad, state);
    }
    model.setParameters(w);
    const dense = await accuracy(model, held);
    for (const { offset, shape } of slots) {
      const part = w.subarray(offset, offset + sizeOf(shape));
      const pruned = recover
        ? pruneWithMeanRecovery(part, { sparsity: 0.7, rowLength: shape[1]! })
        : magnitudePrune(part, { sparsity: 0.7 });
      w.set(pruned.weights, offset);
    }
    model.setParameters(w);
    return dense - (await accuracy(model, held));
  };
  // Measured: 12 points lost by magnitude alone, 9 with the mean, under 1 with the penalty; a barrier of 1 makes it worse, not better.
  const plain = await drop(0, false);
  expect(await drop(0, true)).toBeLessThan(plain);
  expect(await drop(1e-2, true)).toBeLessThan(0.25 * plain);
});

test('bad input is refused by name', () => {
  expect(() => pruneWithMeanRecovery([1, 2, 3], { sparsity: 0.5, rowLength: 2 })).toThrow(/rowLength: expected a divisor of 3, got 2/);
  expect(() => bimodalPenalty([1], { barrier: 2 })).toThrow(/barrier: expected a number from/);
});
