// An ONNX graph in memory: nodes over named values, initializers as tensors, inputs and outputs with types and symbolic extents.
import { DomainError } from '../core/errors.js';
import { describe } from '../core/tensor.js';
import type { ElementType, GraphTensor } from './graph-tensor.js';

export * from './graph-tensor.js';
export * from './nodes.js';

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
