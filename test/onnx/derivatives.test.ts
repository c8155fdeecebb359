// What derivative models are as files: standard operators, nothing unused, the same numbers in both forms; and what is refused.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../src/core/random.js';
import { sizeOf, type Tensor } from '../../src/core/tensor.js';
import { type Attribute, Graph, graphTensor, type Model, modelOf, topological } from '../../src/onnx/graph.js';
import {
  decodeModel,
  encodeModel,
  ggnModel,
  gradientModel,
  hvpModel,
  jvpModel,
  parameterSlots,
  perSampleGradientModel,
  unsupportedOps,
  vjpModel,
} from '../../src/onnx/index.js';
import { evaluateModel } from '../../src/onnx/reference/index.js';
import { expectClose, relativeError } from '../helpers/close.js';
import { inDouble } from '../helpers/double.js';
import { convolutional, mlp, node, twoInputs } from '../helpers/models.js';
import { type Feeds, runModel } from '../helpers/ort.js';

const folder = join(process.env.AFTERPASS_GOLDEN ?? join('..', 'shared', 'golden'), '..', 'models');
const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.onnx')) : [];
const read = (file: string): Model => decodeModel(readFileSync(join(folder, file)));
const loss = 'cross-entropy' as const;

const written = {
  gradient: (m: Model, weights: 'baked' | 'live') => gradientModel(m, { loss, weights, wrt: 'all' }),
  hvp: (m: Model, weights: 'baked' | 'live') => hvpModel(m, { loss, weights }),
  ggn: (m: Model, weights: 'baked' | 'live') => ggnModel(m, { loss, weights }),
  jvp: (m: Model, weights: 'baked' | 'live') => jvpModel(m, { weights }),
  vjp: (m: Model, weights: 'baked' | 'live') => vjpModel(m, { weights }),
  'per-sample gradient': (m: Model) => perSampleGradientModel(m, { loss }),
};

describe.each(Object.entries(written))('a %s model', (_, make) => {
  test.each([...files, 'mlp', 'two inputs'])('of %s has standard operators in order, and nothing unused', (file) => {
    const model = file === 'mlp' ? mlp('float32') : file === 'two inputs' ? twoInputs('float32') : read(file);
    for (const weights of ['baked', 'live'] as const) {
      const { graph, opsets } = make(model, weights);
      expect([...opsets.keys()]).toEqual(['']);
      expect(graph.nodes.every(({ domain }) => domain === '')).toBe(true);
      expect(topological(graph)).toEqual(graph.nodes);
      const used = new Set([...graph.nodes.flatMap(({ inputs }) => inputs), ...graph.outputs.map(({ name }) => name)]);
      expect([...graph.initializers.keys()].filter((name) => !used.has(name))).toEqual([]);
      expect(graph.nodes.filter(({ outputs }) => !outputs.some((name) => used.has(name)))).toEqual([]);
      expect(graph.nodes.filter(({ op }) => op === 'Constant' || op === 'Dropout')).toEqual([]);
      const names = graph.nodes.map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
    }
  });
});

/** A random point of a model: its input, labels, directions over its parameters. */
function setting(model: Model, n: number): { feeds: Feeds; names: string[]; direction(seed: number): Feeds } {
  const random = new Random(11);
  const input = model.graph.feeds[0]!;
  const shape = [n, ...(input.shape!.slice(1) as number[])];
  const classes = model.graph.outputs[0]!.shape!.at(-1) as number;
  const x = random.fill(new Float64Array(sizeOf(shape)), 'uniform');
  const names = parameterSlots(model).map(({ name }) => name);
  return {
    names,
    feeds: {
      [input.name]: { type: 'float64', data: x, shape },
      labels: graphTensor(
        'int64',
        Array.from({ length: n }, () => random.integer(classes)),
      ),
    },
    direction: (seed) => {
      const draw = new Random(seed);
      return Object.fromEntries(
        names.map((name) => {
          const { shape: each } = model.graph.initializers.get(name)!;
          return [`tangent.${name}`, { type: 'float64', data: draw.fill(new Float64Array(sizeOf(each))), shape: each }];
        }),
      );
    },
  };
}

const joined = (out: Record<string, Tensor>, prefix: string, names: string[]): number[] =>
  names.flatMap((name) => Array.from(out[`${prefix}.${name}`]!.data as Float64Array));
const dot = (a: number[], b: number[]): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0);

describe.each(files)('%s in double precision', (file) => {
  test('the Hessian is symmetric and linear, and the derivative of the gradient', () => {
    const model = inDouble(read(file));
    const { feeds, names, direction } = setting(model, 2);
    const product = hvpModel(model, { loss, wrt: names });
    const hvp = (v: Feeds): number[] => joined(evaluateModel(product, { ...feeds, ...v } as Record<string, Tensor>), 'hvp', names);
    const flat = (v: Feeds): number[] => names.flatMap((name) => Array.from(v[`tangent.${name}`]!.data as Float64Array));
    const [u, v] = [direction(1), direction(2)];
    const [Hu, Hv] = [hvp(u), hvp(v)];
    expect(Math.abs(dot(flat(u), Hv) - dot(flat(v), Hu))).toBeLessThan(1e-9 * Math.abs(dot(flat(u), Hu)));
    const mixed = Object.fromEntries(
      Object.entries(u).map(([name, t]) => [
        name,
        { ...t, data: (t.data as Float64Array).map((a, i) => 2 * a - 3 * (v[name]!.data as Float64Array)[i]!) },
      ]),
    );
    expect(
      relativeError(
        hvp(mixed),
        Hu.map((a, i) => 2 * a - 3 * Hv[i]!),
      ),
    ).toBeLessThan(1e-10);
    const gradientAt = (t: number): number[] => {
      const graph = model.graph.clone();
      for (const name of names) {
        const { type, data, shape } = graph.initializers.get(name)!;
        const along = u[`tangent.${name}`]!.data as Float64Array;
        graph.initializers.set(name, { type, data: (data as Float64Array).map((w, i) => w + t * along[i]!), shape });
      }
      return joined(
        evaluateModel(gradientModel({ ...model, graph }, { loss, wrt: names }), feeds as Record<string, Tensor>),
        'grad',
        names,
      );
    };
    const h = 1e-7;
    const [up, down] = [gradientAt(h), gradientAt(-h)];
    const difference = up.map((a, i) => (a - down[i]!) / (2 * h));
    expect(relativeError(difference, Hu)).toBeLessThan(1e-5);
  });
});

test('live and baked derivatives are the same numbers, and baked ones follow a replaced initializer', async () => {
  const model = mlp('float32');
  const feeds: Feeds = { x: graphTensor('float32', [0.1, -0.4, 0.9, 1.2, 0.3, -0.7], [2, 3]), labels: graphTensor('int64', [1, 3]) };
  const weights = { w1: model.graph.initializers.get('w1')!, w2: model.graph.initializers.get('w2')! };
  const other = { w1: { ...weights.w1, data: (weights.w1.data as Float32Array).map((w) => w * 1.5) }, w2: weights.w2 };
  const baked = gradientModel(model, { loss });
  baked.graph.initializers.set('w1', other.w1);
  const rest = { b1: model.graph.initializers.get('b1')!, b2: model.graph.initializers.get('b2')! };
  const live = await runModel(encodeModel(gradientModel(model, { loss, weights: 'live' })), { ...feeds, ...other, ...rest });
  const out = await runModel(encodeModel(baked), feeds);
  for (const name of Object.keys(out))
    expectClose(out[name]!.data as Float32Array, live[name]!.data as Float32Array, { rtol: 1e-5, atol: 1e-7 });
});

test('a vector-Jacobian product is the transpose of a Jacobian-vector product', () => {
  const model = twoInputs();
  const random = new Random(4);
  const draw = (...shape: number[]): Tensor => ({ data: random.fill(new Float64Array(sizeOf(shape))), shape });
  const feeds = { a: draw(4, 3), b: draw(4, 2) };
  const tangents = { 'tangent.a': draw(4, 3), 'tangent.b': draw(4, 2) };
  const cotangent = draw(4, 3);
  const forward = evaluateModel(jvpModel(model, { wrt: 'inputs' }), { ...feeds, ...tangents });
  const backward = evaluateModel(vjpModel(model, { wrt: 'inputs' }), { ...feeds, cotangent });
  const list = (t: Tensor): number[] => Array.from(t.data as Float64Array);
  const left = dot(list(forward['jvp.logits']!), list(cotangent));
  const right = dot(list(backward['grad.a']!), list(tangents['tangent.a'])) + dot(list(backward['grad.b']!), list(tangents['tangent.b']));
  expect(left).toBeCloseTo(right, 12);
});

test('weights that several nodes share, and initializers that are also inputs, get one gradient: the sum', () => {
  const graph = new Graph();
  graph.inputs = [
    { name: 'x', type: 'float64', shape: ['N', 2] },
    { name: 'w', type: 'float64', shape: [2, 2] },
  ];
  graph.outputs = [{ name: 'y', type: 'float64', shape: ['N', 2] }];
  graph.initializers.set('w', graphTensor('float64', [0.5, -1, 2, 0.25], [2, 2]));
  node(graph, 'MatMul', ['x', 'w'], 'h');
  node(graph, 'MatMul', ['h', 'w'], 'y');
  const x: Tensor = { data: Float64Array.of(1, 2), shape: [1, 2] };
  const cotangent: Tensor = { data: Float64Array.of(1, -1), shape: [1, 2] };
  const out = evaluateModel(vjpModel(modelOf(graph)), { x, cotangent });
  // h = x w; dL/dw = hᵀ c + xᵀ (c wᵀ)
  const [h, back] = [
    [4.5, -0.5],
    [1.5, 1.75],
  ];
  expectClose(out['grad.w']!.data as Float64Array, [h[0]! + back[0]!, -h[0]! + back[1]!, h[1]! + 2 * back[0]!, -h[1]! + 2 * back[1]!], {
    atol: 1e-14,
  });
});

test('model-local functions are looked into, their attributes passed on', () => {
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type: 'float64', shape: ['N', 3] }];
  graph.outputs = [{ name: 'y', type: 'float64', shape: ['N', 3] }];
  node(graph, 'Half', ['x'], 'h', { slope: { type: 'float', value: 0.125 } }, 'local');
  node(graph, 'Half', ['h'], 'y', {}, 'local');
  const model = modelOf(graph);
  const alpha: Attribute = { type: 'reference', value: 'slope', of: 1 };
  model.opsets.set('local', 1);
  model.functions.push({
    name: 'Half',
    domain: 'local',
    inputs: ['a'],
    outputs: ['c'],
    attributes: [],
    defaults: { slope: { type: 'float', value: 0.5 } },
    nodes: [
      { op: 'LeakyRelu', domain: '', name: '', inputs: ['a'], outputs: ['b'], attributes: { alpha } },
      { op: 'Neg', domain: '', name: '', inputs: ['b'], outputs: ['c'], attributes: {} },
    ],
    opsets: new Map([['', 17]]),
  });
  const out = evaluateModel(vjpModel(model, { wrt: 'inputs' }), {
    x: { data: Float64Array.of(1, -2, 3), shape: [1, 3] },
    cotangent: { data: Float64Array.of(1, 1, 1), shape: [1, 3] },
  });
  // y = −l(−l(x)): l has slope 0.125 below 0 first, 0.5 second.
  expectClose(out['grad.x']!.data as Float64Array, [0.5, 0.125, 0.5], { atol: 1e-15 });
  expect(decodeModel(encodeModel(model))).toEqual(model);
});

describe('refused by name', () => {
  const unary = (op: string, domain = '', attributes: Record<string, Attribute> = {}): Model => {
    const graph = new Graph();
    graph.inputs = [{ name: 'x', type: 'float32', shape: ['N', 3] }];
    graph.outputs = [{ name: 'y', type: 'float32', shape: ['N', 3] }];
    node(graph, op, ['x'], 'y', attributes, domain);
    return modelOf(graph);
  };

  test('operators without a rule: every one, with its node', () => {
    const model = unary('Frobnicate', 'org.example');
    node(model.graph, 'StringNormalizer', ['x'], 'z');
    expect(unsupportedOps(model)).toEqual([
      { domain: 'org.example', op: 'Frobnicate', node: 'Frobnicate_y' },
      { domain: '', op: 'StringNormalizer', node: 'StringNormalizer_z' },
    ]);
    expect(() => gradientModel(model, { wrt: 'inputs' })).toThrow(
      /org\.example\.Frobnicate \(Frobnicate_y\), StringNormalizer \(StringNormalizer_z\)/,
    );
  });

  test('outputs and names the model does not have', () => {
    expect(() => gradientModel(mlp(), { of: 'nope' })).toThrow(/of: expected an output \(logits\), got 'nope'/);
    expect(() => gradientModel(mlp(), { wrt: ['w1', 'nope'] })).toThrow(/wrt: expected initializers or inputs \(.*\), got 'nope'/);
    expect(() => gradientModel(unary('Relu'))).toThrow(/wrt: expected at least one parameter or float input, got none/);
  });

  test('a path through integers only: the gradient is zero everywhere, and that is said', () => {
    const model = unary('Cast', '', { to: { type: 'int', value: 7 } });
    model.graph.nodes[0]!.outputs = ['i'];
    node(model.graph, 'Cast', ['i'], 'y', { to: { type: 'int', value: 1 } });
    expect(() => gradientModel(model, { wrt: 'inputs' })).toThrow(
      /wrt: expected a float path to y, got none from x: the gradient is zero everywhere/,
    );
  });

  test('a shape that only the data knows where the rule needs it', () => {
    const graph = new Graph();
    graph.inputs = [{ name: 'x', type: 'float32', shape: ['N', 1, 'H', 'W'] }];
    graph.outputs = [{ name: 'y', type: 'float32', shape: undefined }];
    graph.initializers.set('w', graphTensor('float32', new Array(9).fill(1), [1, 1, 3, 3]));
    node(graph, 'Conv', ['x', 'w'], 'y', { strides: { type: 'ints', value: [2, 2] } });
    expect(() => gradientModel(modelOf(graph), { wrt: 'inputs' })).toThrow(/expected known extents, got \[.*\]; give numbers for them/);
    const fixed = gradientModel(modelOf(graph), { wrt: 'inputs', extents: { H: 7, W: 8 } });
    expect(fixed.graph.inputs.map(({ shape }) => shape)).toEqual([
      ['N', 1, 7, 8],
      ['N', 1, 3, 3],
    ]);
    const wrong = (extents: Record<string, number>) => () => gradientModel(modelOf(graph), { wrt: 'inputs', extents });
    expect(wrong({ D: 3 })).toThrow(/extents: expected names of open extents \(N, H, W\), got 'D'/);
    expect(wrong({ H: 0.5 })).toThrow(/extents.H: expected a whole number of at least 1, got 0.5/);
  });
});

test('initializers that only the body of a loop reads are parameters', () => {
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type: 'float64', shape: [2, 3] }];
  graph.outputs = [{ name: 'y', type: 'float64', shape: [2, 3] }];
  graph.initializers.set('w', graphTensor('float64', [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9], [3, 3]));
  graph.initializers.set('trips', graphTensor('int64', [2], []));
  const body = new Graph();
  body.inputs = [
    { name: 'i', type: 'int64', shape: [] },
    { name: 'c', type: 'bool', shape: [] },
    { name: 's', type: 'float64', shape: [2, 3] },
  ];
  body.outputs = [
    { name: 'c2', type: 'bool', shape: [] },
    { name: 's2', type: 'float64', shape: [2, 3] },
  ];
  node(body, 'Identity', ['c'], 'c2');
  node(body, 'MatMul', ['s', 'w'], 's2');
  node(graph, 'Loop', ['trips', '', 'x'], 'y', { body: { type: 'graph', value: body } });
  const gradient = gradientModel(modelOf(graph));
  expect(gradient.graph.outputs.map(({ name, shape }) => [name, shape])).toEqual([
    ['y', [2, 3]],
    ['grad.w', [3, 3]],
  ]);
});

test('a flat derivative is those of all parameters one behind the other, with the weight of the batch', () => {
  const model = inDouble(convolutional());
  const { feeds, names, direction } = setting(model, 3);
  for (const [make, prefix] of [
    [gradientModel, 'grad'],
    [hvpModel, 'hvp'],
    [ggnModel, 'ggnvp'],
  ] as const) {
    const inputs = { ...feeds, ...direction(5) };
    const parts = evaluateModel(make(model, { loss }), inputs);
    const whole = evaluateModel(make(model, { loss, flat: true }), inputs);
    expect(Array.from(whole[prefix]!.data as Float64Array)).toEqual(
      names.flatMap((name) => Array.from(parts[`${prefix}.${name}`]!.data as Float64Array)),
    );
    expect(whole.weight!.data[0]).toBe(3);
  }
});

test('heavy kernels on tiny images are one product for the whole batch, with the numbers of the convolution', async () => {
  const graph = new Graph();
  const random = new Random(12);
  const [channels, wide] = [64, 512];
  const kernel = random.fill(new Float32Array(wide * channels * 9)).map((v) => v / 20);
  graph.inputs = [{ name: 'x', type: 'float32', shape: ['N', channels, 4, 3] }];
  graph.outputs = [{ name: 'logits', type: 'float32', shape: ['N', wide] }];
  graph.initializers.set('k', graphTensor('float32', kernel, [wide, channels, 3, 3]));
  graph.initializers.set('c', graphTensor('float32', random.fill(new Float32Array(wide)), [wide]));
  const attribute = (...value: number[]): Attribute => ({ type: 'ints', value });
  node(graph, 'Conv', ['x', 'k', 'c'], 'y', { kernel_shape: attribute(3, 3), strides: attribute(2, 2), pads: attribute(1, 1, 1, 1) });
  node(graph, 'GlobalAveragePool', ['y'], 'm');
  node(graph, 'Flatten', ['m'], 'logits');
  const model = modelOf(graph);
  const made = gradientModel(model, { loss, wrt: 'all' });
  expect(made.graph.nodes.filter(({ op }) => op === 'Conv')).toEqual([]);
  const x = graphTensor('float32', random.fill(new Float32Array(2 * channels * 12)), [2, channels, 4, 3]);
  const inputs = { x, labels: graphTensor('int64', [3, 500]) };
  const want = evaluateModel(gradientModel(inDouble(model), { loss, wrt: 'all', weights: 'live' }), { ...inputs, ...live(model) });
  const got = await runModel(encodeModel(made), inputs);
  for (const name of ['loss', 'grad.k', 'grad.c', 'grad.x']) {
    expect(relativeError(got[name]!.data as Float32Array, want[name]!.data as Float64Array)).toBeLessThan(2e-6);
  }
});

/** The parameters as inputs of a live model. */
const live = ({ graph }: Model): Record<string, Tensor> =>
  Object.fromEntries(
    [...graph.initializers].map(([name, { data, shape }]) => [name, { data: Float64Array.from(data as Float32Array), shape }]),
  );

test('all initializers that a Concat joins into a weight are parameters, as in exported LSTMs of two directions', () => {
  const graph = new Graph();
  const random = new Random(4);
  graph.inputs = [{ name: 'x', type: 'float64', shape: ['N', 3] }];
  graph.outputs = [{ name: 'y', type: 'float64', shape: ['N', 4] }];
  for (const name of ['forth', 'back']) graph.initializers.set(name, graphTensor('float64', random.fill(new Float64Array(6)), [3, 2]));
  node(graph, 'Concat', ['forth', 'back'], 'w', { axis: { type: 'int', value: 1 } });
  node(graph, 'MatMul', ['x', 'w'], 'y');
  expect(parameterSlots(modelOf(graph)).map(({ name, role }) => [name, role])).toEqual([
    ['forth', 'weight'],
    ['back', 'weight'],
  ]);
});
