// A model's graph into a builder: one form per operator (what opset 18 calls it), functions inlined, loops unrolled, constants and identities gone.
import { GraphError } from '../core/errors.js';
import type { Builder, Value } from './builder.js';
import { isControl, unrollControl } from './control.js';
import {
  type Attribute,
  checkDecoded,
  type FunctionBody,
  type Graph,
  type Model,
  type Node,
  namingNode,
  topological,
  where,
} from './graph.js';
import { ruleOf } from './ops/index.js';

export interface ImportOptions {
  /** Initializers (or inputs) that derivatives are taken in: their values are never read while the graph is written. */
  readonly parameters?: ReadonlySet<string>;
  /** Parameters become inputs of the written graph. */
  readonly live?: boolean;
  /** Numbers for open extents of inputs, by their names. */
  readonly extents?: Readonly<Record<string, number>>;
}

/**
 * Copies the graph of a model into an empty builder.
 * @returns the value that now stands for each name of the model
 * @throws {GraphError} listing every operator without a rule
 */
export function importModel(
  b: Builder,
  model: Model,
  { parameters = new Set(), live = false, extents = {} }: ImportOptions = {},
): Map<string, Value> {
  const missing = unsupportedOps(model);
  if (missing.length) {
    const all = missing.map(({ domain, op, node }) => `${domain ? `${domain}.` : ''}${op} (${node})`);
    const { node, op } = missing[0]!;
    throw new GraphError(`model: expected operators with a rule, got ${all.join(', ')}`, { node, op, all });
  }
  const { graph } = model;
  const names = new Map<string, Value>();
  b.reserve(valueNames(graph));
  checkExtents(graph, extents);
  for (const { name, type, shape } of graph.feeds) {
    const fixed = shape?.map((extent) => (typeof extent === 'string' ? (extents[extent] ?? extent) : extent));
    names.set(name, b.input(name, type, fixed));
  }
  for (const [name, tensor] of graph.initializers) {
    const own = parameters.has(name);
    if (own) b.parameters.add(name);
    names.set(name, own && live ? b.input(name, tensor.type, tensor.shape) : b.initializer(name, tensor));
  }
  copyNodes(b, graph.nodes, names, contextOf(model));
  return names;
}

/** @throws {GraphError} for names that no input has as an extent, and numbers that are none */
function checkExtents(graph: Graph, extents: Readonly<Record<string, number>>): void {
  const open = new Set(graph.feeds.flatMap(({ shape }) => (shape ?? []).filter((extent) => typeof extent === 'string')));
  for (const [name, value] of Object.entries(extents)) {
    if (!open.has(name))
      throw new GraphError(`extents: expected names of open extents (${[...open].join(', ') || 'none here'}), got '${name}'`);
    if (!Number.isInteger(value) || value < 1) throw new GraphError(`extents.${name}: expected a whole number of at least 1, got ${value}`);
  }
}

interface Context {
  readonly opsets: ReadonlyMap<string, number>;
  readonly functions: ReadonlyMap<string, FunctionBody>;
  /** Prefix of node names inside a function. */
  readonly scope: string;
}

function contextOf(model: Model): Context {
  return { opsets: model.opsets, functions: new Map(model.functions.map((f) => [`${f.domain}.${f.name}`, f])), scope: '' };
}

function* valueNames(graph: Graph): Iterable<string> {
  yield* graph.initializers.keys();
  for (const { name } of graph.inputs) yield name;
  for (const { name, outputs } of graph.nodes) {
    if (name) yield name; // new nodes are called by their first output
    yield* outputs;
  }
}

function copyNodes(b: Builder, nodes: readonly Node[], names: Map<string, Value>, context: Context): void {
  for (const node of nodes) {
    const inputs = node.inputs.map((name) => (name === '' ? '' : resolve(name, names, node)));
    const body = context.functions.get(`${node.domain}.${node.op}`);
    const made = body
      ? inline(b, node, inputs, body, context)
      : isControl(node)
        ? unrollControl(b, node, inputs, (graph, values) => copyBody(b, node, graph, values, names, context))
        : placed(b, node, inputs, context);
    node.outputs.forEach((name, i) => {
      if (name !== '' && made[i] !== undefined) names.set(name, made[i]);
    });
  }
}

function resolve(name: string, names: ReadonlyMap<string, Value>, node: Node): Value {
  const value = names.get(name);
  if (value === undefined) throw new GraphError(`${name}: expected a value made before it is read, got none`, where(node));
  return value;
}

function placed(b: Builder, node: Node, inputs: Value[], { opsets, scope }: Context): Value[] {
  const copy: Node = {
    ...node,
    inputs,
    name: scope && node.name ? `${scope}/${node.name}` : node.name,
    outputs: scope ? node.outputs.map((name) => (name ? b.fresh(`${scope}/${name}`) : '')) : [...node.outputs],
    attributes: { ...node.attributes },
  };
  return namingNode(copy, () => b.place(copy, node.outputs.length, opsets.get(node.domain) ?? 1));
}

/** Copies the graph of an attribute: it reads its inputs, its own initializers, and names from outside. */
function copyBody(
  b: Builder,
  node: Node,
  body: Graph,
  values: readonly Value[],
  outer: ReadonlyMap<string, Value>,
  context: Context,
): Value[] {
  const names = new Map(outer);
  for (const [name, tensor] of body.initializers) names.set(name, b.constant(tensor));
  body.inputs.forEach(({ name }, i) => {
    names.set(name, values[i]!);
  });
  const name = node.name || node.op;
  copyNodes(b, body.nodes, names, { ...context, scope: b.fresh(context.scope ? `${context.scope}/${name}` : name) });
  return body.outputs.map((output) => resolve(output.name, names, node));
}

function inline(b: Builder, node: Node, inputs: Value[], body: FunctionBody, context: Context): Value[] {
  const names = new Map<string, Value>([['', '']]);
  body.inputs.forEach((name, i) => {
    names.set(name, inputs[i] ?? '');
  });
  const given = (attributes: Readonly<Record<string, Attribute>>): Record<string, Attribute> =>
    Object.fromEntries(
      Object.entries(attributes).flatMap(([key, attribute]): [string, Attribute][] => {
        if (attribute.type !== 'reference') return [[key, attribute]];
        const value = node.attributes[attribute.value] ?? body.defaults[attribute.value];
        return value ? [[key, value]] : [];
      }),
    );
  const inner = body.nodes.map((n) => ({ ...n, attributes: given(n.attributes) }));
  const graph = { inputs: body.inputs.map((name) => ({ name })), initializers: new Map(), nodes: inner } as unknown as Graph;
  const scope = b.fresh(context.scope ? `${context.scope}/${node.name || body.name}` : node.name || body.name);
  copyNodes(b, topological(graph), names, { ...context, opsets: new Map([...context.opsets, ...body.opsets]), scope });
  return body.outputs.map((name) => names.get(name) ?? '');
}

/** An operator that cannot be differentiated, and the node that uses it. */
export interface Unsupported {
  readonly domain: string;
  readonly op: string;
  readonly node: string;
}

/**
 * Every node of a model whose operator has no rule, in the order of the graph; functions, branches and loops are looked into.
 * @returns `{ domain, op, node }` each; an empty list when the whole model can be differentiated
 */
export function unsupportedOps(model: Model): Unsupported[] {
  checkDecoded('model', model);
  const { functions } = contextOf(model);
  const found: Unsupported[] = [];
  const visit = (nodes: readonly Node[], open: readonly string[]): void => {
    for (const node of nodes) {
      const key = `${node.domain}.${node.op}`;
      const body = functions.get(key);
      if (body && !open.includes(key)) visit(body.nodes, [...open, key]);
      else if (isControl(node)) {
        for (const attribute of Object.values(node.attributes)) if (attribute.type === 'graph') visit(attribute.value.nodes, open);
      } else if (!ruleOf(node)) found.push({ domain: node.domain, op: node.op, node: where(node).node });
    }
  };
  visit(model.graph.nodes, []);
  return found;
}
