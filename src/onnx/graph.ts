// An ONNX graph in memory: nodes over named values, initializers as tensors, inputs and outputs with types and symbolic extents.
import { DomainError, GraphError } from '../core/errors.js';
import { describe, type Tensor, type TypedArray } from '../core/tensor.js';

/** Element types by name, at the index onnx.proto gives them. */
export const elementTypes = [
  'undefined',
  'float32',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'float64',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'uint4',
  'int4',
  'float4e2m1',
] as const;
export type ElementType = (typeof elementTypes)[number];

/** The number onnx.proto gives an element type: `elementCode('float32')` is 1. */
export function elementCode(type: ElementType): number {
  return elementTypes.indexOf(type);
}

/**
 * A tensor with its ONNX element type. int64 is BigInt64Array; bool is Uint8Array; float16 and bfloat16 are Uint16Array of bits
 * (`widen` makes numbers); types without a typed array keep their raw bytes; strings sit in `strings`.
 */
export interface GraphTensor extends Tensor {
  readonly type: ElementType;
  readonly strings?: readonly string[];
}

/** An extent: a number, or a name (`'N'`, `'4*N'`) that stands for the same unknown number wherever it appears. */
export type Dim = number | string;

/** A named value with its type; `shape` is undefined when not even the rank is known. */
export interface ValueInfo {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly Dim[] | undefined;
}

export type Attribute =
  | { readonly type: 'float' | 'int'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'tensor'; readonly value: GraphTensor }
  | { readonly type: 'graph'; readonly value: Graph }
  | { readonly type: 'floats' | 'ints'; readonly value: readonly number[] }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'tensors'; readonly value: readonly GraphTensor[] }
  | { readonly type: 'graphs'; readonly value: readonly Graph[] }
  /** Inside a model-local function: the attribute of this name of the calling node. */
  | { readonly type: 'reference'; readonly value: string; readonly of: number };

/** One operator call; an input named `''` is left out. */
export interface Node {
  op: string;
  /** `''` is ai.onnx. */
  domain: string;
  name: string;
  inputs: string[];
  outputs: string[];
  attributes: Record<string, Attribute>;
  unknown?: Uint8Array[];
}

/** A model-local function: a body over its own names. */
export interface FunctionBody {
  readonly name: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: readonly string[];
  readonly defaults: Readonly<Record<string, Attribute>>;
  readonly nodes: readonly Node[];
  readonly opsets: ReadonlyMap<string, number>;
  readonly unknown?: Uint8Array[];
}

/** A graph: `nodes` in topological order. Initializers may be named in `inputs` too (files before IR 4): see `feeds`. */
export class Graph {
  name = 'graph';
  doc: string | undefined;
  nodes: Node[] = [];
  initializers = new Map<string, GraphTensor>();
  /** Names of initializers stored as sparse_initializer in the file. */
  sparse = new Set<string>();
  inputs: ValueInfo[] = [];
  outputs: ValueInfo[] = [];
  /** Declared types of inner values, where the file has them. */
  values = new Map<string, ValueInfo>();
  unknown?: Uint8Array[];

  /** The inputs a caller must feed: those without an initializer. */
  get feeds(): ValueInfo[] {
    return this.inputs.filter(({ name }) => !this.initializers.has(name));
  }

  /** A copy whose lists, maps and nodes can be changed; tensor data is shared. */
  clone(): Graph {
    const copy = new Graph();
    Object.assign(copy, this);
    copy.nodes = this.nodes.map((node) => ({
      ...node,
      inputs: [...node.inputs],
      outputs: [...node.outputs],
      attributes: { ...node.attributes },
    }));
    copy.initializers = new Map(this.initializers);
    copy.sparse = new Set(this.sparse);
    copy.inputs = [...this.inputs];
    copy.outputs = [...this.outputs];
    copy.values = new Map(this.values);
    return copy;
  }
}

/** A model: a graph, the operator sets it is written in, and what a file says around it. */
export interface Model {
  irVersion: number;
  /** Operator set versions by domain; `''` is ai.onnx. */
  opsets: Map<string, number>;
  graph: Graph;
  functions: FunctionBody[];
  metadata: Map<string, string>;
  producerName: string;
  producerVersion: string;
  domain: string;
  modelVersion: number;
  doc: string | undefined;
  unknown?: Uint8Array[];
}

/** Throws unless `model` is one that `decodeModel` or `modelOf` gives. @throws {DomainError} */
export function checkDecoded(name: string, model: unknown): asserts model is Model {
  const { graph, opsets, functions, metadata } = (model ?? {}) as Partial<Model>;
  const lists = [graph?.nodes, graph?.inputs, graph?.outputs, functions].every(Array.isArray);
  const maps = [graph?.initializers, opsets, metadata].every((map) => typeof map?.get === 'function');
  if (!lists || !maps || typeof graph?.clone !== 'function')
    throw new DomainError(`${name}: expected a decoded model (decodeModel), got ${describe(model)}`);
}

/** A model around a graph, in one ai.onnx operator set (17 by default). */
export function modelOf(graph: Graph, opset = 17): Model {
  return {
    irVersion: opset <= 17 ? 8 : 10,
    opsets: new Map([['', opset]]),
    graph,
    functions: [],
    metadata: new Map(),
    producerName: 'afterpass',
    producerVersion: '',
    domain: '',
    modelVersion: 0,
    doc: undefined,
  };
}

/** Names a node reads, those its sub-graphs capture from outside included. */
export function reads(node: Node): string[] {
  const names = node.inputs.filter((name) => name !== '');
  for (const attribute of Object.values(node.attributes)) {
    if (attribute.type === 'graph') names.push(...captures(attribute.value));
    else if (attribute.type === 'graphs') for (const body of attribute.value) names.push(...captures(body));
  }
  return names;
}

function captures(body: Graph): string[] {
  const own = new Set([...body.inputs.map(({ name }) => name), ...body.initializers.keys()]);
  const free: string[] = [];
  for (const node of body.nodes) {
    for (const name of reads(node)) if (!own.has(name)) free.push(name);
    for (const name of node.outputs) own.add(name);
  }
  for (const { name } of body.outputs) if (!own.has(name)) free.push(name);
  return free;
}

/**
 * Nodes in an order in which every value is made before it is read; the given order is kept where it can be.
 * @throws {GraphError} when a value is read that nothing makes, made twice, or made from itself
 */
export function topological(graph: Graph): Node[] {
  const maker = new Map<string, Node>();
  const given = new Set([...graph.inputs.map(({ name }) => name), ...graph.initializers.keys()]);
  for (const node of graph.nodes) {
    for (const output of node.outputs) {
      if (output === '') continue;
      if (maker.has(output) || given.has(output)) throw new GraphError(`${output}: expected one node to make it, got two`, where(node));
      maker.set(output, node);
    }
  }
  const order: Node[] = [];
  const state = new Map<Node, 'open' | 'done'>();
  for (const root of graph.nodes) {
    // An explicit stack: exported graphs are deeper than the call stack of small runtimes.
    const stack: [Node, string[]][] = state.has(root) ? [] : [[root, reads(root)]];
    if (stack.length) state.set(root, 'open');
    while (stack.length) {
      const [node, left] = stack[stack.length - 1] as [Node, string[]];
      const name = left.shift();
      if (name === undefined) {
        state.set(node, 'done');
        order.push(node);
        stack.pop();
        continue;
      }
      if (given.has(name)) continue;
      const before = maker.get(name);
      if (!before) throw new GraphError(`${name}: expected an input, an initializer or a node output of this name, got none`, where(node));
      const seen = state.get(before);
      if (seen === 'open') throw new GraphError(`${name}: expected a graph without cycles, got one through this value`, where(node));
      if (!seen) {
        state.set(before, 'open');
        stack.push([before, reads(before)]);
      }
    }
  }
  return order;
}

/** `{ node, op }` of a node for a GraphError; a node without a name is called by its first output. */
export function where(node: Node): { node: string; op: string } {
  return { node: node.name || (node.outputs[0] ?? ''), op: node.domain ? `${node.domain}.${node.op}` : node.op };
}

/** Reads an int attribute, or the default. */
export function intOf(node: Node, name: string, otherwise: number): number {
  const attribute = node.attributes[name];
  return attribute?.type === 'int' ? attribute.value : otherwise;
}

/** Reads a float attribute, or the default. */
export function floatOf(node: Node, name: string, otherwise: number): number {
  const attribute = node.attributes[name];
  return attribute?.type === 'float' || attribute?.type === 'int' ? attribute.value : otherwise;
}

/** Reads a string attribute, or the default. */
export function stringOf(node: Node, name: string, otherwise: string): string {
  const attribute = node.attributes[name];
  return attribute?.type === 'string' ? attribute.value : otherwise;
}

/** Reads a list of ints, or undefined. */
export function intsOf(node: Node, name: string): readonly number[] | undefined {
  const attribute = node.attributes[name];
  return attribute?.type === 'ints' ? attribute.value : undefined;
}

/** Reads a tensor attribute, or undefined. */
export function tensorOf(node: Node, name: string): GraphTensor | undefined {
  const attribute = node.attributes[name];
  return attribute?.type === 'tensor' ? attribute.value : undefined;
}

const arrays: Partial<Record<ElementType, { new (length: number): TypedArray; readonly BYTES_PER_ELEMENT: number }>> = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
};

/** A zero-filled typed array for an element type. @throws {GraphError} for types that have none (strings, 4- and 8-bit floats) */
export function arrayOf(type: ElementType, length: number): TypedArray {
  const Typed = arrays[type];
  if (!Typed) throw new GraphError(`element type: expected a numeric one, got ${type}`);
  return new Typed(length);
}

/** A tensor of an element type from plain numbers. */
export function graphTensor(type: ElementType, values: ArrayLike<number>, shape: readonly number[] = [values.length]): GraphTensor {
  const data = arrayOf(type, values.length);
  const wide = type === 'int64' || type === 'uint64';
  for (let i = 0; i < values.length; i++) (data as { [i: number]: number | bigint })[i] = wide ? BigInt(values[i]!) : values[i]!;
  return { type, data, shape };
}

/** Elements as plain numbers (int64 beyond 2^53 loses digits). */
export function numbersOf(tensor: GraphTensor): number[] {
  return Array.from(tensor.data as ArrayLike<number | bigint>, Number);
}
