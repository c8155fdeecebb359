// Small constants are computed while the graph is written, by the reference evaluator: shapes, scales, axes, scalar arithmetic.
import { sizeOf } from '../core/tensor.js';
import type { Builder, ValueType } from './builder.js';
import { isStatic } from './dims.js';
import { Graph, type GraphTensor, graphTensor, type Node, numbersOf } from './graph.js';
import { evaluateGraph, referenceOps } from './reference/index.js';

/** Constants with more elements than this are left to the runtime. */
const limit = 4096;
/** Types whose numbers the evaluator holds exactly. */
const exact = new Set(['float32', 'float64', 'int64', 'int32', 'bool']);
/** Operators that draw numbers, or whose result is better repeated where it is read. */
const kept = new Set([
  'Expand',
  'ConstantOfShape',
  'Tile',
  'RandomNormal',
  'RandomUniform',
  'RandomNormalLike',
  'RandomUniformLike',
  'Bernoulli',
  'Multinomial',
]);
let known: ReadonlySet<string> | undefined;

/** The outputs of a node as constants, or undefined when they are not known, not small or not exact. */
export function foldNode(node: Node, types: readonly ValueType[], b: Builder): GraphTensor[] | undefined {
  if (types.length === 0 || !types.every(({ shape, type }) => isStatic(shape) && sizeOf(shape) <= limit && exact.has(type)))
    return undefined;
  const [{ type, shape, value }] = types as [ValueType];
  if (types.length === 1 && isStatic(value) && value.length === sizeOf(shape as number[]))
    return [graphTensor(type, value, shape as number[])];
  const inputs = node.inputs.map((name) => (name === '' || b.parameters.has(name) ? undefined : b.constantOf(name)));
  const foldable = node.inputs.every(
    (name, i) => name === '' || (inputs[i] && exact.has(inputs[i].type) && inputs[i].data.length <= limit),
  );
  known ??= new Set(referenceOps());
  if (!foldable || node.domain !== '' || !known.has(node.op) || kept.has(node.op)) return undefined;
  const results = evaluate(node, inputs, types.length);
  return results?.map(({ data }, i) => graphTensor(types[i]!.type, data, types[i]!.shape as number[]));
}

/** The numbers of each output; undefined where one is not finite. */
function evaluate(node: Node, inputs: readonly (GraphTensor | undefined)[], count: number): { data: number[] }[] | undefined {
  const graph = new Graph();
  inputs.forEach((tensor, i) => {
    if (tensor) graph.initializers.set(`x${i}`, tensor);
  });
  const names = Array.from({ length: count }, (_, i) => `y${i}`);
  graph.nodes = [{ ...node, inputs: inputs.map((tensor, i) => (tensor ? `x${i}` : '')), outputs: names }];
  graph.outputs = names.map((name) => ({ name, type: 'float64', shape: undefined }));
  const outputs = evaluateGraph(graph, {}, { opsets: new Map([['', 18]]) });
  const numbers = names.map((name) => ({ data: numbersOf(outputs[name] as GraphTensor) }));
  return numbers.every(({ data }) => data.every(Number.isFinite)) ? numbers : undefined;
}
