// Random small graphs, node by node: every node is run on the reference evaluator as soon as it is written, so that the next one knows the
// shapes and sizes of what it reads. The same seed writes the same graph; a graph of fewer steps is the beginning of a longer one.
import { Random } from '../../src/core/random.js';
import { sizeOf, type Tensor } from '../../src/core/tensor.js';
import { type Attribute, type ElementType, Graph, graphTensor, type Model, modelOf, type Node } from '../../src/onnx/graph.js';
import { evaluateModel, referenceOps } from '../../src/onnx/reference/index.js';
import { standardModel } from '../../src/onnx/standard.js';

/** Attributes as plain values: numbers are ints, arrays of numbers ints. */
export type Plain = Readonly<Record<string, Attribute | number | string | readonly number[]>>;
export const float = (value: number): Attribute => ({ type: 'float', value });

/** A step that cannot be taken here: its values would leave the range in which float32 can be compared, or a shape does not fit. */
export class Unfit extends Error {}

const evaluated = new Set(referenceOps());

/** A model that the evaluator can run: composites that it does not know are written out by the rules. */
export function known(model: Model): Model {
  return model.graph.nodes.every(({ op, domain }) => !domain && evaluated.has(op)) ? model : standardModel(model);
}

export class GraphMaker {
  readonly graph = new Graph();
  /** Every value, in double precision (integers as they are). */
  readonly values = new Map<string, Tensor>();
  /** Floats that later nodes may read. */
  readonly pool: string[] = [];
  /** Inputs and initializers that derivatives are taken in. */
  readonly wrt: string[] = [];
  readonly #random: Random;
  #count = 0;

  /** @param single one input alone, of one or more axes: the rest are initializers. @param empty extents of 0 now and then */
  constructor(
    seed: number,
    readonly opset: number,
    readonly single = false,
    readonly empty = false,
  ) {
    this.#random = new Random(seed);
  }

  /** An integer from low to high, both included. */
  int(low: number, high: number): number {
    if (!(high >= low)) throw new Unfit('extent');
    return low + this.#random.integer(high - low + 1);
  }

  chance(p: number): boolean {
    return this.#random.uniform() < p;
  }

  choose<T>(list: readonly T[]): T {
    if (!list.length) throw new Unfit('choice');
    return list[this.#random.integer(list.length)]!;
  }

  extents(rank: number, low = 1, high = 4): number[] {
    return Array.from({ length: rank }, () => (this.empty && this.chance(0.06) ? 0 : this.int(low, high)));
  }

  shapeOf(name: string): readonly number[] {
    return this.values.get(name)!.shape;
  }

  rank(name: string): number {
    return this.shapeOf(name).length;
  }

  /** An axis of a value, counted from either end. */
  axis(name: string, low = 0): number {
    const rank = this.rank(name);
    if (rank <= low) throw new Unfit('rank');
    const axis = this.int(low, rank - 1);
    return this.chance(0.4) ? axis - rank : axis;
  }

  /** A new float: an input or an initializer that is differentiated, or a Constant node. */
  fresh(shape: readonly number[], draw: () => number = () => this.#random.normal()): string {
    if (!shape.every(Number.isInteger)) throw new Unfit('extent');
    const name = `v${this.#count++}`;
    // Rounded to float32, so that both precisions see one point.
    const data = Float64Array.from({ length: sizeOf(shape) }, () => Math.fround(draw()));
    this.values.set(name, { data, shape });
    const drawn = this.#random.uniform();
    const where = this.single ? (shape.length && !this.graph.inputs.length ? 0 : Math.max(drawn, 0.5)) : drawn;
    if (where < 0.5) this.graph.inputs.push({ name, type: 'float64', shape: [...shape] });
    else if (where < 0.85) this.graph.initializers.set(name, graphTensor('float64', data, shape));
    else this.#constantNode(name, graphTensor('float64', data, shape));
    if (where < 0.85) this.wrt.push(name);
    this.pool.push(name);
    return name;
  }

  /** Uniform in [low, high]. */
  between(shape: readonly number[], low: number, high: number): string {
    return this.fresh(shape, () => low + (high - low) * this.#random.uniform());
  }

  /** Given numbers of a type, as an initializer or a Constant node. */
  given(type: ElementType, list: readonly number[], shape: readonly number[] = [list.length]): string {
    const name = `k${this.#count++}`;
    const tensor = graphTensor(type, list, shape);
    this.values.set(name, /float/.test(type) ? { data: Float64Array.from(list), shape } : tensor);
    if (this.chance(0.5)) this.graph.initializers.set(name, tensor);
    else this.#constantNode(name, tensor);
    return name;
  }

  ints(list: readonly number[], shape?: readonly number[]): string {
    return this.given('int64', list, shape);
  }

  #constantNode(name: string, value: ReturnType<typeof graphTensor>): void {
    const attributes: Node['attributes'] = { value: { type: 'tensor', value } };
    this.graph.nodes.push({ op: 'Constant', domain: '', name: '', inputs: [], outputs: [name], attributes });
  }

  /** A float of a shape that fits: one that is there, newer ones more often, or a new one of `otherwise`. */
  some(fits: (shape: readonly number[]) => boolean, otherwise: () => readonly number[]): string {
    const fitting = this.pool.filter((name) => fits(this.shapeOf(name)));
    if (!fitting.length || this.chance(0.15)) return this.fresh(otherwise());
    return this.chance(0.6) ? fitting.at(-1)! : this.choose(fitting);
  }

  /** Any float with at least `low` axes. */
  any(low = 0, high = 6): string {
    return this.some(
      (shape) => shape.length >= low && shape.length <= high,
      () => this.extents(this.int(low, Math.max(low, Math.min(high, 3)))),
    );
  }

  /** A float whose shape broadcasts with that of `name`: itself at times. */
  partner(name: string): string {
    const shape = this.shapeOf(name);
    const fits = (other: readonly number[]): boolean =>
      other.every((extent, i) => {
        const own = shape[i + shape.length - other.length];
        return own === undefined || own === extent || own === 1 || extent === 1;
      });
    if (this.chance(0.1)) return name;
    if (this.chance(0.5)) return this.some(fits, () => shape);
    const cut = this.int(0, shape.length);
    const narrow = shape.slice(cut).map((extent) => (this.chance(0.3) ? 1 : extent));
    return this.fresh(this.chance(0.1) && cut === 0 ? [2, ...narrow] : narrow);
  }

  /** A function of a value inside the domain of an operator. */
  tamed(name: string, kind: 'positive' | 'away' | 'unit' | 'above one'): string {
    const scalar = (value: number): string => this.given('float64', [Math.fround(value)], this.chance(0.5) ? [] : [1]);
    if (kind === 'unit') return this.emit('Mul', [this.emit('Tanh', [name])[0]!, scalar(0.9)])[0]!;
    return this.emit('Add', [this.emit(this.chance(0.5) ? 'Abs' : 'Softplus', [name])[0]!, scalar(kind === 'above one' ? 1.3 : 0.4)])[0]!;
  }

  /** Writes a node and runs it. Float outputs join the pool. @throws {Unfit} */
  emit(op: string, inputs: readonly string[], attributes: Plain = {}, count = 1, domain = ''): string[] {
    const outputs = Array.from({ length: count }, () => `v${this.#count++}`);
    const node: Node = {
      op,
      domain,
      name: this.chance(0.8) ? `${op}_${outputs[0]}` : '',
      inputs: [...inputs],
      outputs,
      attributes: Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, attributeOf(value)])),
    };
    const results = this.#run(node);
    for (const name of outputs) {
      const value = results[name]!;
      if (!value.shape.every(Number.isInteger)) throw new Error(`${op} made [${value.shape}]`);
      if (sizeOf(value.shape) > 600) throw new Unfit('size');
      if (value.data instanceof Float64Array && !value.data.every((x) => Math.abs(x) < 60)) throw new Unfit('range');
    }
    this.graph.nodes.push(node);
    for (const name of outputs) {
      this.values.set(name, results[name]!);
      if (results[name]!.data instanceof Float64Array) this.pool.push(name);
    }
    return outputs;
  }

  #run(node: Node): Record<string, Tensor> {
    const graph = new Graph();
    const read = new Set(node.inputs.filter((name) => name !== ''));
    for (const attribute of Object.values(node.attributes))
      if (attribute.type === 'graph')
        for (const inner of attribute.value.nodes) for (const name of inner.inputs) if (this.values.has(name)) read.add(name);
    const feeds: Record<string, Tensor> = {};
    for (const name of read) {
      const value = this.values.get(name)!;
      // Integers and composites' inputs as initializers: rules want to know them.
      const type = typeOf(value);
      if (type === 'float64') {
        graph.inputs.push({ name, type, shape: value.shape });
        feeds[name] = value;
      } else graph.initializers.set(name, { type, data: value.data, shape: value.shape });
    }
    graph.nodes = [node];
    graph.outputs = node.outputs.map((name) => ({ name, type: 'float64', shape: undefined }));
    return evaluateModel(known(this.#modelOf(graph)), feeds);
  }

  #modelOf(graph: Graph): Model {
    const model = modelOf(graph, this.opset);
    model.opsets.set('com.microsoft', 1);
    return model;
  }

  /** The model with some of its values as outputs, in double precision. */
  finish(outputs: readonly string[]): Model {
    this.graph.outputs = outputs.map((name) => ({ name, type: typeOf(this.values.get(name)!), shape: undefined }));
    return this.#modelOf(this.graph);
  }
}

function attributeOf(value: Plain[string]): Attribute {
  if (typeof value === 'number') return { type: 'int', value };
  if (typeof value === 'string') return { type: 'string', value };
  return Array.isArray(value) ? { type: 'ints', value } : (value as Attribute);
}

function typeOf({ data }: Tensor): ElementType {
  if (data instanceof Float64Array) return 'float64';
  if (data instanceof BigInt64Array) return 'int64';
  if (data instanceof Int32Array) return 'int32';
  if (data instanceof Uint8Array) return 'bool';
  throw new Unfit('element type');
}

/** The same model with float32 in place of float64. */
export function singleOf(model: Model): Model {
  return { ...model, graph: single(model.graph) };
}

function single(graph: Graph): Graph {
  const copy = graph.clone();
  const narrow = <T extends { type: ElementType }>(info: T): T => (info.type === 'float64' ? { ...info, type: 'float32' } : info);
  copy.inputs = graph.inputs.map(narrow);
  copy.outputs = graph.outputs.map(narrow);
  for (const [name, tensor] of graph.initializers)
    if (tensor.type === 'float64') copy.initializers.set(name, graphTensor('float32', tensor.data as Float64Array, tensor.shape));
  for (const node of copy.nodes) {
    for (const [name, a] of Object.entries(node.attributes)) {
      if (a.type === 'graph') node.attributes[name] = { type: 'graph', value: single(a.value) };
      if (a.type === 'tensor' && a.value.type === 'float64')
        node.attributes[name] = { type: 'tensor', value: graphTensor('float32', a.value.data as Float64Array, a.value.shape) };
      if ((name === 'to' || name === 'dtype') && a.value === 11) node.attributes[name] = { type: 'int', value: 1 };
    }
  }
  return copy;
}
