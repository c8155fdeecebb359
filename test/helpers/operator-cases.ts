// The property harness of the operators: one table of cases per family, every check on every case.
// Forward: the reference evaluator against ONNX Runtime in float32. Derivatives, in float64 on the evaluator: the reverse product
// against differences, ⟨u, Jv⟩ = ⟨Jᵀu, v⟩, the Hessian product against differences of the gradient, and closure: what the rules emit has
// rules. Then the emitted graphs in float32 on ONNX Runtime, optimisation off and on.
import { Random } from '../../src/core/random.js';
import { sizeOf, type Tensor } from '../../src/core/tensor.js';
import { type Attribute, type ElementType, Graph, type GraphTensor, graphTensor, type Model, modelOf } from '../../src/onnx/graph.js';
import { encodeModel, hvpModel, jvpModel, unsupportedOps, vjpModel } from '../../src/onnx/index.js';
import { evaluateModel, referenceOps } from '../../src/onnx/reference/index.js';
import { standardModel } from '../../src/onnx/standard.js';
import { type Feeds, runModel } from './ort.js';

/** Where a float input's elements are drawn from; `fixed` inputs are not differentiated, `constant` ones are initializers. */
export interface Draw {
  readonly shape: readonly number[];
  readonly kind: 'normal' | 'positive' | 'unit' | 'distinct' | 'away' | 'above one';
  readonly fixed?: boolean;
  readonly constant?: boolean;
}

/** Given elements: integers and bools are inputs of the model, or initializers where an operator wants to know them before running. */
export interface Given {
  readonly tensor: GraphTensor;
  readonly constant: boolean;
}

export interface OperatorCase {
  readonly op: string;
  readonly domain?: string;
  readonly opset?: number;
  readonly inputs: readonly (Draw | Given | undefined)[];
  /** Graphs depend on the precision they are built in. */
  readonly attributes?: Readonly<
    Record<string, Attribute | number | string | readonly number[] | ((type: 'float32' | 'float64') => Graph)>
  >;
  readonly outputs?: number;
  /** An axis of the first input whose extent is a name while the graphs are written. */
  readonly batch?: number;
  /** Outputs that are differentiated, 0 by default; none for operators whose derivative is zero. */
  readonly of?: readonly number[];
  /** What in: 'no derivative', or a reason why ONNX Runtime cannot be asked for the forward pass. */
  readonly zero?: boolean;
  readonly ort?: string;
  readonly title?: string;
  readonly seed?: number;
  /** Relative to the norm, in float32 on ONNX Runtime (2e-5). */
  readonly tolerance?: number;
}

const drawing =
  (kind: Draw['kind']) =>
  (...shape: number[]): Draw => ({ shape, kind });
/** Standard normal elements. */
export const normal = drawing('normal');
/** Elements in [0.4, 1.6]. */
export const positive = drawing('positive');
/** Elements in (−0.9, 0.9). */
export const unit = drawing('unit');
/** Elements at least 0.05 from each other. */
export const distinct = drawing('distinct');
/** Normal elements at least 0.1 from 0. */
export const away = drawing('away');
/** Elements in [1.2, 2.4]. */
export const aboveOne = drawing('above one');
/** The same input as an initializer of the model, still differentiated. */
export const constant = (draw: Draw): Draw => ({ ...draw, constant: true });
/** The same input, not differentiated. */
export const fixed = (draw: Draw): Draw => ({ ...draw, fixed: true });
/** An int64 initializer. */
export const ints = (values: readonly number[], shape: readonly number[] = [values.length]): Given => given('int64', values, shape, true);
/** Given numbers of any type, as an initializer or (constant = false) an input. */
export const given = (
  type: ElementType,
  values: readonly number[],
  shape: readonly number[] = [values.length],
  constant = true,
): Given => ({
  tensor: graphTensor(type, values, shape),
  constant,
});
/** A float attribute. */
export const float = (value: number): Attribute => ({ type: 'float', value });
export const floats = (...value: number[]): Attribute => ({ type: 'floats', value });
export const strings = (...value: string[]): Attribute => ({ type: 'strings', value });

function draw({ shape, kind }: Draw, seed: number): Float64Array {
  const random = new Random(seed);
  const data = new Float64Array(sizeOf(shape));
  if (kind === 'distinct') {
    const order = random.permutation(data.length);
    return data.map((_, i) => (order[i]! - data.length / 2) * 0.11 + random.uniform() * 0.05);
  }
  return data.map(() => {
    if (kind === 'positive') return 0.4 + 1.2 * random.uniform();
    if (kind === 'above one') return 1.2 + 1.2 * random.uniform();
    if (kind === 'unit') return 1.8 * random.uniform() - 0.9;
    const x = random.normal();
    return kind === 'away' && Math.abs(x) < 0.1 ? x + Math.sign(x || 1) * 0.2 : x;
  });
}

interface Built {
  readonly model: Model;
  readonly point: Record<string, Tensor>;
  /** Names that are differentiated. */
  readonly wrt: readonly string[];
  readonly outputs: readonly string[];
}

function attributeOf(value: NonNullable<OperatorCase['attributes']>[string], type: 'float32' | 'float64'): Attribute {
  if (typeof value === 'function') return { type: 'graph', value: value(type) };
  if (typeof value === 'number') return { type: 'int', value };
  if (typeof value === 'string') return { type: 'string', value };
  return Array.isArray(value) ? { type: 'ints', value } : (value as Attribute);
}

/** A model of one node in the given precision, and a point to run it at. */
export function build(c: OperatorCase, type: 'float32' | 'float64'): Built {
  const graph = new Graph();
  const point: Record<string, Tensor> = {};
  const wrt: string[] = [];
  const names = c.inputs.map((input, i) => {
    if (!input) return '';
    const name = `x${i}`;
    if ('tensor' in input) {
      const own =
        input.tensor.type === 'float32' ? graphTensor(type, Array.from(input.tensor.data, Number), input.tensor.shape) : input.tensor;
      if (input.constant) graph.initializers.set(name, own);
      else {
        graph.inputs.push({ name, type: own.type, shape: own.shape });
        point[name] = own;
      }
      return name;
    }
    // Rounded to float32, so that both precisions see one point.
    const data = Float64Array.from(Float32Array.from(draw(input, (c.seed ?? 1) * 100 + i)));
    if (input.constant) graph.initializers.set(name, graphTensor(type, data, input.shape));
    else {
      graph.inputs.push({ name, type, shape: input.shape.map((extent, axis) => (i === 0 && axis === c.batch ? 'N' : extent)) });
      point[name] = { data, shape: input.shape };
    }
    if (!input.fixed) wrt.push(name);
    return name;
  });
  const outputs = Array.from({ length: c.outputs ?? 1 }, (_, i) => `y${i}`);
  const attributes = Object.fromEntries(Object.entries(c.attributes ?? {}).map(([name, value]) => [name, attributeOf(value, type)]));
  graph.nodes = [{ op: c.op, domain: c.domain ?? '', name: 'node', inputs: names, outputs, attributes }];
  graph.outputs = outputs.map((name) => ({ name, type, shape: undefined }));
  const model = modelOf(graph, c.opset ?? 18);
  if (c.domain) model.opsets.set(c.domain, 1);
  return { model, point, wrt, outputs };
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};
const norm = (a: ArrayLike<number>): number => Math.sqrt(dot(a, a));
const dataOf = (t: Tensor | undefined): Float64Array => t!.data as Float64Array;

/** Fails unless the difference is small against the larger norm and `scale`. */
function expectNear(what: string, got: ArrayLike<number>, want: ArrayLike<number>, tolerance: number, scale = 1): void {
  if (got.length !== want.length) throw new Error(`${what}: expected ${want.length} elements, got ${got.length}`);
  const finite = Array.from(want, (w, i) => (w === got[i] || (Number.isNaN(w) && Number.isNaN(got[i]!)) ? 0 : got[i]! - w));
  const error = norm(finite) / Math.max(scale, norm(Array.from(want).filter(Number.isFinite)));
  if (!(error <= tolerance)) {
    throw new Error(`${what}: expected an error of at most ${tolerance}, got ${error}\n got ${show(got)}\nwant ${show(want)}`);
  }
}

const show = (a: ArrayLike<number>): string =>
  Array.from(a)
    .slice(0, 12)
    .map((x) => x.toPrecision(6))
    .join(' ');

/** The point moved by t·direction. */
function moved(point: Record<string, Tensor>, direction: Record<string, Float64Array>, t: number): Record<string, Tensor> {
  const at = { ...point };
  for (const [name, v] of Object.entries(direction)) {
    at[name] = { data: dataOf(point[name]).map((x, i) => x + t * v[i]!), shape: point[name]!.shape };
  }
  return at;
}

/** Derivative of f along t at 0 by Richardson's extrapolation of central differences. */
function derivative(f: (t: number) => Float64Array, h = 1e-3): Float64Array {
  const [a, b, c, d] = [f(h), f(-h), f(2 * h), f(-2 * h)];
  return a.map((_, i) => (8 * (a[i]! - b[i]!) - (c[i]! - d[i]!)) / (12 * h));
}

/** Initializers that are differentiated, as points of their own. */
function withConstants(model: Model, point: Record<string, Tensor>, wrt: readonly string[]): Record<string, Tensor> {
  const constants = wrt
    .filter((name) => model.graph.initializers.has(name))
    .map((name) => [name, model.graph.initializers.get(name)!] as const);
  return { ...point, ...Object.fromEntries(constants.map(([name, { data, shape }]) => [name, { data, shape }])) };
}

/** Runs a model with some initializers replaced by the point's values. */
function evaluateAt(model: Model, point: Record<string, Tensor>): Record<string, Tensor> {
  const graph = model.graph.clone();
  for (const [name, { data, shape }] of Object.entries(point)) {
    if (graph.initializers.has(name)) graph.initializers.set(name, { type: 'float64', data, shape });
  }
  return evaluateModel({ ...model, graph }, point);
}

function feedsOf(model: Model, point: Record<string, Tensor>): Feeds {
  return Object.fromEntries(
    model.graph.feeds.map(({ name, type }) => {
      const { data, shape } = point[name]!;
      if (type !== 'float32') return [name, { type, data, shape }];
      return [name, { type, data: Float32Array.from(data as Float64Array), shape }];
    }),
  );
}

/** Runs a model in float32 on ONNX Runtime at both levels and compares every output with `want`. */
async function expectRuntime(
  what: string,
  model: Model,
  point: Record<string, Tensor>,
  want: Record<string, Tensor>,
  tolerance: number,
): Promise<void> {
  const bytes = encodeModel(model);
  for (const level of ['disabled', 'all'] as const) {
    const got = await runModel(bytes, feedsOf(model, point), level);
    for (const { name } of model.graph.outputs) {
      expect({ name, shape: [...got[name]!.shape] }).toEqual({ name, shape: [...want[name]!.shape] });
      const numbers = (t: Tensor): Float64Array => Float64Array.from(t.data as ArrayLike<number | bigint>, Number);
      expectNear(`${what} ${name} on ONNX Runtime (${level})`, numbers(got[name]!), numbers(want[name]!), tolerance, 1e-2);
    }
  }
}

/** Output element types as the evaluator finds them, written into a model for ONNX Runtime. */
function declareOutputs(model: Model, values: Record<string, Tensor & { type?: ElementType }>): void {
  const types: Record<string, ElementType> = {
    BigInt64Array: 'int64',
    Int32Array: 'int32',
    Int8Array: 'int8',
    Uint8Array: 'uint8',
    Int16Array: 'int16',
    Uint16Array: 'uint16',
    Uint32Array: 'uint32',
    BigUint64Array: 'uint64',
  };
  model.graph.outputs = model.graph.outputs.map((output) => {
    const brand = Object.prototype.toString.call(values[output.name]!.data).slice(8, -1);
    const bool = /^(Equal|Greater|Less|And|Or|Xor|Not|Is)/.test(model.graph.nodes[0]!.op);
    return { ...output, type: bool ? 'bool' : (types[brand] ?? output.type) };
  });
}

/** A model the evaluator can run: as it is, or (composites the evaluator does not know) written out by the rules; ONNX Runtime judges those. */
function known(model: Model): Model {
  const [node] = model.graph.nodes;
  if (!node!.domain && referenceOps().includes(node!.op)) return model;
  return standardModel(model);
}

/** Every check of one case. */
export async function checkCase(c: OperatorCase): Promise<void> {
  const tolerance = c.tolerance ?? 2e-5;
  const single = build(c, 'float32');
  const forward = evaluateAt(known(single.model), single.point);
  if (!c.ort) {
    declareOutputs(single.model, forward);
    await expectRuntime('forward', single.model, single.point, forward, tolerance);
  }
  if (c.zero || c.of?.length === 0) return;
  for (const output of c.of ?? [0]) await checkRuntime(c, checkDerivatives(c, output), tolerance);
}

interface Checked {
  readonly options: { of: string; wrt: readonly string[] };
  /** Inputs of the gradient graph and of the Hessian graph. */
  readonly feeds: Record<string, Tensor>;
  readonly cotangent: Tensor;
  readonly gradients: Record<string, Tensor>;
  readonly products: Record<string, Tensor>;
}

/** The checks in double precision on the evaluator. */
export function checkDerivatives(c: OperatorCase, output = 0): Checked {
  const { model, point: inputs, wrt, outputs } = build(c, 'float64');
  const of = outputs[output]!;
  const options = { of, wrt };
  const point = withConstants(model, inputs, wrt);
  const plain = known(model);
  const value = evaluateAt(plain, point)[of]!;
  const random = new Random((c.seed ?? 1) + 7);
  const direction = Object.fromEntries(wrt.map((name) => [name, random.fill(new Float64Array(sizeOf(point[name]!.shape)))]));
  const cotangent: Tensor = { data: random.fill(new Float64Array(sizeOf(value.shape))), shape: value.shape };
  const u = dataOf(cotangent);

  // Reverse mode against differences, one input at a time.
  const reverse = vjpModel(model, options);
  expect(unsupportedOps(reverse)).toEqual([]);
  const gradients = evaluateAt(reverse, { ...point, cotangent });
  expectNear('value of the reverse graph', dataOf(gradients[of]), dataOf(value), 1e-12);
  for (const name of wrt) {
    expect({ name, shape: gradients[`grad.${name}`]!.shape }).toEqual({ name, shape: point[name]!.shape });
    const along = { [name]: direction[name]! };
    const [slope] = derivative((t) => Float64Array.of(dot(u, dataOf(evaluateAt(plain, moved(point, along, t))[of]))));
    const product = dot(dataOf(gradients[`grad.${name}`]), direction[name]!);
    expectNear(`reverse product in ${name}`, [product], [slope!], 1e-7, Math.max(1e-2, norm(u)));
  }

  // Forward mode: ⟨u, Jv⟩ = ⟨Jᵀu, v⟩.
  const tangents = Object.fromEntries(wrt.map((name) => [`tangent.${name}`, { data: direction[name]!, shape: point[name]!.shape }]));
  const ahead = jvpModel(model, options);
  expect(unsupportedOps(ahead)).toEqual([]);
  const jv = evaluateAt(ahead, { ...point, ...tangents })[`jvp.${of}`]!;
  expect([...jv.shape]).toEqual([...value.shape]);
  const left = dot(u, dataOf(jv));
  const right = wrt.reduce((sum, name) => sum + dot(dataOf(gradients[`grad.${name}`]), direction[name]!), 0);
  expectNear('⟨u, Jv⟩ against ⟨Jᵀu, v⟩', [left], [right], 1e-10, Math.max(1, norm(u) * norm(dataOf(jv))));

  // Second derivative of ⟨u, f⟩ along v against differences of the gradient.
  const second = hvpModel(model, options);
  expect(unsupportedOps(second)).toEqual([]);
  // A scalar output is its own loss: its cotangent is 1, not an input.
  const scalar = value.shape.every((extent) => extent === 1);
  const seed = { cotangent: scalar ? { data: new Float64Array(u.length).fill(1), shape: value.shape } : cotangent };
  const products = evaluateAt(second, { ...point, ...tangents, ...seed });
  for (const name of wrt) {
    const change = derivative((t) => dataOf(evaluateAt(reverse, { ...moved(point, direction, t), ...seed })[`grad.${name}`]));
    expectNear(
      `Hessian product in ${name}`,
      dataOf(products[`hvp.${name}`]),
      change,
      1e-6,
      Math.max(1e-2, norm(dataOf(gradients[`grad.${name}`])), norm(change)),
    );
  }

  return { options, feeds: { ...point, ...tangents, ...seed }, cotangent, gradients, products };
}

/** The emitted graphs in float32 on ONNX Runtime. */
async function checkRuntime(
  c: OperatorCase,
  { options, feeds, cotangent, gradients, products }: Checked,
  tolerance: number,
): Promise<void> {
  const { model } = build(c, 'float32');
  await expectRuntime('gradient', vjpModel(model, options), { ...feeds, cotangent }, gradients, tolerance);
  await expectRuntime('Hessian product', hvpModel(model, options), feeds, products, tolerance * 5);
}

const shapeText = (input: Draw | Given | undefined): string => {
  if (!input) return '–';
  if ('tensor' in input)
    return `${input.tensor.type}[${input.tensor.shape}]${input.tensor.data.length <= 8 ? `(${input.tensor.data})` : ''}`;
  return `[${input.shape}]${input.constant ? ' constant' : ''}`;
};

const attributeText = (value: unknown): string =>
  typeof value === 'function'
    ? 'a graph'
    : typeof value === 'object' && value !== null && 'value' in value
      ? attributeText((value as Attribute).value)
      : Array.isArray(value)
        ? `[${value}]`
        : String(value);

/** Operator sets of cases that do not name one. */
const sets = [18, 22, 24];

/**
 * One test per case: the operator, its inputs and attributes in the title. With `batch`, every second case does not know the extent of that
 * axis of its first input while the graphs are written. Cases that do not name an operator set go through old and new ones in turn.
 */
export function operatorFamily(name: string, cases: readonly OperatorCase[], batch?: number): void {
  describe(`operators: ${name}`, () => {
    const seen = new Map<string, number>();
    for (const [i, given] of cases.entries()) {
      const opset = given.opset ?? sets[i % sets.length]!;
      const c: OperatorCase = { ...(batch !== undefined && i % 2 === 0 && { batch }), ...given, opset };
      const attributes = Object.entries(c.attributes ?? {}).map(([key, value]) => `${key} ${attributeText(value)}`);
      const text = `${c.domain ? `${c.domain}.` : ''}${c.op} of opset ${opset} on ${c.inputs.map(shapeText).join(' ')} ${attributes.join(', ')}`;
      const count = (seen.get(text) ?? 0) + 1;
      seen.set(text, count);
      const named = c.batch === undefined ? '' : ` (axis ${c.batch} named)`;
      const title = `${text.trim()}${named}${c.title ? `, ${c.title}` : ''}${count > 1 ? ` (${count})` : ''}: ${c.zero ? 'value agrees with ONNX Runtime' : 'value and derivatives agree with differences and ONNX Runtime'}`;
      test(title, () => checkCase(c));
    }
  });
}

/** One case for each of some attribute records. */
export function each(base: OperatorCase, ...attributes: NonNullable<OperatorCase['attributes']>[]): OperatorCase[] {
  return attributes.map((a) => ({ ...base, attributes: { ...base.attributes, ...a } }));
}
