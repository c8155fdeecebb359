// Nodes of a graph: what they read, their order, their attributes.
import { GraphError } from '../core/errors.js';
import type { Graph, Node } from './graph.js';
import type { GraphTensor } from './graph-tensor.js';

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

/** Runs what is done for a node; errors about the graph that name no node are told with this one. */
export function namingNode<T>(node: Node, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof GraphError) || error.node !== undefined) throw error;
    const at = where(node);
    throw new GraphError(`${at.op} '${at.node}': ${error.message}`, at, { cause: error });
  }
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
