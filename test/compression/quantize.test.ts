import fc from 'fast-check';
import {
  fakeQuantize,
  gradientDisorder,
  lsqQuantize,
  mixedPrecisionSearch,
  pseudoQuantize,
  ScaleFreezer,
  weightDistributionLoss,
} from '../../src/compression/index.js';
import { sizeOf } from '../../src/core/tensor.js';
import { adam } from '../../src/optimizers/index.js';
import { expectClose, numericalGradient, randomF32, randomF64 } from '../helpers/close.js';
import { accuracy, clusters, network } from './trained.js';

const squared = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, v, k) => sum + (v - b[k]!) ** 2, 0) / a.length;

test('systems/97 rounding stays within half a step, twice quantised is once quantised, and dense data lose s²/12', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 50 }),
      fc.integer({ min: 2, max: 12 }),
      fc.boolean(),
      (x, bits, symmetric) => {
        const { values, scale, levels, inside, zeroPoint } = fakeQuantize(x, { bits, symmetric });
        for (const [k, v] of x.entries()) {
          expect(inside[k]).toBe(1);
          expect(Math.abs(values[k]! - v)).toBeLessThanOrEqual(scale[0]! * (0.5 + 1e-9) + (symmetric ? 0 : 0.5 * scale[0]!));
          expect(values[k]).toBe(scale[0]! * (levels[k]! - zeroPoint[0]!));
        }
        expectClose(fakeQuantize(values, { bits, symmetric: true, scale: scale[0]! }).inside.length, x.length);
        expect(fakeQuantize([0, ...x], { bits, symmetric }).values[0]).toBe(0);
      },
    ),
  );
  const x = randomF64(50_000, 1);
  const { values, scale } = fakeQuantize(x, { bits: 6 });
  expectClose(squared(values, x), scale[0]! ** 2 / 12, { rtol: 0.02 });
});

test('systems/97 whole numbers that b bits hold are exact, channels have scales of their own, ties go to even', () => {
  expect(Array.from(fakeQuantize([-7, -3, 0, 5, 7], { bits: 4 }).values)).toEqual([-7, -3, 0, 5, 7]);
  expect(Array.from(fakeQuantize([0.5, 1.5, 2.5, -0.5, 7], { bits: 4 }).levels)).toEqual([0, 2, 2, 0, 7]);
  const w = [100, -50, 0.1, 0.05];
  const { scale, values } = fakeQuantize(w, { bits: 8, perChannel: [2, 2] });
  expectClose(scale, [100 / 127, 0.1 / 127], { rtol: 1e-12 });
  expectClose(values, w, { rtol: 1e-2 });
  expect(Array.from(fakeQuantize([-10, 3], { bits: 8, scale: 0.05 }).inside)).toEqual([0, 1]);
});

test('systems/97 skewness and kurtosis are those of their definition, 1.8 for an even spread, with gradients as by differences', () => {
  const even = Float64Array.from({ length: 20_001 }, (_, k) => k - 10_000);
  const flat = weightDistributionLoss(even);
  expectClose([flat.skewness[0]!, flat.kurtosis[0]!], [0, 1.8], { atol: 1e-6 });
  expect(flat.value).toBeLessThan(1e-10);
  const w = randomF64(23, 1);
  const layout = [
    { offset: 0, shape: [3, 5] },
    { offset: 15, shape: [8] },
  ];
  const { grad } = weightDistributionLoss(w, { layout, skewness: 0.3 });
  expectClose(
    grad,
    numericalGradient((v) => weightDistributionLoss(v, { layout, skewness: 0.3 }).value, w),
    { rtol: 1e-5, atol: 1e-6 },
  );
  expect(weightDistributionLoss([2, 2, 2])).toMatchObject({ value: 0 });
});

test('systems/97 training with the distribution loss keeps more accuracy at 2 and 3 bits', async () => {
  const data = clusters(300, 2);
  const held = clusters(600, 9);
  const train = async (strength: number): Promise<number[]> => {
    const model = network([16, 48, 10]);
    const layout = model.layout.filter(({ role }) => role === 'weight');
    const w = model.getParameters();
    const optimizer = adam({ learningRate: 1e-2 });
    const state = optimizer.init(w);
    for (let t = 0; t < 80; t++) {
      model.setParameters(w);
      const { grad } = await model.gradient(data);
      const pull = weightDistributionLoss(w, { layout }).grad;
      optimizer.step(
        w,
        grad.map((v, k) => v + strength * pull[k]!),
        state,
      );
    }
    const result: number[] = [];
    for (const bits of [2, 3]) {
      const q = w.slice();
      for (const { offset, shape } of layout) q.set(fakeQuantize(w.subarray(offset, offset + sizeOf(shape)), { bits }).values, offset);
      model.setParameters(q);
      result.push(await accuracy(model, held));
    }
    return result;
  };
  const [plain, even] = [await train(0), await train(0.05)];
  expect(even[0]!).toBeGreaterThan(plain[0]!);
  expect(even[1]!).toBeGreaterThanOrEqual(plain[1]! - 0.01);
});

test('systems/97 the genetic search finds the brute-force optimum of four layers with three widths', async () => {
  for (let seed = 0; seed < 5; seed++) {
    const sensitivity = randomF64(4, seed + 1).map((v) => v * v + 0.1);
    const sizes = [10, 400, 200, 50];
    const loss = (bits: readonly number[]): number => bits.reduce((sum, b, i) => sum + sensitivity[i]! * sizes[i]! * 4 ** -b, 0);
    const total = sizes.reduce((a, b) => a + b, 0);
    let best = Infinity;
    for (let c = 0; c < 81; c++) {
      const bits = [0, 1, 2, 3].map((i) => [2, 4, 8][Math.floor(c / 3 ** i) % 3]!);
      if (bits.reduce((sum, b, i) => sum + b * sizes[i]!, 0) <= 4 * total) best = Math.min(best, loss(bits));
    }
    const found = await mixedPrecisionSearch({ choices: [8, 2, 4], sizes, budget: 4, evaluate: loss, seed });
    expect(found.value).toBe(best);
    expect(found.meanBits).toBeLessThanOrEqual(4);
    expect(found.evaluations).toBeLessThanOrEqual(81);
  }
});

test('systems/104 the gradient of the step is that of the straight-through surrogate by differences, scaled by 1/√(N·Qp)', () => {
  const x = randomF64(200, 1).map((v) => 2 * v);
  const g = randomF64(200, 2);
  for (const signed of [true, false]) {
    const options = { bits: 3, signed };
    const s = 0.4;
    const [low, high] = signed ? [-4, 3] : [0, 7];
    // With the roundings frozen, x̂(s) = x + s·(round − ratio) inside and s·limit outside.
    const surrogate = (scale: number): number =>
      x.reduce((sum, v, k) => {
        const ratio = v / s;
        const inside = ratio > low && ratio < high;
        const value = inside ? v + scale * (Math.round(ratio) - ratio) : scale * Math.min(Math.max(Math.round(ratio), low), high);
        return sum + g[k]! * value;
      }, 0);
    const slope = (surrogate(s + 1e-5) - surrogate(s - 1e-5)) / 2e-5;
    const { backward } = lsqQuantize(x, { scale: s, ...options });
    const back = backward(g);
    expectClose(back.scale, slope / Math.sqrt(200 * high), { rtol: 1e-7 });
    expect(back.x).toEqual(g.map((v, k) => (x[k]! / s > low && x[k]! / s < high ? v : 0)));
  }
});

test('systems/104 the learned step of normal weights comes to the step of least squared error', () => {
  const x = randomF64(800, 3);
  for (const bits of [2, 3, 4]) {
    const error = (s: number): number => squared(lsqQuantize(x, { scale: s, bits }).values, x);
    const grid = Array.from({ length: 75 }, (_, i) => 0.02 + 0.02 * i);
    const best = grid.reduce((a, b) => (error(b) < error(a) ? b : a));
    let s = 0.3;
    for (let t = 0; t < 800; t++) {
      const { values, backward } = lsqQuantize(x, { scale: s, bits });
      s -= (8 / (t + 50)) * backward(values.map((v, k) => (v - x[k]!) / Math.sqrt(x.length))).scale;
    }
    expect(error(s)).toBeLessThan(1.03 * error(best));
  }
});

test('systems/104 disorder is 1 for alternating signs and 0 for one sign; stuck scales follow the flatness term alone until they move', () => {
  expect(gradientDisorder([1, -1, 2, -3, 1])).toBe(1);
  expect(gradientDisorder([1, 2, 3, 0, 1])).toBe(0);
  expect(gradientDisorder([1, -1, -1])).toBe(0.5);
  const freezer = new ScaleFreezer({ scales: 2, window: 4, threshold: 0.5 });
  for (let t = 0; t < 4; t++) expect(Array.from(freezer.combine([1, (-1) ** t], [0.5, 0.5]))).toEqual([1.5, (-1) ** t + 0.5]);
  expect(Array.from(freezer.frozen)).toEqual([1, 0]);
  // Frozen scales are still watched: one that starts to alternate is let go at the next decision.
  for (let t = 0; t < 4; t++) expect(freezer.combine([(-1) ** t, 1], [0.5, 0.5])[0]).toBe(0.5);
  expect(Array.from(freezer.frozen)).toEqual([0, 1]);
});

test('systems/212 pseudo-quantisation noise has the variance of real quantisation, Δ²/12', () => {
  const x = randomF64(50_000, 4);
  for (const noise of ['histogram', 'uniform'] as const) {
    const { values, step } = pseudoQuantize(x, { alpha: 6, bits: 5, noise });
    expectClose(squared(values, x), step ** 2 / 12, { rtol: 0.03 });
    expectClose(squared(fakeQuantize(x, { bits: 5, scale: step }).values, x), step ** 2 / 12, { rtol: 0.03 });
  }
});

test('systems/212 gradients of clipping point and width are those of differences with the noise frozen', () => {
  const x = randomF64(500, 5);
  const g = randomF64(500, 6);
  for (const signed of [true, false]) {
    const options = { alpha: 1.3, bits: 3.7, signed, noise: 'uniform' as const, seed: 3 };
    const value = (change: Partial<typeof options>): number =>
      Array.from(pseudoQuantize(x, { ...options, ...change }).values).reduce((sum, v, k) => sum + g[k]! * v, 0);
    const back = pseudoQuantize(x, options).backward(g);
    expectClose(back.alpha, (value({ alpha: 1.3 + 1e-6 }) - value({ alpha: 1.3 - 1e-6 })) / 2e-6, { rtol: 1e-5 });
    expectClose(back.bits, (value({ bits: 3.7 + 1e-6 }) - value({ bits: 3.7 - 1e-6 })) / 2e-6, { rtol: 1e-5 });
    expect(back.x).toEqual(g.map((v, k) => (x[k]! > (signed ? -1.3 : 0) && x[k]! < 1.3 ? v : 0)));
  }
});

test.each([
  [3, 1.95],
  [4, 2.48],
  [5, 2.93],
])('systems/212 on normal weights at %i bits the best clip of the proxy is that of the real quantiser, %p', (bits, clip) => {
  const x = randomF64(20_000, 7);
  const grid = Array.from({ length: 17 }, (_, i) => clip - 0.4 + 0.05 * i);
  const argmin = (error: (alpha: number) => number): number => {
    const errors = grid.map(error);
    return grid[errors.indexOf(Math.min(...errors))]!;
  };
  const real = argmin((alpha) => squared(fakeQuantize(x, { bits, scale: alpha / (2 ** (bits - 1) - 1) }).values, x));
  const proxy = argmin((alpha) => squared(pseudoQuantize(x, { alpha, bits }).values, x));
  expectClose([real, proxy], [clip, clip], { rtol: 0.04 });
});

test('bad input is refused by name', async () => {
  expect(() => fakeQuantize([1], { bits: 1 })).toThrow(/bits: expected an integer from 2 to 16/);
  expect(() => fakeQuantize([1, NaN])).toThrow(/x: expected finite numbers/);
  expect(() => fakeQuantize([1, 2], { perChannel: [3] })).toThrow(/perChannel: expected a shape of 2 elements/);
  expect(() => lsqQuantize([1], { scale: 0 })).toThrow(/scale: expected a number > 0/);
  expect(() => pseudoQuantize([1], { alpha: -1, bits: 4 })).toThrow(/alpha: expected a number > 0/);
  expect(() => gradientDisorder([1])).toThrow(/history.length: expected an integer >= 2/);
  expect(() => weightDistributionLoss([1], { layout: [{ offset: 0, shape: [2] }] })).toThrow(/layout: expected tensors inside 1 weights/);
  await expect(mixedPrecisionSearch({ choices: [4], sizes: [1], budget: 2, evaluate: () => 0 })).rejects.toThrow(
    /budget: expected at least 4/,
  );
  expect(pseudoQuantize(randomF32(4), { alpha: 1, bits: 4 }).values.constructor.name).toBe('Float32Array');
});
