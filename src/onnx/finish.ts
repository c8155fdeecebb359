// From a builder to a model: nothing that no output needs, and every operator in the form of the model's operator set.
import { leadingTo } from './autodiff.js';
import type { Builder } from './builder.js';
import { sameShape } from './dims.js';
import { type Graph, type Model, modelOf, type Node, numbersOf, topological } from './graph.js';
import { ruleOf } from './ops/index.js';

/** Reduce operators that take their axes as an attribute before opset 18. */
const axesAsAttribute = new Set([
  'ReduceMean',
  'ReduceMax',
  'ReduceMin',
  'ReduceProd',
  'ReduceL1',
  'ReduceL2',
  'ReduceLogSum',
  'ReduceLogSumExp',
  'ReduceSumSquare',
]);

/** Operators whose outputs all have to be named. */
const fixedOutputs = new Set(['Split', 'TopK']);

/**
 * The written graph as a model: the operator set of `like`, and at least 17; metadata kept.
 * Nodes, initializers and inner types that no output needs are left out; inputs stay.
 */
export function finish(b: Builder, like?: Model): Model {
  const opset = Math.max(17, like?.opsets.get('') ?? 17);
  const { graph } = b;
  lower(b);
  const needed = new Set(graph.outputs.map(({ name }) => name));
  const nodes: Node[] = [];
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!;
    if (!node.outputs.some((name) => needed.has(name))) continue;
    nodes.push(apart(opset < 18 ? lowered(node, graph) : node, b));
    for (const name of nodes.at(-1)!.inputs) needed.add(name);
  }
  graph.nodes = nodes
    .reverse()
    .map((node) => ({ ...node, outputs: fixedOutputs.has(node.op) ? node.outputs : trimmed(node.outputs, needed) }));
  for (const name of graph.initializers.keys()) if (!needed.has(name)) graph.initializers.delete(name);
  graph.name = like?.graph.name || 'graph';
  const model = modelOf(graph, opset);
  model.irVersion = Math.max(model.irVersion, like?.irVersion ?? 0);
  if (like) model.metadata = new Map(like.metadata);
  return model;
}

/** Replaces the nodes that outputs need by what their rules lower them to. */
function lower(b: Builder): void {
  const { graph } = b;
  const aliases = new Map<string, string>();
  const targets = graph.outputs.map(({ name }) => name);
  for (const node of [...leadingTo(graph.nodes, targets)].reverse()) {
    // Sums are written again: of values that are now moved in the same way, one is moved; and of reshapes the last one counts.
    const again = (node.op === 'Add' || node.op === 'Reshape') && node.inputs.some((name) => aliases.has(name));
    const resolved = node.inputs.map((name) => aliases.get(name) ?? name);
    const values = again ? b.emit(node.op, resolved, node.attributes) : ruleOf(node)?.lower?.({ ...node, inputs: resolved }, b);
    values?.forEach((value, i) => {
      aliases.set(node.outputs[i]!, value);
    });
  }
  if (!aliases.size) return;
  const outputs = new Set(targets);
  for (const node of graph.nodes) node.inputs = node.inputs.map((name) => aliases.get(name) ?? name);
  graph.nodes = graph.nodes.filter(({ outputs: made }) => !made.some((name) => aliases.has(name)));
  for (const name of outputs) if (aliases.has(name)) graph.nodes.push(renamed(name, aliases.get(name)!));
  graph.nodes = topological(graph);
}

function renamed(name: string, value: string): Node {
  return { op: 'Identity', domain: '', name: `${name}/Identity`, inputs: [value], outputs: [name], attributes: {} };
}

/** ONNX Runtime fuses Conv and Add; with a computed kernel that takes longer than both apart. Sum it leaves alone. */
function apart(node: Node, b: Builder): Node {
  if (node.op !== 'Add') return node;
  const [p, q] = node.inputs.map((name) => b.type(name).shape);
  const computed = node.inputs.some((name) => {
    const maker = b.makerOf(name);
    return maker?.op === 'Conv' && !b.isFixed(maker.inputs[1]!);
  });
  return computed && sameShape(p, q) ? { ...node, op: 'Sum' } : node;
}

/** Outputs nobody reads at the end of the list are not asked for. */
function trimmed(outputs: readonly string[], needed: ReadonlySet<string>): string[] {
  let length = outputs.length;
  while (length > 1 && !needed.has(outputs[length - 1]!)) length--;
  return outputs.slice(0, length);
}

/** Opset 17 has the axes of most reductions as an attribute. */
function lowered(node: Node, graph: Graph): Node {
  if (!axesAsAttribute.has(node.op) || !node.inputs[1]) return node;
  const axes = graph.initializers.get(node.inputs[1]);
  if (!axes) return node;
  return { ...node, inputs: [node.inputs[0]!], attributes: { ...node.attributes, axes: { type: 'ints', value: numbersOf(axes) } } };
}
