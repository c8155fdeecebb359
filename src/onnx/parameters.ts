// Which initializers of a model are its parameters, and where each sits in the flat vector.
import { DomainError } from '../core/errors.js';
import type { ParameterSlot } from '../core/model-types.js';
import { sizeOf } from '../core/tensor.js';
import type { Graph, Node } from './graph.js';
import { reads, where } from './graph.js';

type Role = ParameterSlot['role'];

const norms: readonly Role[] = ['other', 'scale', 'bias']; // what follows are running statistics: not parameters
const recurrent: readonly Role[] = ['other', 'weight', 'weight', 'bias'];
/** The role of each input of operators that hold parameters; inputs past the list hold none. */
const rolesOf: Readonly<Record<string, readonly Role[]>> = {
  Conv: ['weight', 'weight', 'bias'],
  ConvTranspose: ['weight', 'weight', 'bias'],
  Gemm: ['weight', 'weight', 'bias'],
  MatMul: ['weight', 'weight'],
  Gather: ['weight'],
  RNN: recurrent,
  LSTM: recurrent,
  GRU: recurrent,
  Add: ['bias', 'bias'],
  BatchNormalization: norms,
  InstanceNormalization: norms,
  LayerNormalization: norms,
  SimplifiedLayerNormalization: norms,
  RMSNormalization: norms,
  GroupNormalization: norms,
  SkipLayerNormalization: ['other', 'other', 'scale', 'bias'],
  PRelu: ['other', 'weight'],
};
/** Operators that only rearrange a parameter on its way to the one that uses it. */
const passing = new Set(['Identity', 'Transpose', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Cast', 'Expand']);
const floatTypes = new Set(['float32', 'float64', 'float16', 'bfloat16']);

/**
 * The parameters of a graph: float initializers of more than one element from which `output` is computed and that are a weight of
 * Conv, ConvTranspose, Gemm, MatMul, Einsum, a recurrent operator or Gather, a bias, or the scale or bias of a normalization.
 *
 * @param wrt `'all'` for every float initializer that reaches the output, or a list of names in place of the rule
 * @returns slots in the order of the file's initializers, with the first node that uses each
 * @throws {DomainError} when a name of `wrt` is no float initializer that reaches the output
 */
export function findParameters(graph: Graph, output: string, wrt?: 'all' | readonly string[]): ParameterSlot[] {
  const users = usersOf(graph, output);
  const float = (name: string): boolean => floatTypes.has(graph.initializers.get(name)?.type ?? '');
  if (wrt !== undefined && wrt !== 'all') {
    for (const name of wrt) {
      if (!float(name)) throw new DomainError(`wrt: expected names of float initializers, got '${name}'`);
      if (!users.has(name)) throw new DomainError(`wrt: expected initializers that '${output}' is computed from, got '${name}'`);
    }
  }
  const slots: ParameterSlot[] = [];
  let offset = 0;
  for (const [name, tensor] of graph.initializers) {
    if (!float(name) || !users.has(name)) continue;
    const use = useOf(name, users);
    const wanted = wrt === undefined ? use.role !== 'other' && sizeOf(tensor.shape) > 1 : wrt === 'all' || wrt.includes(name);
    if (!wanted) continue;
    slots.push({ name, node: where(use.node).node, opType: use.node.op, role: use.role, shape: tensor.shape, offset });
    offset += sizeOf(tensor.shape);
  }
  return slots;
}

/** The nodes that read each value and from which the output is computed. */
function usersOf(graph: Graph, output: string): Map<string, Node[]> {
  const reached = new Set([output]);
  const users = new Map<string, Node[]>();
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i] as Node;
    if (!node.outputs.some((name) => reached.has(name))) continue;
    for (const name of reads(node)) {
      reached.add(name);
      users.set(name, [node, ...(users.get(name) ?? [])]);
    }
  }
  return users;
}

/** The first use of a value that makes it a parameter, through operators that only rearrange it; else its first use. */
function useOf(name: string, users: ReadonlyMap<string, readonly Node[]>): { node: Node; role: Role } {
  let first: Node | undefined;
  for (const node of users.get(name) ?? []) {
    first ??= node;
    const passed = passing.has(node.op) && node.inputs[0] === name && node.outputs.some((out) => users.has(out));
    const use = passed ? useOf(node.outputs[0] as string, users) : { node, role: roleIn(node, name, users) };
    if (use.role !== 'other') return use;
  }
  return { node: first as Node, role: 'other' };
}

function roleIn(node: Node, name: string, users: ReadonlyMap<string, readonly Node[]>): Role {
  if (node.op === 'Einsum') return 'weight';
  // An exported LayerNorm: x / √var · scale + bias, in nodes of its own.
  if (node.op === 'Mul') return (users.get(node.outputs[0] as string) ?? []).some(({ op }) => op === 'Add') ? 'scale' : 'other';
  return rolesOf[node.op]?.[node.inputs.indexOf(name)] ?? 'other';
}
