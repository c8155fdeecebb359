// Tensors with many zeros as one bit a number and the numbers that are not zero; nodes put them together when the file is loaded.
import { DomainError, GraphError } from '../core/errors.js';
import { sizeOf } from '../core/tensor.js';
import {
  type Attribute,
  arrayOf,
  checkDecoded,
  type ElementType,
  elementCode,
  type Graph,
  type GraphTensor,
  graphTensor,
  type Model,
  type Node,
} from './graph.js';

/** Names of what belongs to the packed form start with it. */
const stem = 'afterpass.compact';
/** Element types that are packed, each in a stream of its own. */
const types: readonly ElementType[] = ['float32', 'int8'];
/** Bytes that a tensor's own nodes and names take, about; and those of a stream. */
const [perTensor, perStream] = [160, 700];

type Named = readonly [name: string, tensor: GraphTensor];

/**
 * A copy of a model whose tensors with many zeros are stored as a bit for each number and the others in a row: 1 + 32·(share that is
 * not zero) bits for each float32, at any pattern of zeros: 53 % of the bytes at 2:4, 13 % at a tenth. Standard operators put the
 * tensors together, which runtimes do once, when they load the file; results keep their bits (a zero with a sign loses it).
 * `OnnxModel.open` and `expandModel` read such a file as the model it was made from.
 *
 * @param model a decoded model in ai.onnx 13 or later; it is left as it was
 * @returns `model`, and the names of the `tensors` that are packed: those of float32 or int8 that get smaller
 * @throws {GraphError} when the operator set is too old; {DomainError} when the model is compact already
 */
export function compactModel(model: Model): { model: Model; tensors: string[] } {
  checkDecoded('model', model);
  const opset = model.opsets.get('') ?? 0;
  if (opset < 13) throw new GraphError(`model: expected ai.onnx 13 or later for a compact file, got ${opset}`);
  const graph = model.graph.clone();
  if (types.some((type) => graph.initializers.has(part(type, 'bits'))))
    throw new DomainError('model: expected a plain one, got a compact one');
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const tensors: string[] = [];
  for (const type of types) {
    const some = [...graph.initializers].filter(
      ([name, tensor]) => tensor.type === type && !outputs.has(name) && saved(tensor) > perTensor,
    );
    if (some.reduce((sum, [, tensor]) => sum + saved(tensor) - perTensor, 0) < perStream) continue;
    graph.nodes = [...pack(graph, type, some), ...graph.nodes];
    tensors.push(...some.map(([name]) => name));
  }
  return { model: { ...model, irVersion: Math.max(4, model.irVersion), metadata: new Map(model.metadata), graph }, tensors };
}

/** The model with packed tensors as initializers again; any other model as it is. */
export function expandModel(model: Model): Model {
  checkDecoded('model', model);
  if (!types.some((type) => model.graph.initializers.has(part(type, 'bits')))) return model;
  const graph = model.graph.clone();
  for (const type of types) {
    const [bits, values] = [graph.initializers.get(part(type, 'bits')), graph.initializers.get(part(type, 'values'))];
    const split = graph.nodes.find(({ inputs }) => inputs[0] === part(type, 'dense'));
    if (!bits || !values || !split) continue;
    let [at, taken] = [0, 1];
    for (const piece of split.outputs) {
      const node = graph.nodes.find(({ inputs }) => inputs[0] === piece);
      if (!node) continue; // what fills the last byte
      const shape = Array.from(graph.initializers.get(node.inputs[1] as string)?.data as BigInt64Array, Number);
      const data = arrayOf(type, sizeOf(shape)) as Float32Array;
      for (let i = 0; i < data.length; i++, at++) {
        if (((bits.data[at >> 3] as number) >> (at & 7)) & 1) data[i] = values.data[taken++] as number;
      }
      graph.initializers.set(node.outputs[0] as string, { type, data, shape });
    }
  }
  const own = (name: string): boolean => name.startsWith(`${stem}.`);
  graph.nodes = graph.nodes.filter(({ name }) => !own(name));
  for (const name of graph.initializers.keys()) if (own(name)) graph.initializers.delete(name);
  return { ...model, graph };
}

function part(type: ElementType, what: string): string {
  return `${stem}.${type}.${what}`;
}

/** Bytes that packing takes off a tensor, before its nodes. */
function saved({ data }: GraphTensor): number {
  let zeros = 0;
  for (let i = 0; i < data.length; i++) if (data[i] === 0) zeros++;
  return zeros * data.BYTES_PER_ELEMENT - data.length / 8;
}

/** Replaces tensors of one type by a stream of bits, one of values, and the nodes that make them again; returns these. */
function pack(graph: Graph, type: ElementType, some: readonly Named[]): Node[] {
  const total = some.reduce((sum, [, { data }]) => sum + data.length, 0);
  const bits = new Uint8Array(Math.ceil(total / 8));
  const values = [0]; // what a bit that is not set picks
  let at = 0;
  for (const [, { data }] of some) {
    for (let i = 0; i < data.length; i++, at++) {
      if (data[i] === 0) continue;
      bits[at >> 3] = (bits[at >> 3] as number) | (1 << (at & 7));
      values.push(data[i] as number);
    }
  }
  const name = (what: string): string => part(type, what);
  const constant = (what: string, kind: ElementType, numbers: ArrayLike<number>, shape?: readonly number[]): string => {
    graph.initializers.set(name(what), graphTensor(kind, numbers, shape));
    return name(what);
  };
  const nodes: Node[] = [];
  const node = (op: string, inputs: string[], outputs: string[], attributes: Record<string, Attribute> = {}): string => {
    nodes.push({ op, domain: '', name: outputs[0] as string, inputs, outputs, attributes });
    return outputs[0] as string;
  };
  const places = constant('places', 'uint8', [0, 1, 2, 3, 4, 5, 6, 7], [1, 8]);
  const rows = constant('bits', 'uint8', bits, [bits.length, 1]);
  const shifted = node('BitShift', [rows, places], [name('shifted')], { direction: { type: 'string', value: 'RIGHT' } });
  const kept = node('Mod', [shifted, constant('two', 'uint8', [2], [])], [name('kept')]);
  const line = node('Reshape', [kept, constant('line', 'int64', [-1])], [name('flat')]);
  const steps = node('Cast', [line], [name('steps')], { to: { type: 'int', value: elementCode('int32') } });
  // Which of the values it is: counted, as runtimes do not compute ahead what has no known size (NonZero).
  const counts = node('CumSum', [steps, constant('axis', 'int32', [0], [])], [name('counts')]);
  const where = node('Mul', [counts, steps], [name('where')]);
  const dense = node('Gather', [constant('values', type, values), where], [name('dense')]);
  const sizes = some.map(([, { data }]) => data.length);
  const rest = 8 * bits.length - total;
  const pieces = some.map((_, i) => name(`piece.${i}`));
  if (rest > 0) node('Split', [dense, constant('sizes', 'int64', [...sizes, rest])], [...pieces, name('rest')]);
  else node('Split', [dense, constant('sizes', 'int64', sizes)], pieces);
  for (const [i, [tensor, { shape }]] of some.entries()) {
    graph.initializers.delete(tensor);
    graph.sparse.delete(tensor);
    graph.inputs = graph.inputs.filter((info) => info.name !== tensor);
    node('Reshape', [pieces[i] as string, constant(`shape.${i}`, 'int64', shape)], [tensor]);
    (nodes.at(-1) as Node).name = name(`tensor.${i}`);
  }
  return nodes;
}
