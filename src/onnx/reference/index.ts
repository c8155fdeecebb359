// The reference evaluator: plain loops in double precision, one function per operator. The oracle of every rule, and the answer
// for double models where ONNX Runtime has no double kernel.

import { checkShape } from '../../core/check.js';
import { GraphError } from '../../core/errors.js';
import { asTensor, brandOf, isFloatArray, type Tensor, type TensorLike } from '../../core/tensor.js';
import { type FunctionBody, type Graph, type Model, type Node, type ValueInfo, where } from '../graph.js';
import { arithmetic } from './arithmetic.js';
import { conversions, held } from './cast.js';
import { control } from './control.js';
import { convolutions } from './convolution.js';
import { detections } from './detection.js';
import { elementwise } from './elementwise.js';
import { indexings } from './indexing.js';
import { layouts } from './layout.js';
import { products } from './matmul.js';
import { normalizations } from './normalization.js';
import { poolings } from './pooling.js';
import { recurrences } from './recurrent.js';
import { reductions } from './reduction.js';
import { resizing } from './resize.js';
import { fail, type Kernels, ofType, type Value } from './value.js';

/** The ai.onnx operators the evaluator knows. */
const kernels: Kernels = {
  ...elementwise,
  ...arithmetic,
  ...reductions,
  ...products,
  ...convolutions,
  ...poolings,
  ...normalizations,
  ...layouts,
  ...indexings,
  ...conversions,
  ...resizing,
  ...recurrences,
  ...control,
  ...detections,
};

/** Names of the ai.onnx operators the reference evaluator computes, sorted. */
export function referenceOps(): string[] {
  return Object.keys(kernels).sort();
}

export interface EvaluateOptions {
  /** Operator sets by domain; ai.onnx 17 when left out. */
  readonly opsets?: ReadonlyMap<string, number>;
  /** Model-local functions that nodes may call. */
  readonly functions?: readonly FunctionBody[];
}

interface Scope {
  readonly opset: number;
  readonly functions: readonly FunctionBody[];
  /** A value by name, from this graph or the ones around it. */
  lookup(name: string): Value | undefined;
}

/**
 * Runs a graph in double precision.
 *
 * @param graph nodes in topological order
 * @param inputs tensors by name: float arrays for float inputs, integer arrays (any) for integer and bool inputs; more names than inputs are ignored
 * @returns the outputs by name: Float64Array for every float type, integer arrays of the declared type otherwise
 * @throws {GraphError} naming a missing input, or the node of an operator that is not known or refuses its inputs
 */
export function evaluateGraph(
  graph: Graph,
  inputs: Readonly<Record<string, TensorLike>>,
  { opsets = new Map([['', 17]]), functions = [] }: EvaluateOptions = {},
): Record<string, Tensor> {
  const given = new Map<string, Value>();
  for (const info of graph.inputs) {
    if (Object.hasOwn(inputs, info.name)) given.set(info.name, inputValue(info, inputs[info.name]!));
    else if (!graph.initializers.has(info.name)) throw new GraphError(`${info.name}: expected a tensor for this input, got none`);
  }
  const scope: Scope = { opset: opsets.get('') ?? 17, functions, lookup: () => undefined };
  const outputs = runGraph(graph, given, scope);
  return Object.fromEntries(graph.outputs.map(({ name }, i) => [name, { data: outputs[i]!.data, shape: outputs[i]!.shape }]));
}

/** Runs a model in double precision: `evaluateGraph` with the model's operator sets and functions. */
export function evaluateModel(model: Model, inputs: Readonly<Record<string, TensorLike>>): Record<string, Tensor> {
  return evaluateGraph(model.graph, inputs, model);
}

/** What a caller gives for an input, in the type the graph declares. */
function inputValue(info: ValueInfo, value: TensorLike): Value {
  const { data, shape } = asTensor(info.name, value);
  if (info.shape)
    checkShape(
      info.name,
      shape,
      info.shape.map((extent) => (typeof extent === 'number' ? extent : -1)),
    );
  if (/float/.test(info.type)) {
    if (brandOf(data) === 'Float64Array') return { type: 'float64', data, shape };
    return ofType('float64', Array.from(data as ArrayLike<number | bigint>, Number), shape);
  }
  if (isFloatArray(data)) throw new GraphError(`${info.name}: expected ${info.type} elements, got ${brandOf(data)}`);
  return ofType(info.type, Array.from(data as ArrayLike<number | bigint>, Number), shape);
}

/** Runs a graph inside a scope; inner names hide outer ones. Values are dropped after their last use. */
function runGraph(graph: Graph, given: ReadonlyMap<string, Value>, outer: Scope): Value[] {
  const values = new Map<string, Value>();
  for (const [name, tensor] of graph.initializers) values.set(name, held(tensor));
  for (const [name, value] of given) values.set(name, value);
  const lookup = (name: string): Value | undefined => values.get(name) ?? outer.lookup(name);
  const scope: Scope = { ...outer, lookup };
  const nested = graph.nodes.some((node) => Object.values(node.attributes).some(({ type }) => type === 'graph'));
  const lastUse = new Map<string, number>();
  for (const [i, node] of graph.nodes.entries()) for (const name of node.inputs) lastUse.set(name, i);
  for (const { name } of graph.outputs) lastUse.set(name, graph.nodes.length);
  for (const [i, node] of graph.nodes.entries()) {
    const outputs = runNode(
      node,
      node.inputs.map((name) => resolve(node, name, lookup)),
      scope,
    );
    for (const [k, name] of node.outputs.entries()) if (name !== '') values.set(name, outputs[k]!);
    if (!nested) for (const name of node.inputs) if (lastUse.get(name) === i) values.delete(name);
  }
  return graph.outputs.map(({ name }) => {
    const value = lookup(name);
    if (!value) throw new GraphError(`${name}: expected a node, input or initializer to make this output, got none`);
    return value;
  });
}

function resolve(node: Node, name: string, lookup: (name: string) => Value | undefined): Value | undefined {
  if (name === '') return undefined;
  const value = lookup(name);
  if (!value) throw fail(node, `expected a value named '${name}', got none`);
  return value;
}

function runNode(node: Node, inputs: readonly (Value | undefined)[], scope: Scope): Value[] {
  const called = scope.functions.find(({ name, domain }) => name === node.op && domain === node.domain);
  if (called) return runFunction(called, node, inputs, scope);
  const kernel = node.domain === '' || node.domain === 'ai.onnx' ? kernels[node.op] : undefined;
  if (!kernel)
    throw new GraphError(`${where(node).op} '${where(node).node}': expected an operator of ai.onnx that the evaluator knows`, where(node));
  try {
    return kernel(inputs, node, {
      opset: scope.opset,
      outputs: node.outputs.length,
      run: (body, values) => runGraph(body, new Map(body.inputs.map(({ name }, i) => [name, values[i]!])), scope),
    });
  } catch (error) {
    // A length below 0: a window that does not fit. (By name: the array may come from another realm.)
    if ((error as Error).name !== 'RangeError') throw error;
    throw fail(node, `expected shapes that leave a result, got ${inputs.map((value) => `[${value?.shape}]`).join(' and ')}`);
  }
}

/** Runs a model-local function on values: its body has names of its own and reads the caller's attributes. */
function runFunction(called: FunctionBody, node: Node, inputs: readonly (Value | undefined)[], { functions, opset }: Scope): Value[] {
  const values = new Map<string, Value>();
  for (const [i, name] of called.inputs.entries()) if (inputs[i]) values.set(name, inputs[i]);
  const lookup = (name: string): Value | undefined => values.get(name);
  const scope: Scope = { functions, opset: called.opsets.get('') ?? opset, lookup };
  for (const inner of called.nodes) {
    const attributes: Node['attributes'] = {};
    for (const [name, attribute] of Object.entries(inner.attributes)) {
      const actual = attribute.type === 'reference' ? (node.attributes[attribute.value] ?? called.defaults[attribute.value]) : attribute;
      if (actual) attributes[name] = actual;
    }
    // An argument the caller left out is an argument the inner node leaves out.
    const read = inner.inputs.map((name) => (called.inputs.includes(name) ? lookup(name) : resolve(inner, name, lookup)));
    const outputs = runNode({ ...inner, attributes }, read, scope);
    for (const [k, name] of inner.outputs.entries()) if (name !== '') values.set(name, outputs[k]!);
  }
  return called.outputs.map((name) => resolve(node, name, lookup)!);
}
