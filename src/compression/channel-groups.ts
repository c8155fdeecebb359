// Which channels of a graph hang together: a channel can only go everywhere at once, from what makes it through everything that carries it
// on to what reads it. Values are followed by their channel axis; what is not understood ties its channels down.
import { type Graph, type GraphTensor, intOf as integer, intsOf, type Node, numbersOf, reads } from '../onnx/graph.js';

/** Part of an initializer that belongs to the channels of a group: along `axis`, `repeat` places from `offset` for each channel. */
export interface ChannelSlice {
  readonly initializer: string;
  readonly axis: number;
  readonly offset: number;
  readonly repeat: number;
  /** Weights that make the channels, constants that go along with them, or weights that read them. */
  readonly role: 'makes' | 'carries' | 'reads';
  /** For weights that read: the value they read. */
  readonly value?: string;
}

/** Channels that must be kept or removed together. */
export interface ChannelGroup {
  readonly channels: number;
  readonly slices: ChannelSlice[];
  /** Depthwise convolutions over the group: their `group` attribute follows its size. */
  readonly depthwise: Node[];
  /** True where something that is not understood, or the caller, sees the channels. */
  fixed: boolean;
}

interface Cell extends ChannelGroup {
  /** The group this one was merged into. */
  into: Cell | undefined;
}

/** The channels along one axis of a value, in order; each takes `repeat` places (NaN after a Flatten, until a reader tells). */
interface Space {
  readonly rank: number;
  readonly axis: number;
  readonly parts: readonly { readonly cell: Cell; readonly repeat: number }[];
}

const carried = new Set(
  `Relu Sigmoid Tanh LeakyRelu Clip Elu Selu Celu HardSwish HardSigmoid Softplus Softsign Gelu Mish Identity Dropout Erf Exp Sqrt Abs Neg
   MaxPool AveragePool GlobalAveragePool GlobalMaxPool LpPool`.split(/\s+/),
);
const combined = new Set(['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Sum', 'Mean']);

/** The groups of channels of a graph, in the order of the nodes that make them. */
export function channelGroups(graph: Graph): ChannelGroup[] {
  return new Tracer(graph).trace();
}

class Tracer {
  readonly #graph: Graph;
  readonly #spaces = new Map<string, Space>();
  readonly #cells: Cell[] = [];
  readonly #readers = new Map<string, number>();

  constructor(graph: Graph) {
    this.#graph = graph;
    for (const node of graph.nodes) for (const name of reads(node)) this.#readers.set(name, (this.#readers.get(name) ?? 0) + 1);
  }

  trace(): ChannelGroup[] {
    for (const node of this.#graph.nodes) {
      const out = this.#visit(node);
      if (out) this.#spaces.set(node.outputs[0] as string, out);
    }
    for (const { name } of this.#graph.outputs) this.#fix(this.#spaces.get(name));
    const roots = [...new Set(this.#cells.map(root))];
    return roots.map(({ channels, slices, depthwise, fixed }) => ({ channels, slices, depthwise, fixed }));
  }

  /** The space of a node's first output; inputs that the node does not understand are tied down. */
  #visit(node: Node): Space | undefined {
    const { op, domain } = node;
    const spaces = node.inputs.map((name) => this.#spaces.get(name));
    const first = spaces[0];
    const out = domain === '' ? this.#handle(node, op, spaces, first) : undefined;
    if (!out) for (const name of reads(node)) this.#fix(this.#spaces.get(name));
    return out;
  }

  #handle(node: Node, op: string, spaces: (Space | undefined)[], first: Space | undefined): Space | undefined {
    if (op === 'Conv') return this.#conv(node, first);
    if (op === 'Gemm' || op === 'MatMul') return this.#product(node, first);
    if (op === 'Concat') return this.#concat(node, spaces);
    if (combined.has(op)) return this.#combine(node, spaces);
    if (!first) return undefined;
    if (op === 'BatchNormalization')
      return node.inputs.slice(1).every((name) => this.#slice(name, first, 0, 'carries')) ? first : undefined;
    if (op === 'Flatten' && integer(node, 'axis', 1) === 1 && first.axis === 1)
      return { rank: 2, axis: 1, parts: first.parts.map(({ cell }) => ({ cell, repeat: first.rank === 2 ? 1 : NaN })) };
    if (op === 'Reshape') return this.#flat(node, first);
    if (op === 'ReduceMean' || op === 'ReduceSum' || op === 'ReduceMax') return this.#reduced(node, first);
    if (op === 'PRelu') return this.#perChannel(node.inputs[1] as string, first) ? first : undefined;
    return carried.has(op) ? first : undefined;
  }

  #conv(node: Node, from: Space | undefined): Space | undefined {
    const [, weightName = '', biasName = ''] = node.inputs;
    const weight = this.#own(weightName);
    if (!weight) return undefined;
    const groups = integer(node, 'group', 1);
    const [out = 0, perGroup = 0] = weight.shape;
    if (groups > 1 && perGroup === 1 && groups === out && from?.parts.length === 1 && from.parts[0]?.repeat === 1) {
      if (!this.#slice(weightName, from, 0, 'carries') || (biasName && !this.#slice(biasName, from, 0, 'carries'))) return undefined;
      root((from.parts[0] as { cell: Cell }).cell).depthwise.push(node);
      return from;
    }
    if (from && (groups !== 1 || from.axis !== 1 || !this.#slice(weightName, from, 1, 'reads', node.inputs[0]))) this.#fix(from);
    const space = { rank: weight.shape.length, axis: 1, parts: [{ cell: this.#cell(out), repeat: 1 }] };
    if (groups !== 1 || !this.#slice(weightName, space, 0, 'makes') || (biasName && !this.#slice(biasName, space, 0, 'carries')))
      this.#fix(space);
    return space;
  }

  /** A Reshape to [kept, rest] is a Flatten. */
  #flat(node: Node, from: Space): Space | undefined {
    const target = this.#graph.initializers.get(node.inputs[1] as string);
    const shape = target && numbersOf(target);
    if (shape?.length !== 2 || shape[0] !== 0 || shape[1] !== -1 || from.axis !== 1) return undefined;
    return { rank: 2, axis: 1, parts: from.parts.map(({ cell }) => ({ cell, repeat: from.rank === 2 ? 1 : NaN })) };
  }

  /** Means and sums over axes behind that of the channels. */
  #reduced(node: Node, from: Space): Space | undefined {
    const given = this.#graph.initializers.get(node.inputs[1] ?? '');
    const axes = (given ? numbersOf(given) : intsOf(node, 'axes'))?.map((axis) => (axis < 0 ? axis + from.rank : axis));
    if (!axes?.length || axes.some((axis) => axis <= from.axis)) return undefined;
    return { ...from, rank: integer(node, 'keepdims', 1) ? from.rank : from.rank - axes.length };
  }

  /** Gemm and MatMul with a matrix of weights on the right. */
  #product(node: Node, from: Space | undefined): Space | undefined {
    const [, weightName = '', biasName = ''] = node.inputs;
    const weight = this.#own(weightName);
    const gemm = node.op === 'Gemm';
    if (weight?.shape.length !== 2 || (gemm && integer(node, 'transA', 0) !== 0)) return undefined;
    const outAxis = gemm && integer(node, 'transB', 0) === 1 ? 0 : 1;
    const rank = gemm ? 2 : (from?.rank ?? this.#graph.inputs.find(({ name }) => name === node.inputs[0])?.shape?.length);
    if (rank !== 2) {
      this.#fix(from);
      return undefined;
    }
    if (from && (from.axis !== 1 || !this.#slice(weightName, from, 1 - outAxis, 'reads', node.inputs[0]))) this.#fix(from);
    const space = { rank: 2, axis: 1, parts: [{ cell: this.#cell(weight.shape[outAxis] as number), repeat: 1 }] };
    const sliced = this.#slice(weightName, space, outAxis, 'makes') && (!biasName || this.#perChannel(biasName, space));
    if (!sliced) this.#fix(space);
    return space;
  }

  #concat(node: Node, spaces: (Space | undefined)[]): Space | undefined {
    const known = spaces.filter((space) => space !== undefined);
    const axis = integer(node, 'axis', 1);
    if (known.length !== spaces.length || known.some((s) => s.axis !== axis || s.rank !== known[0]?.rank)) return undefined;
    return { rank: known[0]?.rank as number, axis, parts: known.flatMap(({ parts }) => parts) };
  }

  /** Sums and products: equal channels of the operands become one; constants are cut with them. */
  #combine(node: Node, spaces: (Space | undefined)[]): Space | undefined {
    const known = spaces.filter((space) => space !== undefined);
    const first = known[0];
    if (!first) return undefined;
    for (const [i, name] of node.inputs.entries()) {
      const space = spaces[i];
      if (!space && !(this.#graph.initializers.has(name) && this.#perChannel(name, first))) return undefined;
    }
    for (const other of known) {
      const fits = other.rank === first.rank && other.axis === first.axis && other.parts.length === first.parts.length;
      if (!fits) return undefined;
      for (const [p, part] of other.parts.entries()) {
        const mine = first.parts[p] as Space['parts'][number];
        if (root(part.cell).channels !== root(mine.cell).channels || !Object.is(part.repeat, mine.repeat)) return undefined;
      }
    }
    for (const other of known) for (const [p, part] of other.parts.entries()) merge((first.parts[p] as { cell: Cell }).cell, part.cell);
    return first;
  }

  /** A constant that meets a space by broadcasting: cut along the channel axis where it has it, left alone where it has extent 1 there. */
  #perChannel(name: string, space: Space): boolean {
    const shape = this.#graph.initializers.get(name)?.shape;
    if (!shape || shape.length > space.rank) return false;
    const axis = space.axis - (space.rank - shape.length);
    if (axis < 0 || shape[axis] === 1) return true;
    return this.#slice(name, space, axis, 'carries');
  }

  /** Notes that `axis` of an initializer holds the channels of a space. False, and nothing noted, where the extents do not agree. */
  #slice(initializer: string, space: Space, axis: number, role: ChannelSlice['role'], value?: string): boolean {
    const extent = this.#own(initializer)?.shape[axis];
    if (extent === undefined) return false;
    const known = space.parts.reduce((sum, { cell, repeat }) => sum + (Number.isNaN(repeat) ? 0 : root(cell).channels * repeat), 0);
    const open = space.parts.filter(({ repeat }) => Number.isNaN(repeat)).reduce((sum, { cell }) => sum + root(cell).channels, 0);
    const repeat = open ? (extent - known) / open : 0;
    if (open ? !(Number.isInteger(repeat) && repeat > 0) : extent !== known) return false;
    let offset = 0;
    for (const part of space.parts) {
      const cell = root(part.cell);
      const each = Number.isNaN(part.repeat) ? repeat : part.repeat;
      cell.slices.push({ initializer, axis, offset, repeat: each, role, ...(value && { value }) });
      offset += cell.channels * each;
    }
    return true;
  }

  /** An initializer that only one node reads. */
  #own(name: string): GraphTensor | undefined {
    return this.#readers.get(name) === 1 ? this.#graph.initializers.get(name) : undefined;
  }

  #cell(channels: number): Cell {
    const cell: Cell = { channels, slices: [], depthwise: [], fixed: false, into: undefined };
    this.#cells.push(cell);
    return cell;
  }

  #fix(space: Space | undefined): void {
    for (const { cell } of space?.parts ?? []) root(cell).fixed = true;
  }
}

function root(cell: Cell): Cell {
  let at = cell;
  while (at.into) at = at.into;
  return at;
}

function merge(a: Cell, b: Cell): void {
  const [into, from] = [root(a), root(b)];
  if (into === from) return;
  from.into = into;
  into.slices.push(...from.slices);
  into.depthwise.push(...from.depthwise);
  into.fixed ||= from.fixed;
}
