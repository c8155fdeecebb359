// What a random graph must hold: ONNX Runtime and the evaluator agree on it; in double precision reverse mode, forward mode and Hessian
// products agree with differences of the graph as it was written; the emitted graphs agree on ONNX Runtime.
import { AfterpassError, GraphError } from '../../src/core/errors.js';
import { Random } from '../../src/core/random.js';
import { sizeOf, type Tensor } from '../../src/core/tensor.js';
import type { Model } from '../../src/onnx/graph.js';
import { encodeModel, hvpModel, jvpModel, OnnxModel, vjpModel } from '../../src/onnx/index.js';
import { evaluateModel } from '../../src/onnx/reference/index.js';
import { GraphMaker, known, singleOf, Unfit } from './graph-maker.js';
import { type Step, steps } from './graph-steps.js';
import { controlSteps } from './graph-steps-control.js';
import { layoutSteps } from './graph-steps-layout.js';
import { mapSteps } from './graph-steps-maps.js';
import { type Feeds, runModel } from './ort.js';

export interface Made {
  readonly model: Model;
  readonly point: Record<string, Tensor>;
  readonly wrt: readonly string[];
  readonly output: string;
  /** One input, samples along its first axis and along that of the output: what OnnxModel takes. */
  readonly single: boolean;
}

const all: Readonly<Record<string, Step>> = { ...steps, ...layoutSteps, ...mapSteps, ...controlSteps };
const names = Object.keys(all);

/** What the evaluator did not take, and how often: read when rules are worked on. */
export const unfit = new Map<string, number>();

/** The graph of a seed; `length` steps, from 2 to 8 by the seed when left out. Undefined when nothing in it can be differentiated. */
export function makeGraph(seed: number, length?: number): Made | undefined {
  const chooser = new Random(seed * 2 + 1);
  const opset = 9 + chooser.integer(14);
  const drawn = 2 + chooser.integer(7);
  const count = length ?? drawn;
  const single = seed % 4 === 3;
  const m = new GraphMaker(seed, opset, single, seed % 16 === 8);
  for (let taken = 0, tried = 0; taken < count && tried < 60; tried++) {
    const before = [m.graph.nodes.length, m.pool.length] as const;
    const name = names[chooser.integer(names.length)]!;
    try {
      all[name]!(m);
      taken++;
    } catch (error) {
      // What does not fit is left out; inputs that were made for it stay unused.
      if (!(error instanceof Unfit || error instanceof AfterpassError)) throw error;
      if (!(error instanceof Unfit)) unfit.set(`${name}: ${error.message}`, (unfit.get(`${name}: ${error.message}`) ?? 0) + 1);
      m.graph.nodes.length = before[0];
      m.pool.length = before[1];
    }
  }
  const read = new Set(m.graph.nodes.flatMap((node) => node.inputs));
  const made = m.graph.nodes.flatMap((node) => (node.op === 'Constant' ? [] : node.outputs)).filter((name) => m.pool.includes(name));
  const leaves = made.filter((name) => !read.has(name));
  if (!leaves.length || !m.wrt.length) return undefined;
  let output = leaves.at(-1)!;
  if (leaves.length > 1 && chooser.integer(3)) {
    try {
      const rows = leaves.map((name) => m.emit('Reshape', [name, m.ints([-1])])[0]!);
      output = m.emit('Concat', rows, { axis: 0 })[0]!;
    } catch (error) {
      if (!(error instanceof Unfit)) throw error;
    }
  }
  const [first] = m.graph.inputs;
  if (single) {
    if (!first || !m.wrt.some((name) => m.graph.initializers.has(name))) return undefined;
    const samples = m.shapeOf(first.name)[0]!;
    try {
      const row = m.emit('Reshape', [output, m.ints([1, -1])])[0]!;
      const spread = m.given(
        'float64',
        Array.from({ length: samples }, (_, i) => 1 + i / 4),
        [samples, 1],
      );
      output = m.emit('Mul', [row, spread])[0]!;
    } catch (error) {
      if (error instanceof Unfit) return undefined;
      throw error;
    }
    if (seed % 8 === 7) m.graph.inputs[0] = { ...first, shape: first.shape!.map((extent, axis) => (axis === 0 ? 'N' : extent)) };
  }
  const point = Object.fromEntries(m.graph.inputs.map(({ name }) => [name, m.values.get(name)!]));
  return { model: m.finish([output]), point, wrt: m.wrt.filter((name) => m.values.has(name)), output, single };
}

const dataOf = (t: Tensor | undefined): Float64Array => t!.data as Float64Array;
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};
const norm = (a: ArrayLike<number>): number => Math.sqrt(dot(a, a));
const gap = (a: ArrayLike<number>, b: ArrayLike<number>): number => norm(Array.from(a, (x, i) => x - b[i]!));

/** Runs a model at a point; initializers are replaced by values of their names. */
function at(model: Model, point: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  const graph = model.graph.clone();
  for (const [name, { data, shape }] of Object.entries(point)) {
    const own = graph.initializers.get(name);
    if (own) graph.initializers.set(name, { type: own.type, data, shape });
  }
  return evaluateModel({ ...model, graph }, point);
}

interface Slope {
  readonly value: Float64Array;
  /** False where the function has a kink or a step nearby. */
  readonly smooth: boolean;
}

/** The derivative of f at 0 by differences; slopes to both sides tell whether there is one. */
function slopeOf(f: (t: number) => Float64Array, h = 1e-4): Slope {
  const [zero, a, b, c, d] = [f(0), f(h), f(-h), f(2 * h), f(-2 * h)];
  const value = zero.map((_, i) => (8 * (a[i]! - b[i]!) - (c[i]! - d[i]!)) / (12 * h));
  const right = zero.map((z, i) => (4 * a[i]! - c[i]! - 3 * z) / (2 * h));
  const left = zero.map((z, i) => (3 * z + d[i]! - 4 * b[i]!) / (2 * h));
  return { value, smooth: gap(left, right) <= 2e-5 * Math.max(1, norm(value)) };
}

export type Verdict = 'agrees' | 'kink' | 'refused' | 'not comparable';

/** Every check of a graph. @throws {Error} where something disagrees */
export async function checkGraph(made: Made): Promise<{ verdict: Verdict; why?: string }> {
  const { model, point, wrt, output } = made;
  const random = new Random(5);
  const constants = wrt
    .filter((name) => model.graph.initializers.has(name))
    .map((name) => [name, model.graph.initializers.get(name)!] as const);
  const here: Record<string, Tensor> = {
    ...point,
    ...Object.fromEntries(constants.map(([name, { data, shape }]) => [name, { data, shape }])),
  };
  let plain: Model;
  try {
    plain = known(model);
  } catch (error) {
    if (error instanceof GraphError) return { verdict: 'refused', why: error.message };
    throw error;
  }
  const y = at(plain, here)[output]!;
  const u = random.fill(new Float64Array(sizeOf(y.shape)));
  const cotangent: Tensor = { data: u, shape: y.shape };
  const direction = Object.fromEntries(wrt.map((name) => [name, random.fill(new Float64Array(sizeOf(here[name]!.shape)))]));
  const moved = (t: number): Record<string, Tensor> => ({
    ...here,
    ...Object.fromEntries(
      wrt.map((name) => [name, { data: dataOf(here[name]).map((x, i) => x + t * direction[name]![i]!), shape: here[name]!.shape }]),
    ),
  });
  const near = (what: string, got: ArrayLike<number>, want: ArrayLike<number>, tolerance: number, scale: number): void => {
    const error = got.length === want.length ? gap(got, want) / Math.max(scale, norm(want)) : Number.NaN;
    if (!(error <= tolerance))
      throw new Error(`${what}: error ${error}\n got ${Array.from(got).slice(0, 12)}\nwant ${Array.from(want).slice(0, 12)}`);
  };
  const runs = async (
    what: string,
    written: Model,
    feeds: Record<string, Tensor>,
    want: Record<string, Tensor>,
    tolerance: number,
  ): Promise<void> => {
    const bytes = encodeModel(written);
    // With empty tensors some fusions of ONNX Runtime fail.
    const empty = Object.values(here).some(({ data }) => data.length === 0);
    for (const level of empty ? (['disabled'] as const) : (['disabled', 'all'] as const)) {
      const got = await runModel(bytes, feedsOf(written, feeds), level);
      for (const { name } of written.graph.outputs) {
        if (got[name]!.shape.join() !== want[name]!.shape.join())
          throw new Error(`${what} ${name}: shape ${got[name]!.shape}, not ${want[name]!.shape}`);
        near(`${what} ${name} on ONNX Runtime (${level})`, Array.from(got[name]!.data as Float32Array), dataOf(want[name]), tolerance, 1);
      }
    }
  };
  const options = { of: output, wrt };
  let reverse: Model;
  let ahead: Model;
  let second: Model;
  try {
    reverse = vjpModel(model, options);
    ahead = jvpModel(model, options);
    second = hvpModel(model, options);
  } catch (error) {
    if (error instanceof GraphError) return { verdict: 'refused', why: error.message };
    throw error;
  }

  // Does ONNX Runtime take the graph, and see the same function?
  const single = singleOf(model);
  try {
    await runModel(encodeModel(single), feedsOf(single, point), 'disabled');
  } catch (error) {
    return { verdict: 'not comparable', why: String(error).slice(0, 300) };
  }
  await runs('forward', single, point, { [output]: y }, 1e-4);

  const gradients = at(reverse, { ...here, cotangent });
  near('value', dataOf(gradients[output]), dataOf(y), 1e-11, 1);
  const size = wrt.reduce((sum, name) => sum + norm(dataOf(gradients[`grad.${name}`])), 0);
  const slope = slopeOf((t) => dataOf(at(plain, moved(t))[output]));
  const product = wrt.reduce((sum, name) => sum + dot(dataOf(gradients[`grad.${name}`]), direction[name]!), 0);
  if (!slope.smooth) return { verdict: 'kink' };
  near('reverse product', [product], [dot(u, slope.value)], 1e-6, Math.max(1, size));
  const tangents = Object.fromEntries(wrt.map((name) => [`tangent.${name}`, { data: direction[name]!, shape: here[name]!.shape }]));
  near('forward product', dataOf(at(ahead, { ...here, ...tangents })[`jvp.${output}`]), slope.value, 1e-6, 1);
  const seed: Tensor = sizeOf(y.shape) === 1 ? { data: Float64Array.of(1), shape: y.shape } : cotangent;
  const products = at(second, { ...here, ...tangents, cotangent: seed });
  const change = slopeOf((t) => {
    const there = at(reverse, { ...moved(t), cotangent: seed });
    return Float64Array.from(wrt.flatMap((name) => Array.from(dataOf(there[`grad.${name}`]))));
  });
  if (!change.smooth) return { verdict: 'kink' };
  near(
    'Hessian product',
    wrt.flatMap((name) => Array.from(dataOf(products[`hvp.${name}`]))),
    change.value,
    1e-5,
    Math.max(1, size),
  );

  const tolerance = 2e-4;
  await runs('gradient', vjpModel(single, options), { ...here, cotangent }, gradients, tolerance);
  await runs('Hessian product', hvpModel(single, options), { ...here, ...tangents, cotangent: seed }, products, tolerance * 5);
  if (made.single) await checkModel(made, single, direction, random);
  return { verdict: 'agrees' };
}

/** OnnxModel on the graph with a squared loss: gradient, products and input gradient against differences of the graph itself. */
async function checkModel(made: Made, single: Model, direction: Record<string, Float64Array>, random: Random): Promise<void> {
  const { model, point, output } = made;
  const asked = made.wrt.filter((name) => model.graph.initializers.has(name));
  const open = (weights: 'baked' | 'live'): Promise<OnnxModel> => OnnxModel.open(single, { loss: 'mse', wrt: asked, weights, threads: 1 });
  let wrt: string[];
  try {
    const opened = await open('baked');
    wrt = opened.layout.map(({ name }) => name); // those that move the output
    opened.dispose();
    if (!wrt.length) return;
  } catch (error) {
    if (error instanceof GraphError && /^wrt:/.test(error.message)) return;
    throw error;
  }
  const [input] = Object.keys(point) as [string];
  const plain = known(model);
  const reverse = vjpModel(model, { of: output, wrt: [...wrt, input] });
  const here = Object.fromEntries(wrt.map((name) => [name, model.graph.initializers.get(name)!]));
  const moved = (t: number): Record<string, Tensor> => ({
    ...point,
    ...Object.fromEntries(
      wrt.map((name) => [name, { data: dataOf(here[name]).map((x, i) => x + t * direction[name]![i]!), shape: here[name]!.shape }]),
    ),
  });
  const y = (t: number): Tensor => at(plain, moved(t))[output]!;
  const { shape } = y(0);
  const size = sizeOf(shape);
  const target = random.fill(new Float64Array(size)).map(Math.fround);
  const pulled = (t: number, cotangent: Float64Array): Record<string, Tensor> =>
    at(reverse, { ...moved(t), cotangent: { data: cotangent, shape } });
  const flat = (results: Record<string, Tensor>): Float64Array =>
    Float64Array.from(wrt.flatMap((name) => Array.from(dataOf(results[`grad.${name}`]))));
  const slopeAt = (t: number): Record<string, Tensor> =>
    pulled(
      t,
      dataOf(y(t)).map((x, i) => (2 * (x - target[i]!)) / size),
    );
  const exact = slopeAt(0);
  const gradient = flat(exact);
  if (norm(gradient) === 0) return; // refused: nothing that can be asked for moves the output
  const curved = slopeOf((t) => flat(slopeAt(t))).value;
  const gauss = flat(
    pulled(
      0,
      slopeOf((t) => dataOf(y(t))).value.map((x) => (2 * x) / size),
    ),
  );
  const v = Float32Array.from(wrt.flatMap((name) => Array.from(direction[name]!)));
  const near = (what: string, got: ArrayLike<number>, want: ArrayLike<number>): void => {
    const error = got.length === want.length ? gap(got, want) / Math.max(1, norm(want), norm(gradient)) : Number.NaN;
    if (!(error <= 1e-3))
      throw new Error(`${what}: error ${error}\n got ${Array.from(got).slice(0, 12)}\nwant ${Array.from(want).slice(0, 12)}`);
  };
  const x = { data: Float32Array.from(dataOf(point[input])), shape: point[input]!.shape };
  const batch = { x, y: { data: Float32Array.from(target), shape } };
  for (const weights of ['baked', 'live'] as const) {
    const opened = await open(weights);
    try {
      const { value, grad } = await opened.gradient(batch);
      near(
        `${weights} loss`,
        [value],
        [
          dot(
            dataOf(y(0)).map((a, i) => a - target[i]!),
            dataOf(y(0)).map((a, i) => a - target[i]!),
          ) / size,
        ],
      );
      near(`${weights} gradient`, grad, gradient);
      near(`${weights} Hessian product`, await opened.hvp(batch, v), curved);
      near(`${weights} Gauss–Newton product`, await opened.ggnvp(batch, v), gauss);
      if (weights === 'live') continue;
      for (let i = 0; i < 13; i++) await opened.hvp(batch, v);
      near('repeated Hessian product', await opened.hvp(batch, v), curved);
      if (norm(dataOf(exact[`grad.${input}`])) === 0) continue;
      const { grad: inward } = await opened.inputGradient(batch);
      near('input gradient', (inward as Tensor).data as Float32Array, dataOf(exact[`grad.${input}`]));
    } finally {
      opened.dispose();
    }
  }
}

function feedsOf(model: Model, point: Readonly<Record<string, Tensor>>): Feeds {
  return Object.fromEntries(
    model.graph.feeds.map(({ name, type }) => [
      name,
      { type: 'float32', data: Float32Array.from(dataOf(point[name])), shape: point[name]!.shape, ...(type !== 'float32' && { type }) },
    ]),
  );
}

/** A graph as text, node by node. */
export function textOf({ model, point, wrt, output }: Made): string {
  const value = (name: string): string => {
    const tensor = model.graph.initializers.get(name) ?? point[name];
    if (!tensor) return name;
    const numbers = tensor.data.length <= 6 && !wrt.includes(name) ? `(${Array.from(tensor.data as ArrayLike<number>)})` : '';
    return `${name}[${tensor.shape}]${point[name] ? '' : '!'}${numbers}`;
  };
  const lines = model.graph.nodes.map((node) => {
    const attributes = Object.entries(node.attributes).map(([key, a]) => {
      if (a.type === 'graph')
        return `${key}={${a.value.nodes.map((n) => `${n.outputs}=${n.op}(${n.inputs})`).join('; ')} -> ${a.value.outputs.map((o) => o.name)}}`;
      return `${key}=${a.type === 'tensor' ? `[${a.value.shape}](${Array.from(a.value.data as ArrayLike<number>).slice(0, 6)})` : JSON.stringify(a.value)}`;
    });
    return `  ${node.outputs} = ${node.op}(${node.inputs.map(value).join(', ')}) ${attributes.join(' ')}`;
  });
  return `opset ${model.opsets.get('')}, output ${output}, in ${wrt}\n${lines.join('\n')}`;
}
