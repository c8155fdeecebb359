// The ONNX pillar: gradients and curvature products of models, written as ONNX models; in float64 on the reference evaluator and in
// float32 on ONNX Runtime. The onnx-* cases are exported files, the mlp-* cases graphs built here.
import { readFileSync } from 'node:fs';
import type { Tensor } from '../../../src/core/tensor.js';
import { type Attribute, Graph, graphTensor, type Model, modelOf } from '../../../src/onnx/graph.js';
import {
  type DerivativeOptions,
  decodeModel,
  encodeModel,
  ggnModel,
  gradientModel,
  hvpModel,
  perSampleGradientModel,
} from '../../../src/onnx/index.js';
import { evaluateModel } from '../../../src/onnx/reference/index.js';
import { relativeError } from '../../helpers/close.js';
import { inDouble } from '../../helpers/double.js';
import { node } from '../../helpers/models.js';
import { type Feeds, runModel } from '../../helpers/ort.js';
import type { GoldenAdapter, SecondOrderCase } from '../discover.js';

type Loss = NonNullable<DerivativeOptions['loss']>;
interface Slot {
  name: string;
  initializer: string;
  orientation: 'same' | 'transposed';
  shape: number[];
  offset: number;
  size: number;
}
interface Problem {
  model: Model;
  loss: Loss;
  slots: Slot[];
  /** Feeds in double precision, labels as int64. */
  feeds: Feeds;
}

/** A matrix the exporter stored transposed, turned back. */
function turn(data: ArrayLike<number>, [rows, columns]: number[]): Float64Array {
  return Float64Array.from({ length: data.length }, (_, i) => data[(i % rows!) * columns! + Math.floor(i / rows!)]!);
}
const stored = ({ orientation }: Slot, data: ArrayLike<number>, shape: number[]): ArrayLike<number> =>
  orientation === 'transposed' ? turn(data, shape) : data;
const storedShape = ({ orientation, shape }: Slot): number[] => (orientation === 'transposed' ? [...shape].reverse() : shape);

const integers = (values: Float64Array): Feeds[string] => graphTensor('int64', values);

function exported(c: SecondOrderCase): Problem {
  const model = decodeModel(readFileSync(c.path('onnx')));
  const x: Feeds[string] = { type: 'float64', data: c.array('x'), shape: c.arrays.x!.shape };
  return {
    model,
    loss: 'cross-entropy',
    slots: c.json.layout as Slot[],
    feeds: { [model.graph.inputs[0]!.name]: x, labels: integers(c.array('y')) },
  };
}

const int = (value: number): Attribute => ({ type: 'int', value });

/** GELU as exporters write it. */
function gelu(graph: Graph, x: string, tanh: boolean): string {
  const number = (value: number): string => {
    const name = `${x}_${graph.nodes.length}`;
    return node(graph, 'Constant', [], name, { value: { type: 'tensor', value: graphTensor('float32', [value], []) } });
  };
  let gate: string;
  if (tanh) {
    const cube = node(graph, 'Pow', [x, number(3)], `${x}_cube`);
    const inner = node(graph, 'Add', [x, node(graph, 'Mul', [cube, number(0.044715)], `${x}_small`)], `${x}_inner`);
    gate = node(graph, 'Tanh', [node(graph, 'Mul', [inner, number(Math.sqrt(2 / Math.PI))], `${x}_scaled`)], `${x}_gate`);
  } else {
    gate = node(graph, 'Erf', [node(graph, 'Div', [x, number(Math.SQRT2)], `${x}_scaled`)], `${x}_gate`);
  }
  const half = node(graph, 'Mul', [x, number(0.5)], `${x}_half`);
  return node(graph, 'Mul', [half, node(graph, 'Add', [gate, number(1)], `${x}_one`)], `${x}_gelu`);
}

function perceptron(c: SecondOrderCase): Problem {
  const { sizes, activation, loss } = c.json as { sizes: number[]; activation: string; loss: string };
  const slots = (c.json.layout as Slot[]).map((slot) => ({ ...slot, initializer: slot.name, orientation: 'same' as const }));
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type: 'float32', shape: ['N', sizes[0]!] }];
  graph.outputs = [{ name: 'logits', type: 'float32', shape: ['N', sizes.at(-1)!] }];
  const w = c.array('w');
  for (const { name, shape, offset, size } of slots)
    graph.initializers.set(name, graphTensor('float32', w.subarray(offset, offset + size), shape));
  let h = 'x';
  for (let layer = 1; layer < sizes.length; layer++) {
    const last = layer === sizes.length - 1;
    h = node(graph, 'Gemm', [h, `W${layer}`, `b${layer}`], last ? 'logits' : `z${layer}`, { transB: int(1) });
    if (last) break;
    if (activation.startsWith('gelu')) h = gelu(graph, h, activation === 'gelu_tanh');
    else h = node(graph, activation === 'tanh' ? 'Tanh' : 'Relu', [h], `h${layer}`);
  }
  const n = c.arrays.x!.shape[0]!;
  const y = c.array('y');
  const targets: Feeds = loss === 'ce' ? { labels: integers(y) } : { targets: { type: 'float64', data: y, shape: [n, sizes.at(-1)!] } };
  const x: Feeds[string] = { type: 'float64', data: c.array('x'), shape: c.arrays.x!.shape };
  return { model: modelOf(graph), loss: loss === 'ce' ? 'cross-entropy' : 'mse', slots, feeds: { x, ...targets } };
}

const problemOf = (c: SecondOrderCase): Problem => (c.name.startsWith('mlp-') ? perceptron(c) : exported(c));

const single = (feeds: Feeds): Feeds =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, t]) => [name, t.type === 'float64' ? graphTensor('float32', t.data as Float64Array, t.shape) : t]),
  );

/** Runs a derivative in both precisions and compares every named output. */
async function compare(
  { model, feeds }: Problem,
  derive: (model: Model) => Model,
  extra: Feeds,
  expected: Record<string, ArrayLike<number>>,
  only64: readonly string[] = [],
): Promise<void> {
  const check = (out: Record<string, { data: unknown }>, tolerance: number, names: string[]): void => {
    for (const name of names)
      expect([name, relativeError(out[name]!.data as Float64Array, expected[name]!) <= tolerance]).toEqual([name, true]);
  };
  const all = { ...feeds, ...extra };
  check(evaluateModel(derive(inDouble(model)), all as Record<string, Tensor>), 1e-9, Object.keys(expected));
  const written = encodeModel(derive(model));
  const names = Object.keys(expected).filter((name) => !only64.includes(name));
  for (const level of ['disabled', 'all'] as const) check(await runModel(written, single(all), level), 1e-5, names);
}

async function gradients(c: SecondOrderCase): Promise<void> {
  const problem = problemOf(c);
  const { model, loss, slots } = problem;
  const expected: Record<string, ArrayLike<number>> = { loss: [c.json.loss_value as number] };
  const wrt = slots.map((slot) => slot.initializer);
  if (c.arrays.grad) {
    for (const { initializer, offset, size } of slots) expected[`grad.${initializer}`] = c.array('grad').subarray(offset, offset + size);
  } else {
    const others = Object.entries((c.json.non_trainable_initializers ?? {}) as Record<string, Slot>);
    const all = [...slots, ...others.map(([name, slot]) => ({ ...slot, name }))];
    for (const slot of all) {
      const name = `grad.${slot.name}`;
      expected[`grad.${slot.initializer}`] = stored(slot, c.array(name), c.arrays[name]!.shape);
      if (!wrt.includes(slot.initializer)) wrt.push(slot.initializer);
    }
    const input = model.graph.inputs[0]!.name;
    expected[`grad.${input}`] = c.array('grad_x');
    wrt.push(input);
  }
  for (const weights of ['baked', 'live'] as const) {
    const parameters = wrt.filter((name) => model.graph.initializers.has(name)).map((name) => [name, model.graph.initializers.get(name)!]);
    const wide = parameters.map(([name, t]) => [
      name,
      graphTensor('float64', Array.from((t as Feeds[string]).data, Number), (t as Feeds[string]).shape),
    ]);
    await compare(problem, (m) => gradientModel(m, { loss, wrt, weights }), weights === 'live' ? Object.fromEntries(wide) : {}, expected);
  }
}

async function products(c: SecondOrderCase, kind: 'hvp' | 'ggnvp'): Promise<void> {
  const problem = problemOf(c);
  const { loss, slots } = problem;
  const wrt = slots.map((slot) => slot.initializer);
  const d = c.json.d_trainable ?? c.json.d;
  const size = (d as number | undefined) ?? slots.reduce((sum, slot) => sum + slot.size, 0);
  const all = c.arrays[kind] ? c.array(kind) : c.array(`${kind}0`);
  for (let row = 0; row < all.length / size; row++) {
    const part = (name: 'v' | 'want', { offset, size: length }: Slot): Float64Array =>
      (name === 'v' ? c.array('v') : all).subarray(row * size + offset, row * size + offset + length);
    const extra: Feeds = {};
    const expected: Record<string, ArrayLike<number>> = {};
    for (const slot of slots) {
      extra[`tangent.${slot.initializer}`] = graphTensor('float64', stored(slot, part('v', slot), slot.shape), storedShape(slot));
      expected[`${kind}.${slot.initializer}`] = stored(slot, part('want', slot), slot.shape);
    }
    await compare(problem, (m) => (kind === 'hvp' ? hvpModel : ggnModel)(m, { loss, wrt }), extra, expected);
  }
}

async function samples(c: SecondOrderCase): Promise<void> {
  const problem = problemOf(c);
  const { loss, slots } = problem;
  const [n, d] = c.arrays.per_sample_grad!.shape as [number, number];
  const G = c.array('per_sample_grad');
  const expected: Record<string, ArrayLike<number>> = {};
  for (const slot of slots) {
    const rows = Array.from({ length: n }, (_, i) =>
      stored(slot, G.subarray(i * d + slot.offset, i * d + slot.offset + slot.size), slot.shape),
    );
    expected[`grad.${slot.initializer}`] = rows.flatMap((row) => Array.from(row));
  }
  const wrt = slots.map((slot) => slot.initializer);
  await compare(problem, (m) => perSampleGradientModel(m, { loss, wrt }), {}, expected);
}

const has = (c: SecondOrderCase, array: string, run: (c: SecondOrderCase) => Promise<void>): Promise<void> | void => {
  if (c.arrays[array]) return run(c);
};

const adapter: GoldenAdapter = {
  pillar: 'onnx',
  secondOrder: [
    { cases: /^(onnx|mlp)-/, what: 'gradients, baked and live, of every initializer (and the input)', run: gradients },
    { cases: /^(onnx|mlp)-/, what: 'Hessian products of the ONNX graph', run: (c) => products(c, 'hvp') },
    { cases: /^(onnx|mlp)-/, what: 'Gauss–Newton products of the ONNX graph', run: (c) => products(c, 'ggnvp') },
    { cases: /^(onnx|mlp)-/, what: 'per-sample gradients of the ONNX graph in one run', run: (c) => has(c, 'per_sample_grad', samples) },
  ],
};
export default adapter;
