// QDQ models against ONNX Runtime, the arithmetic by hand, and the float model.
import { fakeQuantize, qdqModel, qdqValues, quantizationRange } from '../../src/compression/index.js';
import { gridError, gridOf } from '../../src/compression/integer-grid.js';
import { Random } from '../../src/core/random.js';
import { type Attribute, Graph, type GraphTensor, graphTensor, type Model, modelOf } from '../../src/onnx/graph.js';
import { decodeModel, encodeModel } from '../../src/onnx/index.js';
import { expectClose } from '../helpers/close.js';
import { node, weight } from '../helpers/models.js';
import { runModel } from '../helpers/ort.js';

const ints = (...value: number[]): Attribute => ({ type: 'ints', value });
const int = (value: number): Attribute => ({ type: 'int', value });

/** Convolutions (one grouped) with a residual sum, pools, a Gemm and a MatMul with a bias sum. */
function network(): Model {
  const graph = new Graph();
  const random = new Random(5);
  const w = (name: string, ...shape: number[]): string => weight(graph, random, name, shape, 'float32', 0.3);
  graph.inputs = [{ name: 'x', type: 'float32', shape: ['N', 2, 6, 6] }];
  graph.outputs = [{ name: 'logits', type: 'float32', shape: ['N', 3] }];
  const same = { kernel_shape: ints(3, 3), pads: ints(1, 1, 1, 1) };
  node(graph, 'Conv', ['x', w('c1', 4, 2, 3, 3), w('b1', 4)], 'a', same);
  node(graph, 'Relu', ['a'], 'ar');
  node(graph, 'Conv', ['ar', w('c2', 4, 2, 3, 3), w('b2', 4)], 'b', { ...same, group: int(2) });
  node(graph, 'Add', ['ar', 'b'], 'sum');
  node(graph, 'Relu', ['sum'], 'sr');
  node(graph, 'MaxPool', ['sr'], 'pooled', { kernel_shape: ints(2, 2), strides: ints(2, 2) });
  node(graph, 'Conv', ['pooled', w('c3', 5, 4, 1, 1)], 'd', { kernel_shape: ints(1, 1) });
  node(graph, 'Relu', ['d'], 'dr');
  node(graph, 'GlobalAveragePool', ['dr'], 'mean');
  node(graph, 'Flatten', ['mean'], 'flat');
  node(graph, 'Gemm', ['flat', w('g', 6, 5), w('gb', 6)], 'h', { transB: int(1) });
  node(graph, 'Tanh', ['h'], 'ht');
  node(graph, 'MatMul', ['ht', w('m', 6, 3)], 'o');
  node(graph, 'Add', ['o', w('mb', 3)], 'logits');
  return modelOf(graph, 16);
}

const model = network();
const x = graphTensor('float32', new Random(1).fill(new Float32Array(8 * 72)), [8, 2, 6, 6]);

/** The model with every value of interest as an output. */
async function activations(values: string[]): Promise<Record<string, GraphTensor>> {
  const graph = model.graph.clone();
  const inner = values.filter((name) => name !== 'x');
  graph.outputs = inner.map((name) => ({ name, type: 'float32', shape: undefined }));
  return { ...(await runModel(encodeModel({ ...model, graph }), { x }, 'disabled')), x };
}
const values = qdqValues(model);
let seen: Record<string, GraphTensor>;
let ranges: Record<string, { low: number; high: number }>;
let float: Float32Array;
beforeAll(async () => {
  seen = await activations(values);
  ranges = Object.fromEntries(values.map((name) => [name, quantizationRange(seen[name]!.data as Float32Array)]));
  float = (await runModel(encodeModel(model), { x })).logits!.data as Float32Array;
});

const noise = (got: Float32Array): number => {
  const size = Math.sqrt(float.reduce((sum, v) => sum + v * v, 0));
  return Math.sqrt(got.reduce((sum, v, k) => sum + (v - float[k]!) ** 2, 0)) / size;
};

test('a product of quantised numbers is the one computed by hand', async () => {
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type: 'float32', shape: ['N', 2] }];
  graph.outputs = [{ name: 'y', type: 'float32', shape: ['N', 2] }];
  graph.initializers.set('w', graphTensor('float32', [1.27, -0.64, 0.5, 0.251], [2, 2]));
  graph.initializers.set('b', graphTensor('float32', [0.1, -0.2], [2]));
  node(graph, 'Gemm', ['x', 'w', 'b'], 'y', { transB: int(1) });
  const { model: quantised, layers } = qdqModel(modelOf(graph, 13), { ranges: { x: { low: -1, high: 1.55 } } });
  // Row 1: scale .01, levels 127, −64. Row 2: scale .5/127, levels 127, round(.251·254) = 64. x: scale .01, zero point 100.
  expect(layers[0]!.scale[0]).toBeCloseTo(0.01, 8);
  expect(layers[0]!.scale[1]).toBeCloseTo(0.5 / 127, 8);
  expect(Array.from(quantised.graph.initializers.get('w_quantized')!.data as Int8Array)).toEqual([127, -64, 127, 64]);
  expect(Array.from(quantised.graph.initializers.get('x_zero_point')!.data as Uint8Array)).toEqual([100]);
  const input = graphTensor('float32', [0.503, -2, 0.2049, 1.2], [2, 2]); // levels 150, 0 | 120, 220: 0.5, −1 | 0.2, 1.2
  for (const level of ['disabled', 'all'] as const) {
    const y = (await runModel(encodeModel(quantised), { x: input }, level)).y!.data as Float32Array;
    const second = [0.5, (64 * 0.5) / 127];
    const want = [
      0.5 * 1.27 + 0.64 + 0.1,
      0.5 * second[0]! - second[1]! - 0.2,
      0.2 * 1.27 - 1.2 * 0.64 + 0.1,
      0.2 * 0.5 + 1.2 * second[1]! - 0.2,
    ];
    expectClose(y, want, { atol: 5e-5 }); // biases in steps of 1e-4 and 4e-5
  }
});

test.each([
  ['int8 per channel, uint8 activations', {}, 0.05],
  ['int8 per tensor', { perChannel: false }, 0.06],
  ['uint8 per channel with zero points, mse', { type: 'uint8', symmetric: false, rounding: 'mse' }, 0.05],
  ['uint8 around 128, int8 activations', { type: 'uint8', activationType: 'int8' }, 0.05],
  [
    'int8 with zero points per tensor, symmetric activations',
    { symmetric: false, perChannel: false, activationType: 'int8', activationSymmetric: true },
    0.07,
  ],
] as const)('%s: ONNX Runtime opens it at both levels and computes nearly what the floats do', async (_title, options, limit) => {
  const { model: quantised } = qdqModel(model, { ...options, ranges });
  const bytes = encodeModel(quantised);
  expect(encodeModel(decodeModel(bytes))).toEqual(bytes);
  for (const level of ['disabled', 'all'] as const) {
    const got = (await runModel(bytes, { x }, level)).logits!.data as Float32Array;
    expect(noise(got)).toBeLessThan(limit);
    expect(noise(got)).toBeGreaterThan(0);
  }
});

test('weights alone: without optimisation the model is the float model with rounded weights', async () => {
  const { model: quantised, layers } = qdqModel(model, {});
  const graph = model.graph.clone();
  for (const { name, opType } of layers) {
    const { data, shape, type } = graph.initializers.get(name)!;
    const across = opType === 'MatMul'; // its outputs are columns
    const flip = (v: Float32Array, rows: number, cols: number): Float32Array =>
      Float32Array.from(v, (_, k) => v[(k % rows) * cols + Math.floor(k / rows)]!);
    const from = across ? flip(data as Float32Array, shape[0]!, shape[1]!) : (data as Float32Array);
    const rounded = fakeQuantize(from, { bits: 8, perChannel: across ? [shape[1]!, shape[0]!] : shape }).values as Float32Array;
    graph.initializers.set(name, { type, shape, data: across ? flip(rounded, shape[1]!, shape[0]!) : rounded });
  }
  const want = (await runModel(encodeModel({ ...model, graph }), { x }, 'disabled')).logits!.data as Float32Array;
  const got = (await runModel(encodeModel(quantised), { x }, 'disabled')).logits!.data as Float32Array;
  expectClose(got, want, { rtol: 1e-4, atol: 1e-5 });
  expect(quantised.graph.nodes.some(({ op }) => op === 'QuantizeLinear')).toBe(false);
  expect(model.graph.initializers.get('c1')!.type).toBe('float32');
});

test('values between layers are quantised where layers, sums and pools read them, moved numbers on the grid they had', () => {
  expect(new Set(values)).toEqual(new Set(['x', 'ar', 'b', 'pooled', 'sr', 'dr', 'mean', 'flat', 'ht']));
  const { graph } = qdqModel(model, { ranges }).model;
  const scaleOf = (value: string): number =>
    (
      graph.initializers.get(graph.nodes.find(({ op, inputs }) => op === 'QuantizeLinear' && inputs[0] === value)!.inputs[1]!)!
        .data as Float32Array
    )[0]!;
  expect(scaleOf('pooled')).toBe(scaleOf('sr'));
  expect(graph.nodes.find(({ op, inputs }) => op === 'Add' && !inputs.includes('mb'))!.inputs).toEqual(['ar_dequantized', 'b_dequantized']);
  expect(graph.nodes.find(({ op }) => op === 'Tanh')!.inputs).toEqual(['h']);
  expect([...graph.initializers.values()].filter(({ type }) => type === 'int32')).toHaveLength(3);
});

test('fewer bits use fewer levels, and each width its own', () => {
  const { model: quantised, layers } = qdqModel(model, { weights: ['c1', 'm'], bits: { c1: 2, m: 4 } });
  const top = (name: string): number =>
    (quantised.graph.initializers.get(`${name}_quantized`)!.data as Int8Array).reduce((a, v) => Math.max(a, Math.abs(v)), 0);
  expect([top('c1'), top('m')]).toEqual([1, 7]);
  expect(layers.map(({ name, bits }) => [name, bits])).toEqual([
    ['c1', 2],
    ['m', 4],
  ]);
});

test('discrete rounding lowers the worst error of outputs on calibration rows at few bits, and mse the error of the weights', () => {
  const worst = (quantised: Model): number => {
    const q = quantised.graph.initializers.get('m_quantized')!.data as Int8Array;
    const s = quantised.graph.initializers.get('m_scale')!.data as Float32Array;
    const w = model.graph.initializers.get('m')!.data as Float32Array;
    const a = seen.ht!.data as Float32Array;
    let top = 0;
    for (let i = 0; i < 8; i++)
      for (let o = 0; o < 3; o++) {
        let sum = 0;
        for (let k = 0; k < 6; k++) sum += a[i * 6 + k]! * (s[o]! * q[k * 3 + o]! - w[k * 3 + o]!);
        top = Math.max(top, Math.abs(sum));
      }
    return top;
  };
  const of = (rounding: 'minmax' | 'mse' | 'discrete') =>
    qdqModel(model, { weights: ['m'], bits: 3, rounding, inputs: { ht: seen.ht as never } });
  const [plain, mse, discrete] = [of('minmax'), of('mse'), of('discrete')];
  expect(worst(discrete.model)).toBeLessThan(worst(mse.model));
  expect(mse.layers[0]!.error).toBeLessThanOrEqual(plain.layers[0]!.error);
});

test('ranges: all of the data, all but the tails, or the least squared error; 0 is always inside', () => {
  const data = Float64Array.from({ length: 1001 }, (_, i) => (i === 1000 ? 100 : i / 1000));
  expect(quantizationRange(data)).toEqual({ low: 0, high: 100 });
  expect(quantizationRange(data, { method: 'percentile', percentile: 99.9 })).toEqual({ low: 0, high: 0.999 });
  expect(quantizationRange([5, 6])).toEqual({ low: 0, high: 6 });
  expect(quantizationRange([0])).toEqual({ low: 0, high: 0 });
  const { low, high } = quantizationRange(new Random(2).fill(new Float64Array(5000)), { method: 'mse', bits: 4 });
  const error = (share: number): number =>
    gridError(new Random(2).fill(new Float64Array(5000)), gridOf(low * share, high * share, 'uint8', false, 4));
  expect(error(1)).toBeLessThan(error(1.25));
  expect(error(1)).toBeLessThan(error(0.7));
});

test('a layer of zeros, huge and tiny weights are held', async () => {
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type: 'float32', shape: ['N', 2] }];
  graph.outputs = [{ name: 'y', type: 'float32', shape: ['N', 3] }];
  graph.initializers.set('w', graphTensor('float32', [0, 3e38, 1e-40, 0, -1e38, 1e-40], [2, 3]));
  node(graph, 'MatMul', ['x', 'w'], 'y');
  const { model: quantised } = qdqModel(modelOf(graph, 13), {});
  const y = (await runModel(encodeModel(quantised), { x: graphTensor('float32', [1, 0], [1, 2]) }, 'disabled')).y!.data as Float32Array;
  expect(y[0]).toBe(0);
  expect(y[1]! / 3e38).toBeCloseTo(1, 2);
  expect(Math.abs(y[2]!)).toBeLessThan(1e-37);
});

test('what cannot be is refused by name', () => {
  expect(() => qdqModel(model, { weights: ['b1'] })).toThrow("weights: expected float32 weights of Conv, Gemm or MatMul, got 'b1'");
  expect(() => qdqModel({ ...model, opsets: new Map([['', 11]]) }, {})).toThrow('model: expected ai.onnx 13 or later');
  expect(() => qdqModel(model, { bits: 9 })).toThrow('bits: expected an integer from 2 to 8');
  expect(() => qdqModel(model, { ranges: {} })).toThrow("ranges: expected the range of 'x', got none");
  expect(() => qdqModel(model, { rounding: 'discrete' })).toThrow("inputs: expected activations of 'x' for rounding discrete");
  expect(() => quantizationRange([])).toThrow('x: expected at least one number');
  expect(() => quantizationRange([NaN])).toThrow('x: expected');
});
