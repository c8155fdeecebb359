import { bench, randomF32 } from '../../src/bench/case.js';
import { Random } from '../../src/core/random.js';
import { type Attribute, Graph, graphTensor, type Model, modelOf, type Node } from '../../src/onnx/graph.js';
import { gradientModel, hvpModel, OnnxModel } from '../../src/onnx/index.js';

const ints = (...value: number[]): Attribute => ({ type: 'ints', value });
const batch = 64;

/** A graph that grows node by node. */
class Chain {
  readonly graph = new Graph();
  readonly #random = new Random(7);

  add(op: string, inputs: string[], attributes: Node['attributes'] = {}): string {
    const output = `v${this.graph.nodes.length}`;
    this.graph.nodes.push({ op, domain: '', name: output, inputs, outputs: [output], attributes });
    return output;
  }

  weight(...shape: number[]): string {
    const name = `w${this.graph.initializers.size}`;
    const [, ...inner] = shape;
    const scale = Math.sqrt(2 / inner.reduce((p, q) => p * q, 1));
    const values = this.#random.fill(new Float32Array(shape.reduce((p, q) => p * q, 1))).map((v) => scale * v);
    this.graph.initializers.set(name, graphTensor('float32', values, shape));
    return name;
  }

  model(shape: number[], logits: string): Model {
    this.graph.inputs = [{ name: 'x', type: 'float32', shape: ['N', ...shape] }];
    this.graph.outputs = [{ name: logits, type: 'float32', shape: ['N', 10] }];
    return modelOf(this.graph);
  }
}

/** 8 × 8 images through two convolutions of c and 2c channels, a pool and a head. */
function network(c: number): Model {
  const chain = new Chain();
  const conv = (x: string, from: number, to: number): string =>
    chain.add('Relu', [chain.add('Conv', [x, chain.weight(to, from, 3, 3)], { kernel_shape: ints(3, 3), pads: ints(1, 1, 1, 1) })]);
  const pooled = chain.add('MaxPool', [conv('x', 1, c)], { kernel_shape: ints(2, 2), strides: ints(2, 2) });
  const flat = chain.add('Flatten', [chain.add('GlobalAveragePool', [conv(pooled, c, 2 * c)])]);
  return chain.model([1, 8, 8], chain.add('MatMul', [flat, chain.weight(2 * c, 10)]));
}

/** A residual network of about `nodes` nodes, four a block. */
function deep(nodes: number): Model {
  const chain = new Chain();
  let x = chain.add('MatMul', ['x', chain.weight(16, 16)]);
  while (chain.graph.nodes.length < nodes - 1) {
    const inner = chain.add('Tanh', [chain.add('Add', [chain.add('MatMul', [x, chain.weight(16, 16)]), chain.weight(16)])]);
    x = chain.add('Add', [x, inner]);
  }
  return chain.model([16], chain.add('MatMul', [x, chain.weight(16, 10)]));
}

const data = { x: { data: randomF32(batch * 64), shape: [batch, 1, 8, 8] }, y: Int32Array.from({ length: batch }, (_, i) => i % 10) };

/** The small network in ONNX Runtime; undefined where there is none. */
async function opened(c: number): Promise<OnnxModel | undefined> {
  try {
    return await OnnxModel.open(network(c), { weights: 'baked', threads: 1 });
  } catch {
    return undefined;
  }
}

export default [
  bench('OnnxModel.gradient', {
    sizes: [[8], [16], [32]],
    axes: ['channels'],
    open: async ([c = 0]) => {
      const model = await opened(c);
      return model && (async () => (await model.gradient(data)).grad);
    },
  }),
  bench('OnnxModel.hvp', {
    sizes: [[8], [16], [32]],
    axes: ['channels'],
    open: async ([c = 0]) => {
      const model = await opened(c);
      const v = randomF32(model?.parameterCount ?? 0, 2);
      return model && (() => model.hvp(data, v));
    },
  }),
  bench('gradientModel', {
    sizes: [[100], [1000]],
    axes: ['nodes'],
    open: ([nodes = 0]) => {
      const model = deep(nodes);
      return () => gradientModel(model, { loss: 'cross-entropy' }).graph.nodes.length;
    },
  }),
  bench('hvpModel', {
    sizes: [[100], [1000]],
    axes: ['nodes'],
    open: ([nodes = 0]) => {
      const model = deep(nodes);
      return () => hvpModel(model, { loss: 'cross-entropy' }).graph.nodes.length;
    },
  }),
];
