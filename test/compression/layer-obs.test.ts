import { layerObs } from '../../src/compression/index.js';
import { expectClose, randomF32, randomF64 } from '../helpers/close.js';

const [rows, cols, samples] = [7, 24, 60];
const W = { data: randomF64(rows * cols, 1), shape: [rows, cols] };
/** Inputs with correlated columns. */
const X = (() => {
  const data = randomF64(samples * cols, 2);
  for (let i = 0; i < samples; i++)
    for (let j = 1; j < cols; j++) data[i * cols + j] = 0.7 * data[i * cols + j - 1]! + 0.5 * data[i * cols + j]!;
  return { data, shape: [samples, cols] };
})();

/** Mean over samples of ‖(W − Ŵ)x‖² in plain loops. */
function outputError(pruned: ArrayLike<number>, from = W.data): number {
  let sum = 0;
  for (let s = 0; s < samples; s++) {
    for (let i = 0; i < rows; i++) {
      let out = 0;
      for (let j = 0; j < cols; j++) out += (from[i * cols + j]! - pruned[i * cols + j]!) * X.data[s * cols + j]!;
      sum += out * out;
    }
  }
  return sum / samples;
}

const magnitude = (keep: number): Float64Array => {
  const out = W.data.slice();
  for (let i = 0; i < rows; i++) {
    const order = Array.from({ length: cols }, (_, j) => j).sort(
      (a, b) => Math.abs(W.data[i * cols + a]!) - Math.abs(W.data[i * cols + b]!),
    );
    for (const j of order.slice(0, cols - keep)) out[i * cols + j] = 0;
  }
  return out;
};

test('greedy beats columns, columns beat magnitude, and the reported error is that of the outputs', () => {
  const errors = (['greedy', 'columns'] as const).map((method) => {
    const { weights, error, mask } = layerObs(W, X, { sparsity: 0.5, method, blockSize: 8 });
    expectClose(error, outputError(weights.data), { rtol: 1e-9 });
    expect(mask.reduce((a, b) => a + b, 0)).toBe((rows * cols) / 2);
    expect(Array.from(weights.data, (v) => (v === 0 ? 0 : 1))).toEqual(Array.from(mask));
    return error;
  });
  expect(errors[0]).toBeLessThan(errors[1]!);
  expect(errors[1]).toBeLessThan(outputError(magnitude(cols / 2)));
});

test('without damping the greedy costs add up to the output error, and survivors are the least-squares solution', () => {
  const { weights, costs, error, mask } = layerObs(W, X, { sparsity: 0.4, damping: 0 });
  expectClose(
    costs!.reduce((sum, row) => sum + row.reduce((a, b) => a + b, 0), 0),
    error,
    { rtol: 1e-9 },
  );
  // Residuals of every row are orthogonal to the inputs it kept.
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) {
      if (!mask[i * cols + j]) continue;
      let slope = 0;
      for (let s = 0; s < samples; s++) {
        let out = 0;
        for (let k = 0; k < cols; k++) out += (W.data[i * cols + k]! - weights.data[i * cols + k]!) * X.data[s * cols + k]!;
        slope += out * X.data[s * cols + j]!;
      }
      expect(Math.abs(slope)).toBeLessThan(1e-8);
    }
  }
});

test('a pattern keeps n of every m neighbours in every row', () => {
  for (const method of ['greedy', 'columns'] as const) {
    for (const pattern of [
      { n: 2, m: 4 },
      { n: 1, m: 4 },
      { n: 4, m: 8 },
      { n: 3, m: 3 },
    ]) {
      const { mask, weights, error } = layerObs(W, X, { pattern, method });
      for (let k = 0; k < mask.length; k += pattern.m) expect(mask.subarray(k, k + pattern.m).reduce((a, b) => a + b, 0)).toBe(pattern.n);
      expectClose(error, outputError(weights.data), { rtol: 1e-9, atol: 1e-12 });
    }
  }
});

test('sharing removals over the layer never costs more than the same number in every row', () => {
  const row = layerObs(W, X, { sparsity: 0.5 });
  const layer = layerObs(W, X, { sparsity: 0.5, distribution: 'layer' });
  expect(layer.mask.reduce((a, b) => a + b, 0)).toBe(row.mask.reduce((a, b) => a + b, 0));
  expect(layer.error).toBeLessThan(row.error);
});

test('inputs that are always zero are removed first, at no cost, even without damping', () => {
  const dead = { data: X.data.map((v, at) => (at % cols === 5 ? 0 : v)), shape: X.shape };
  const { mask, error } = layerObs(W, dead, { sparsity: 1 / cols, damping: 0 });
  for (let i = 0; i < rows; i++) expect(mask[i * cols + 5]).toBe(0);
  expect(error).toBeLessThan(1e-20);
});

test('f32 weights come back as f32, close to the f64 answer', () => {
  const f32 = (t: { data: Float64Array; shape: number[] }) => ({ data: Float32Array.from(t.data), shape: t.shape });
  for (const method of ['greedy', 'columns'] as const) {
    const got = layerObs(f32(W), f32(X), { sparsity: 0.3, method });
    expect(got.weights.data.constructor.name).toBe('Float32Array');
    expectClose(got.weights.data, layerObs(W, X, { sparsity: 0.3, method }).weights.data, { rtol: 1e-4, atol: 1e-5 });
  }
});

test('bad input is refused by name', () => {
  expect(() => layerObs(W, X, {})).toThrow(/sparsity: expected either sparsity or pattern/);
  expect(() => layerObs(W, X, { sparsity: 0.5, pattern: { n: 2, m: 4 } })).toThrow(/sparsity: expected either sparsity or pattern/);
  expect(() => layerObs(W, { data: randomF64(12), shape: [3, 4] }, { sparsity: 0.5 })).toThrow(
    /inputs: expected activations \[n, 24\], got \[3, 4\]/,
  );
  expect(() => layerObs(W, X, { pattern: { n: 2, m: 5 } })).toThrow(/w: expected rows of a multiple of 5/);
  expect(() => layerObs(W, X, { pattern: { n: 5, m: 4 } })).toThrow(/pattern.n: expected an integer from 1 to 4, got 5/);
  expect(() => layerObs({ data: randomF32(4).fill(NaN), shape: [2, 2] }, { data: randomF32(4), shape: [2, 2] }, { sparsity: 0.5 })).toThrow(
    /w: expected finite/,
  );
});

test('a pattern by columns is the same whatever the block size: no group is scored before what columns before it passed on', () => {
  const options = { method: 'columns', pattern: { n: 2, m: 4 } } as const;
  const whole = layerObs(W, X, options);
  for (const blockSize of [1, 4, 6, 7, 23]) {
    const parts = layerObs(W, X, { ...options, blockSize });
    expect(parts.mask).toEqual(whole.mask);
    expectClose(parts.weights.data, whole.weights.data, { atol: 1e-12 });
  }
});
