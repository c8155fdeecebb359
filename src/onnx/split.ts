// A graph cut in two: what does not move with some of its inputs is computed once, the rest again for every value of them.
import { Graph, type GraphTensor, type Model, type Node, reads, type ValueInfo } from './graph.js';
import type { ValueType } from './values.js';

export interface Halves {
  /** Everything that the moving inputs do not move, and what the other half reads of it, as outputs. */
  readonly still: Model;
  /** The rest: its inputs are the moving ones and what the first half keeps for it. */
  readonly moving: Model;
  /** What the first half hands to the second. */
  readonly kept: readonly ValueInfo[];
}

/** Copies without a change of a value that are made again rather than kept: they cost no arithmetic, and keeping them costs memory. */
const views = new Set(['Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Expand', 'Identity', 'Slice', 'Split']);

/**
 * Cuts a model.
 * @param moves true for the names of inputs that move
 * @param types what is known of the inner values
 */
export function split(model: Model, moves: (input: string) => boolean, types: ReadonlyMap<string, ValueType>): Halves {
  const { graph } = model;
  const moving = movedBy(graph.nodes, graph.inputs.map(({ name }) => name).filter(moves));
  const running = movedBy(
    graph.nodes,
    graph.inputs.map(({ name }) => name),
  );
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const again = new Set<Node>(); // nodes of the second half
  const kept = new Set<string>();
  const want = (name: string): void => {
    const maker = makers.get(name);
    if (maker && again.has(maker)) return;
    // What runs on constants alone is computed when a session is made; it stays in both halves.
    if (maker && (moving.has(name) || !running.has(name) || views.has(maker.op))) {
      again.add(maker);
      for (const input of reads(maker)) want(input);
    } else if (!graph.initializers.has(name) && !moving.has(name)) kept.add(name);
  };
  const ends = graph.outputs.filter(({ name }) => moving.has(name));
  for (const { name } of ends) want(name);
  const handed = [...kept].map(
    (name): ValueInfo => graph.inputs.find((info) => info.name === name) ?? { name, ...described(types.get(name)) },
  );
  const inner = handed.filter(({ name }) => makers.has(name));
  return {
    still: part(model, graph.nodes, graph.inputs, [...graph.outputs.filter(({ name }) => !moving.has(name)), ...inner]),
    moving: part(
      model,
      [...graph.nodes.filter((node) => again.has(node))],
      [...graph.inputs.filter(({ name }) => moves(name) || kept.has(name)), ...inner],
      ends,
    ),
    kept: inner,
  };
}

function described(type: ValueType | undefined): Omit<ValueInfo, 'name'> {
  return { type: type?.type ?? 'float32', shape: type?.shape };
}

/** The values that move when some do, those included. */
function movedBy(nodes: readonly Node[], names: readonly string[]): Set<string> {
  const moved = new Set(names);
  for (const node of nodes) if (reads(node).some((name) => moved.has(name))) for (const name of node.outputs) moved.add(name);
  return moved;
}

/** The part of a model that makes some values, with the initializers it reads. */
function part(model: Model, nodes: readonly Node[], inputs: readonly ValueInfo[], outputs: readonly ValueInfo[]): Model {
  const graph = new Graph();
  const needed = new Set(outputs.map(({ name }) => name));
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    graph.nodes.unshift(node);
    for (const name of reads(node)) needed.add(name);
  }
  graph.name = model.graph.name;
  graph.inputs = inputs.filter(({ name }) => needed.has(name));
  graph.outputs = [...outputs];
  for (const [name, tensor] of model.graph.initializers) if (needed.has(name)) graph.initializers.set(name, tensor as GraphTensor);
  return { ...model, graph };
}
