// QuantizeLinear and DequantizeLinear nodes put into a graph: which values get them, and what becomes of the weights.
import { DomainError } from '../core/errors.js';
import type { FloatArray, Tensor } from '../core/tensor.js';
import { type Graph, type GraphTensor, graphTensor, type Node } from '../onnx/graph.js';
import { type Grid, gridOf, type IntegerType, levelOf, quantizationRange } from './integer-grid.js';
import { inputRows, type LinearLayer } from './linear-layers.js';
import { minMaxDiscreteSolve } from './min-max-discrete-solve.js';

export interface Range {
  readonly low: number;
  readonly high: number;
}

export interface QuantizedLayer {
  readonly name: string;
  readonly node: string;
  readonly opType: string;
  readonly bits: number;
  /** One per output channel, or one. */
  readonly scale: Float64Array;
  readonly zeroPoint: Int32Array;
  /** Mean of (w − ŵ)². */
  readonly error: number;
}

export interface WriterOptions {
  readonly type: IntegerType;
  readonly symmetric?: boolean;
  readonly perChannel: boolean;
  readonly rounding: 'minmax' | 'mse' | 'discrete';
  readonly activationType: IntegerType;
  readonly activationSymmetric?: boolean;
}

/** Operators between layers that runtimes compute on integers. */
const integerOps = new Set(['Add', 'MaxPool', 'AveragePool', 'GlobalAveragePool', 'Concat']);
/** Operators that only move or pick numbers: what comes out lies on the grid of what went in. */
const movers = new Set(['MaxPool', 'Flatten', 'Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Identity']);
const fusedActivations = new Set(['Relu', 'Clip']);
/** Rows of calibration inputs and kicks for every row of weights that is rounded by its worst error. */
const discreteRows = 64;
const discreteKicks = 4;

/** Values to quantise with the value whose range each takes: `ranges` undefined lists the values with ranges of their own. */
export function activationRanges(
  graph: Graph,
  layers: readonly LinearLayer[],
  ranges: Readonly<Record<string, Range>> | undefined,
): Map<string, Range> {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const users = usersOf(graph);
  const wanted = new Set(layers.map(({ input }) => input));
  for (const { node } of layers) {
    const value = behind(graph, users, node);
    if ((users.get(value) ?? []).some((user) => integerOps.has(user.op))) wanted.add(value);
  }
  const out = new Map<string, Range>();
  for (const name of wanted) {
    const chain = [name];
    for (let maker = makers.get(name); maker && movers.has(maker.op) && maker.domain === ''; maker = makers.get(chain[0] as string))
      chain.unshift(maker.inputs[0] as string);
    const [source] = chain as [string];
    const range = ranges ? ranges[source] : { low: 0, high: 0 };
    if (!range) throw new DomainError(`ranges: expected the range of '${source}', got ${Object.keys(ranges ?? {}).join(', ') || 'none'}`);
    for (const value of ranges ? chain : [source]) out.set(value, range);
  }
  if (!ranges) for (const { input } of layers) out.set(input, { low: 0, high: 0 });
  return out;
}

/** The value after a layer's constant bias sum and its activation, where nothing else reads what lies between. */
function behind(graph: Graph, users: ReadonlyMap<string, Node[]>, node: Node): string {
  let value = node.outputs[0] as string;
  for (;;) {
    const [only, ...others] = users.get(value) ?? [];
    if (!only || others.length > 0 || graph.outputs.some(({ name }) => name === value)) return value;
    const bias = only.op === 'Add' && only.inputs.some((name) => graph.initializers.has(name));
    if (!bias && !fusedActivations.has(only.op)) return value;
    value = only.outputs[0] as string;
    if (!bias) return value;
  }
}

function usersOf(graph: Graph): Map<string, Node[]> {
  const users = new Map<string, Node[]>();
  for (const node of graph.nodes) for (const name of node.inputs) users.set(name, [...(users.get(name) ?? []), node]);
  return users;
}

export class QdqWriter {
  readonly #graph: Graph;
  readonly #options: WriterOptions;
  readonly #before = new Map<Node, Node[]>();
  readonly #first: Node[] = [];
  readonly #scales = new Map<string, number>();
  readonly #taken: Set<string>;

  constructor(graph: Graph, options: WriterOptions) {
    this.#graph = graph;
    this.#options = options;
    this.#taken = new Set([
      ...graph.initializers.keys(),
      ...graph.inputs.map(({ name }) => name),
      ...graph.nodes.flatMap((n) => n.outputs),
    ]);
  }

  /** A QuantizeLinear and DequantizeLinear pair behind each value; layers, sums, pools and moves read the pair's result. */
  quantizeValues(values: ReadonlyMap<string, Range>): void {
    const { activationType, activationSymmetric = false } = this.#options;
    const users = usersOf(this.#graph);
    for (const [name, { low, high }] of values) {
      const grid = gridOf(low, high, activationType, activationSymmetric);
      const [scale, zero] = this.#constants(name, [grid], activationType, true);
      const [q, dq] = [this.#fresh(`${name}_quantized`), this.#fresh(`${name}_dequantized`)];
      const pair = [node('QuantizeLinear', [name, scale, zero], q), node('DequantizeLinear', [q, scale, zero], dq)];
      const maker = this.#graph.nodes.find(({ outputs }) => outputs.includes(name));
      if (maker) this.#before.set(maker, [...(this.#before.get(maker) ?? []), ...pair]);
      else this.#first.push(...pair);
      this.#scales.set(dq, grid.scale);
      for (const user of users.get(name) ?? []) {
        if (!this.#reads(user)) continue;
        user.inputs = user.inputs.map((input) => (input === name ? dq : input));
      }
    }
  }

  #reads({ op, domain, inputs }: Node): boolean {
    if (domain !== '') return false;
    if (op === 'Add') return inputs.every((name) => !this.#graph.initializers.has(name));
    return op === 'Conv' || op === 'Gemm' || op === 'MatMul' || integerOps.has(op) || movers.has(op);
  }

  /** Integer weights, and where the input is quantised a 32-bit bias, in place of a layer's initializers. */
  quantizeLayer(layer: LinearLayer, bits: number, inputs: Tensor<FloatArray> | undefined): QuantizedLayer {
    const { type, perChannel } = this.#options;
    const { node: user, weight } = layer;
    const tensor = this.#graph.initializers.get(weight) as GraphTensor;
    const { grids, levels, error } = this.#round(layer, tensor.data as FloatArray, bits, inputs);
    const [scale, zero] = this.#constants(weight, grids, type, !perChannel);
    const q = this.#fresh(`${weight}_quantized`);
    const dq = this.#fresh(`${weight}_dequantized`);
    this.#graph.initializers.set(q, graphTensor(type, levels, tensor.shape));
    this.#first.push(node('DequantizeLinear', [q, scale, zero], dq, perChannel ? layer.axis : undefined));
    for (const reader of this.#graph.nodes) reader.inputs = reader.inputs.map((name) => (name === weight ? dq : name));
    const inputScale = this.#scales.get(user.inputs[0] as string);
    if (inputScale !== undefined && user.inputs[2]) this.#quantizeBias(user, inputScale, grids);
    return {
      name: weight,
      node: user.name,
      opType: user.op,
      bits,
      scale: Float64Array.from(grids, (grid) => grid.scale),
      zeroPoint: Int32Array.from(grids, (grid) => grid.zeroPoint),
      error,
    };
  }

  /** Puts the new nodes behind what makes their inputs, and drops initializers that nothing reads any more. */
  finish(): void {
    const graph = this.#graph;
    graph.nodes = [...this.#first, ...graph.nodes.flatMap((n) => [n, ...(this.#before.get(n) ?? [])])];
    const read = new Set([...graph.nodes.flatMap(({ inputs }) => inputs), ...graph.outputs.map(({ name }) => name)]);
    for (const name of graph.initializers.keys()) {
      if (read.has(name) || this.#isCaptured(name)) continue;
      graph.initializers.delete(name);
      graph.sparse.delete(name);
      graph.inputs = graph.inputs.filter((info) => info.name !== name);
    }
  }

  #isCaptured(name: string): boolean {
    const bodies = this.#graph.nodes.flatMap(({ attributes }) => Object.values(attributes).filter(({ type }) => type === 'graph'));
    return bodies.some(({ value }) => (value as Graph).nodes.some(({ inputs }) => inputs.includes(name)));
  }

  #round(layer: LinearLayer, data: FloatArray, bits: number, inputs: Tensor<FloatArray> | undefined) {
    const { type, perChannel, symmetric = true, rounding } = this.#options;
    const { rows, cols, groups, places } = layer;
    const channels = rows * groups;
    const channel = (r: number): Float64Array =>
      Float64Array.from({ length: cols }, (_, c) => data[places[r * cols + c] as number] as number);
    const gridFor = (x: Float64Array): Grid => {
      const method = rounding === 'minmax' ? 'minmax' : 'mse';
      const { low, high } = quantizationRange(x, { method, type, symmetric, bits });
      return gridOf(low, high, type, symmetric, bits);
    };
    const grids = perChannel ? Array.from({ length: channels }, (_, r) => gridFor(channel(r))) : [gridFor(Float64Array.from(data))];
    const levels = new Int32Array(data.length);
    let error = 0;
    for (let r = 0; r < channels; r++) {
      const grid = grids[perChannel ? r : 0] as Grid;
      const w = channel(r);
      const nearest = Int32Array.from(w, (v) => levelOf(v, grid));
      const chosen =
        rounding === 'discrete' && inputs ? discrete(inputRows(layer, inputs, discreteRows, Math.floor(r / rows)), w, grid) : nearest;
      for (let c = 0; c < cols; c++) {
        levels[places[r * cols + c] as number] = chosen[c] as number;
        const e = (w[c] as number) - grid.scale * ((chosen[c] as number) - grid.zeroPoint);
        error += (e * e) / data.length;
      }
    }
    return { grids, levels, error };
  }

  #quantizeBias(user: Node, inputScale: number, grids: readonly Grid[]): void {
    const name = user.inputs[2] as string;
    const tensor = this.#graph.initializers.get(name);
    if (tensor?.type !== 'float32' || tensor.shape.length !== 1) return;
    const scales = grids.map(({ scale }) => Math.fround(inputScale * scale));
    const levels = Array.from(tensor.data as Float32Array, (v, k) => Math.round(v / (scales[scales.length > 1 ? k : 0] as number)));
    // A scale too small for a bias leaves it a float: the layer then runs in floats, correctly.
    if (scales.some((s) => s < 2 ** -126) || levels.some((q) => Math.abs(q) >= 2 ** 31)) return;
    if (scales.length > 1 && scales.length !== tensor.data.length) return;
    const [q, scale, dq] = ['quantized', 'scale', 'dequantized'].map((end) => this.#fresh(`${name}_${end}`)) as [string, string, string];
    this.#graph.initializers.set(q, graphTensor('int32', levels, tensor.shape));
    this.#graph.initializers.set(scale, graphTensor('float32', scales, scales.length > 1 ? [scales.length] : []));
    this.#first.push(node('DequantizeLinear', [q, scale], dq, scales.length > 1 ? 0 : undefined));
    user.inputs[2] = dq;
  }

  #constants(stem: string, grids: readonly Grid[], type: IntegerType, single: boolean): [string, string] {
    const shape = single ? [] : [grids.length];
    const [scale, zero] = [this.#fresh(`${stem}_scale`), this.#fresh(`${stem}_zero_point`)];
    const scales = grids.map((grid) => grid.scale);
    const zeros = grids.map((grid) => grid.zeroPoint);
    this.#graph.initializers.set(scale, graphTensor('float32', scales, shape));
    this.#graph.initializers.set(zero, graphTensor(type, zeros, shape));
    return [scale, zero];
  }

  #fresh(stem: string): string {
    let name = stem;
    for (let i = 1; this.#taken.has(name); i++) name = `${stem}_${i}`;
    this.#taken.add(name);
    return name;
  }
}

/** Levels whose worst error over calibration rows is least. */
function discrete(rows: Tensor<FloatArray>, w: Float64Array, grid: Grid): Int32Array {
  const { scale, zeroPoint, low, high } = grid;
  const { levels } = minMaxDiscreteSolve(rows, w, { step: scale, low: low - zeroPoint, high: high - zeroPoint, iterations: discreteKicks });
  return levels.map((q) => q + zeroPoint);
}

function node(op: string, inputs: string[], output: string, axis?: number): Node {
  const attributes: Node['attributes'] = axis === undefined ? {} : { axis: { type: 'int', value: axis } };
  return { op, domain: '', name: output, inputs, outputs: [output], attributes };
}
