import { drawDigits } from '../../bin/demo/digits.js';
import type { ParameterSlot } from '../../src/core/model-types.js';
import { Random } from '../../src/core/random.js';
import { DenseModel } from '../../src/dense/index.js';
import { svd } from '../../src/linalg/index.js';
import { adam, spectralRegularizer, wassersteinInitRegularizer } from '../../src/optimizers/index.js';
import { wasserstein1d } from '../../src/transport/index.js';
import { expectClose, numericalGradient, randomF32, randomF64 } from '../helpers/close.js';

/** A kernel [3, 2, 2, 2], a matrix [4, 3], a bias, a gain and something else. */
const layout: ParameterSlot[] = [
  { name: 'conv', node: '', opType: 'Conv', role: 'weight', shape: [3, 2, 2, 2], offset: 0 },
  { name: 'dense', node: '', opType: 'Gemm', role: 'weight', shape: [4, 3], offset: 24 },
  { name: 'bias', node: '', opType: 'Gemm', role: 'bias', shape: [4], offset: 36 },
  { name: 'gain', node: '', opType: 'LayerNormalization', role: 'scale', shape: [3], offset: 40 },
  { name: 'rest', node: '', opType: 'Mul', role: 'other', shape: [2], offset: 43 },
];
const params = randomF64(45, 6);

test('systems/247: σ_max is that of the singular value decomposition, a kernel being [out, in·kh·kw]', () => {
  const { sigmas, value } = spectralRegularizer(layout, { iterations: 500 }).evaluate(params);
  const want = [svd({ data: params.slice(0, 24), shape: [3, 8] }).s[0]!, svd({ data: params.slice(24, 36), shape: [4, 3] }).s[0]!];
  expectClose(sigmas, want, { rtol: 1e-9 });
  const bias = params.slice(36, 40).reduce((s, b) => s + b * b, 0);
  const gains = params.slice(40, 43).reduce((s, g) => s + (g * g - 1) ** 2, 0);
  expectClose(value, want.reduce((s, v) => s + (v * v - 1) ** 2, 0) + bias ** 2 + gains, { rtol: 1e-9 });
});

test.each([1, 2, 3])('systems/247: k = %i: the spectral gradient is that of differences', (exponent) => {
  const { evaluate } = spectralRegularizer(layout, { exponent, iterations: 300 });
  const { grad } = evaluate(params);
  expectClose(
    grad,
    numericalGradient((w) => evaluate(w).value, params),
    { rtol: 1e-5, atol: 1e-6 },
  );
  expect(Array.from(grad.subarray(43))).toEqual([0, 0]);
});

test('systems/247: one iteration from the last vectors follows weights that drift', () => {
  const { evaluate } = spectralRegularizer(layout);
  const w = params.slice();
  const drift = randomF64(45, 9);
  for (let step = 0; step < 60; step++) {
    w.forEach((_, i) => {
      w[i]! += 0.01 * drift[i]!;
    });
    const { sigmas } = evaluate(w);
    expectClose(sigmas[1]!, svd({ data: w.slice(24, 36), shape: [4, 3] }).s[0]!, { rtol: 1e-3 });
  }
});

test('systems/247: the Wasserstein term is the exact transport on a line, layer by layer, and its gradient that of differences', () => {
  const start = randomF64(45, 7);
  const { evaluate } = wassersteinInitRegularizer(start, layout);
  const { value, grad } = evaluate(params);
  let want = 0;
  for (const { offset, shape } of layout) {
    const n = shape.reduce((p, e) => p * e, 1);
    want += n * wasserstein1d({ x: params.slice(offset, offset + n), y: start.slice(offset, offset + n) }, { p: 2 }).power;
  }
  expectClose(value, want, { rtol: 1e-12 });
  expectClose(
    grad,
    numericalGradient((w) => evaluate(w).value, params, 1e-6),
    { rtol: 1e-6, atol: 1e-7 },
  );
});

test('systems/247: weights that trade places inside a layer cost nothing', () => {
  const { evaluate } = wassersteinInitRegularizer(params, layout);
  const moved = params.slice();
  moved.set(params.slice(0, 24).reverse());
  expect(evaluate(moved).value).toBe(0);
  expect(evaluate(params).grad.every((g) => g === 0)).toBe(true);
});

test('systems/247: over 20 tasks of permuted labels plain Adam loses trainability, regularised networks do not', async () => {
  const [n, tasks, steps] = [96, 20, 50];
  const { data } = drawDigits(n, { seed: 3, size: 8 }).x;
  const x = { data, shape: [n, 64] };
  const widths = [64, 32, 32, 32, 10];
  /** Mean loss at the end of the last five tasks. */
  const learn = async (kind: 'none' | 'spectral' | 'wasserstein', strength: number): Promise<number> => {
    const model = DenseModel.create({
      layers: widths.slice(1).map((out, l) => ({
        weight: { data: randomF32(out * widths[l]!, l + 1).map((v) => v * Math.sqrt(2 / widths[l]!)), shape: [out, widths[l]!] },
        bias: new Float32Array(out),
        activation: l < 3 ? 'relu' : 'identity',
      })),
      loss: 'cross-entropy',
    });
    const w = model.getParameters();
    const { evaluate } = kind === 'spectral' ? spectralRegularizer(model.layout) : wassersteinInitRegularizer(w, model.layout);
    const optimizer = adam({ learningRate: 0.01 });
    const state = optimizer.init(w);
    const random = new Random(11);
    let mean = 0;
    for (let task = 0; task < tasks; task++) {
      const y = Int32Array.from({ length: n }, () => random.integer(10));
      for (let step = 0; step < steps; step++) {
        model.setParameters(w);
        const { value, grad } = await model.gradient({ x, y });
        const pull = kind === 'none' ? undefined : evaluate(w).grad;
        if (pull) for (let i = 0; i < grad.length; i++) grad[i]! += strength * pull[i]!;
        optimizer.step(w, grad, state);
        if (step === steps - 1 && task >= tasks - 5) mean += value / 5;
      }
    }
    model.dispose();
    return mean;
  };
  expect(await learn('none', 0)).toBeGreaterThan(2); // log 10 = 2.30 is a network that has learnt nothing
  expect(await learn('spectral', 1e-3)).toBeLessThan(1.2);
  expect(await learn('wasserstein', 0.1)).toBeLessThan(1.7);
}, 30_000);

test('f32 parameters get f32 gradients, and zero layers stay finite', () => {
  const zeros = new Float32Array(45);
  const spectral = spectralRegularizer(layout).evaluate(zeros);
  expect(spectral.grad).toHaveProperty('BYTES_PER_ELEMENT', 4);
  expectClose(spectral.value, 2 + 3);
  expect(spectral.grad.every((g) => g === 0)).toBe(true);
  expect(wassersteinInitRegularizer(zeros, layout).evaluate(zeros).value).toBe(0);
});

test('bad input is refused by name', () => {
  expect(() => spectralRegularizer([])).toThrow(/layout: expected at least one/);
  expect(() => spectralRegularizer(layout, { exponent: 0 })).toThrow(/exponent: expected an integer >= 1/);
  expect(() => spectralRegularizer(layout).evaluate(new Float64Array(44))).toThrow(/params: expected 45 elements, got 44/);
  expect(() =>
    wassersteinInitRegularizer(
      params.map(() => NaN),
      layout,
    ),
  ).toThrow(/initial: expected finite numbers/);
  expect(() => spectralRegularizer([layout[0]!, { ...layout[1]!, offset: 3 }])).toThrow(/layout.dense.offset: expected at least 24/);
});
