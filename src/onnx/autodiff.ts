// Reverse and forward mode on graphs under construction: the rules of ops/ put together.
import { GraphError } from '../core/errors.js';
import { type Builder, isFloat, type Value } from './builder.js';
import { type Node, namingNode, where } from './graph.js';
import { ruleOf } from './ops/index.js';

/** True where a node's output can have a derivative. */
function carries(b: Builder, node: Node, output: Value): boolean {
  return isFloat(b.elementType(output)) || (ruleOf(node)?.straightThrough ?? false);
}

/** The float values that move when one of `sources` does. */
export function movedBy(b: Builder, nodes: readonly Node[], sources: Iterable<Value>): Set<Value> {
  const moved = new Set(sources);
  for (const node of nodes) {
    if (ruleOf(node)?.zero || !node.inputs.some((name) => moved.has(name))) continue;
    for (const name of node.outputs) if (name && carries(b, node, name)) moved.add(name);
  }
  return moved;
}

/** The nodes that lead to one of `targets`. */
export function leadingTo(nodes: readonly Node[], targets: Iterable<Value>): Set<Node> {
  const wanted = new Set(targets);
  const leading = new Set<Node>();
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!;
    if (!node.outputs.some((name) => wanted.has(name))) continue;
    leading.add(node);
    for (const name of node.inputs) wanted.add(name);
  }
  return leading;
}

function refuse(node: Node, direction: string): never {
  const { op, node: name } = where(node);
  throw new GraphError(`${name}: expected an operator with a ${direction} rule, got ${op}`, { op, node: name, all: [`${op} (${name})`] });
}

/**
 * Reverse mode: cotangents of outputs to cotangents of `wrt`, emitted behind the nodes there are.
 *
 * @param seeds cotangent of each output
 * @returns the cotangent of each of `wrt`; those that do not move an output are missing
 * @throws {GraphError} naming the node whose operator has no rule
 */
export function backward(b: Builder, seeds: ReadonlyMap<Value, Value>, wrt: readonly Value[], within?: readonly Node[]): Map<Value, Value> {
  const nodes = within ?? [...b.graph.nodes];
  const moved = movedBy(b, nodes, wrt);
  const cotangents = new Map<Value, Value>(seeds);
  const stops = new Set(wrt);
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!;
    const d = node.outputs.map((name) => cotangents.get(name));
    const needs = node.inputs.map((name) => moved.has(name));
    if (d.every((name) => name === undefined) || !needs.includes(true) || !node.outputs.some((name) => moved.has(name))) continue;
    for (const name of node.outputs) if (!stops.has(name)) cotangents.delete(name);
    const rule = ruleOf(node);
    if (rule?.zero) continue;
    if (!rule?.vjp) refuse(node, 'reverse');
    const { vjp } = rule;
    const dx = namingNode(node, () => vjp(node, d, b, needs));
    node.inputs.forEach((name, at) => {
      if (needs[at] && dx[at] !== undefined) cotangents.set(name, b.sum(cotangents.get(name), dx[at])!);
    });
  }
  return new Map(wrt.flatMap((name) => (cotangents.has(name) ? [[name, cotangents.get(name)!] as const] : [])));
}

/**
 * Forward mode: tangents of some values to tangents of `targets`, emitted behind the nodes there are.
 * @returns the tangent of each target that moves
 */
export function forward(
  b: Builder,
  tangents: ReadonlyMap<Value, Value>,
  targets: readonly Value[],
  within?: readonly Node[],
): Map<Value, Value> {
  const nodes = within ?? [...b.graph.nodes];
  const leading = leadingTo(nodes, targets);
  const found = new Map<Value, Value>(tangents);
  for (const node of nodes) {
    if (!leading.has(node)) continue;
    const dx = node.inputs.map((name) => found.get(name));
    const rule = ruleOf(node);
    if (dx.every((name) => name === undefined) || rule?.zero) continue;
    if (!rule?.jvp) refuse(node, 'forward');
    const { jvp } = rule;
    namingNode(node, () => jvp(node, dx, b)).forEach((tangent, i) => {
      const name = node.outputs[i];
      if (tangent !== undefined && name && carries(b, node, name) && !tangents.has(name)) found.set(name, tangent);
    });
  }
  return new Map(targets.flatMap((name) => (found.has(name) ? [[name, found.get(name)!] as const] : [])));
}
