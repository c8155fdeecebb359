// Features from inside a model: the value that its last linear layer reads, or any other.
import { DomainError } from '../core/errors.js';
import { checkDecoded, type Model, type Node } from '../onnx/graph.js';

/**
 * The model cut off behind one of its layers: open it to get features from `predict`.
 *
 * @param layer a value or a node by name (its first output); by default what the last Gemm or MatMul reads
 * @throws {DomainError} when there is no such layer
 */
export function cutAt(model: Model, layer?: string): Model {
  checkDecoded('model', model);
  const { nodes } = model.graph;
  const value = layer === undefined ? inputOfLast(nodes) : outputOf(nodes, layer);
  const graph = model.graph.clone();
  const known = graph.values.get(value) ?? graph.outputs.find(({ name }) => name === value);
  graph.outputs = [{ name: value, type: known?.type ?? graph.outputs[0]?.type ?? 'float32', shape: known?.shape }];
  const needed = new Set([value]);
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i] as Node;
    if (node.outputs.some((name) => needed.has(name))) for (const name of node.inputs) needed.add(name);
  }
  graph.nodes = nodes.filter((node) => node.outputs.some((name) => needed.has(name)));
  for (const name of graph.initializers.keys()) if (!needed.has(name)) graph.initializers.delete(name);
  return { ...model, graph };
}

function inputOfLast(nodes: readonly Node[]): string {
  const last = nodes.findLast(({ op }) => op === 'Gemm' || op === 'MatMul');
  if (!last) throw new DomainError('layer: expected a name, as the model has no Gemm or MatMul to take features before, got none');
  return last.inputs[0] as string;
}

function outputOf(nodes: readonly Node[], layer: string): string {
  const node = nodes.find(({ name, outputs }) => name === layer || outputs.includes(layer));
  if (!node) {
    const some = nodes.slice(-8).map(({ name, outputs }) => name || outputs[0]);
    throw new DomainError(`layer: expected a node or value of the model (the last: ${some.join(', ')}), got '${layer}'`);
  }
  return node.outputs.includes(layer) ? layer : (node.outputs[0] as string);
}
