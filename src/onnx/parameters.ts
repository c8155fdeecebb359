// Which initializers are parameters: what feeds a weight, a bias or a scale on the way to the output.
import { asRecord } from '../core/check.js';
import type { ParameterSlot } from '../core/model-types.js';
import { sizeOf } from '../core/tensor.js';
import { isFloat } from './builder.js';
import type { Model, Node } from './graph.js';
import { checkDecoded, reads } from './graph.js';

type Role = ParameterSlot['role'];

/** The role an operator gives to each of its inputs. */
const roles: Readonly<Record<string, readonly (Role | undefined)[]>> = {
  Conv: [undefined, 'weight', 'bias'],
  ConvTranspose: [undefined, 'weight', 'bias'],
  Gemm: ['weight', 'weight', 'bias'],
  MatMul: ['weight', 'weight'],
  FusedMatMul: ['weight', 'weight'],
  Einsum: ['weight', 'weight', 'weight'],
  Gather: ['weight'],
  LSTM: [undefined, 'weight', 'weight', 'bias', undefined, 'other', 'other', 'other'],
  GRU: [undefined, 'weight', 'weight', 'bias', undefined, 'other'],
  RNN: [undefined, 'weight', 'weight', 'bias', undefined, 'other'],
  BatchNormalization: [undefined, 'scale', 'bias'],
  InstanceNormalization: [undefined, 'scale', 'bias'],
  LayerNormalization: [undefined, 'scale', 'bias'],
  SkipLayerNormalization: [undefined, undefined, 'scale', 'bias', 'bias'],
  SimplifiedLayerNormalization: [undefined, 'scale'],
  GroupNormalization: [undefined, 'scale', 'bias'],
  BiasGelu: [undefined, 'bias'],
  Attention: [undefined, 'weight', 'bias'],
  PRelu: [undefined, 'other'],
  Add: ['bias', 'bias'],
  Sub: ['bias', 'bias'],
  Mul: ['scale', 'scale'],
  Div: [undefined, 'scale'],
};
/** Operators that hand a parameter on in another shape. */
const passes = new Set([
  'Identity',
  'Reshape',
  'Transpose',
  'Squeeze',
  'Unsqueeze',
  'Flatten',
  'Expand',
  'Cast',
  'Slice',
  'Split',
  'Concat',
  'Tile',
  'DequantizeLinear',
]);

/**
 * The parameters of a model in the order of the file, with offsets into the flat vector: float initializers of more than one element
 * that reach the output and feed a weight, a bias, or a norm's scale or bias; not running statistics, not constants.
 */
export function parameterSlots(model: Model, options: { of?: string; wrt?: readonly string[] } = {}): ParameterSlot[] {
  const { of, wrt } = asRecord('options', options);
  checkDecoded('model', model);
  const { graph } = model;
  const reached = reaching(graph.nodes, of === undefined ? graph.outputs.map(({ name }) => name) : [of]);
  const users = new Map<string, { node: Node; at: number }[]>();
  const note = (nodes: Iterable<Node>): void => {
    for (const node of nodes) {
      node.inputs.forEach((name, at) => {
        users.set(name, [...(users.get(name) ?? []), { node, at }]);
      });
      // Bodies of If, Loop and Scan read initializers of the graph around them by name.
      for (const attribute of Object.values(node.attributes)) if (attribute.type === 'graph') note(attribute.value.nodes);
    }
  };
  note(graph.nodes.filter((node) => reached.has(node)));
  const find = (name: string): { node: Node; role: Role } | undefined => {
    for (const { node, at } of users.get(name) ?? []) {
      const role = roles[node.op]?.[at];
      if (role) return { node, role };
      // Exported LSTMs join the weights of both directions: every input of a Concat is handed on.
      const handed = passes.has(node.op) && (at === 0 || node.op === 'Concat');
      const further = handed && node.outputs[0] ? find(node.outputs[0]) : undefined;
      if (further) return further;
    }
    return undefined;
  };
  let offset = 0;
  const slots: ParameterSlot[] = [];
  for (const [name, { type, shape }] of graph.initializers) {
    if (wrt && !wrt.includes(name)) continue;
    const found = find(name);
    if (!wrt && !(found && isFloat(type) && sizeOf(shape) > 1)) continue;
    const user = found?.node ?? users.get(name)?.[0]?.node;
    slots.push({ name, node: user?.name ?? '', opType: user?.op ?? '', role: found?.role ?? 'other', shape, offset });
    offset += sizeOf(shape);
  }
  return slots;
}

function reaching(nodes: readonly Node[], outputs: readonly string[]): Set<Node> {
  const wanted = new Set(outputs);
  const found = new Set<Node>();
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!;
    if (!node.outputs.some((name) => wanted.has(name))) continue;
    found.add(node);
    for (const name of reads(node)) wanted.add(name);
  }
  return found;
}
