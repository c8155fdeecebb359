// Writes graphs: every emitted node is simplified, shared with an equal one, and typed at once, so that rules can ask for shapes.
import { GraphError } from '../core/errors.js';
import { sizeOf } from '../core/tensor.js';
import { factorsOf, isStatic, product, sameShape } from './dims.js';
import { foldNode } from './fold.js';
import { type Attribute, type Dim, type ElementType, type GraphTensor, graphTensor, type Node, where } from './graph.js';
import { ruleOf } from './ops/index.js';
import { floatTensor, type Value, Values } from './values.js';

export { floatTensor, isFloat, typeOfTensor, type Value, type ValueType } from './values.js';

/** Attributes as plain values: numbers are ints (floats under `f`), arrays ints, strings strings. */
export type Attributes = Readonly<Record<string, Attribute | number | string | readonly number[]>>;

/** Constants of this many numbers at most are shared with equal ones. */
const shared = 4096;

/** Emitted nodes have the form of this operator set; `finish` lowers them where a model asks for less. */
const latest = 18;

/** A float attribute; plain numbers in `Attributes` are ints. */
export function float(value: number): Attribute {
  return { type: 'float', value };
}

/**
 * Writes a graph node by node: `op` and `emit` simplify what they are asked for, return the outputs of an equal node that is there
 * already, fold small constants and type the result at once; the other methods are operators by their usual names.
 */
export class Builder extends Values {
  readonly #shared = new Map<string, Value[]>();
  readonly #constants = new Map<string, Value>();

  /** A constant tensor; equal small ones are shared. */
  constant(tensor: GraphTensor, stem = 'const'): Value {
    const small = tensor.data.length <= shared && tensor.type !== 'string';
    const key = small
      ? `${tensor.type}[${tensor.shape}]${Array.from(tensor.data as ArrayLike<number>, (x) => (Object.is(x, -0) ? '-0' : String(x)))}`
      : '';
    const known = small ? this.#constants.get(key) : undefined;
    if (known) return known;
    const name = this.initializer(this.fresh(stem), tensor);
    if (small) this.#constants.set(key, name);
    return name;
  }

  /** An int64 vector. */
  ints(values: readonly number[]): Value {
    return this.constant(graphTensor('int64', values));
  }

  /** A scalar of the element type of `like`. */
  scalar(like: Value, value: number): Value {
    return this.constant(floatTensor(this.elementType(like), [value], []));
  }

  /** Emits a node and returns its outputs. Simplified and repeated nodes return what is there already. */
  emit(op: string, inputs: readonly Value[], attributes: Attributes = {}, count = 1): Value[] {
    const node: Node = { op, domain: '', name: '', inputs: [...inputs], outputs: [], attributes: attributesOf(attributes) };
    return this.place(node, count);
  }

  /** Places a node: `outputs` given are kept as names if it is new. */
  place(node: Node, count = node.outputs.length, opset = latest): Value[] {
    while (node.inputs.at(-1) === '') node.inputs.pop();
    const rule = ruleOf(node);
    if (!rule) throw new GraphError(`${where(node).node}: expected an operator with a rule, got ${where(node).op}`, where(node));
    const simpler = rule.expand?.(node, this, opset) ?? rule.simplify?.(node, this);
    if (simpler) return simpler;
    const key = keyOf(node, count);
    const known = key === undefined ? undefined : this.#shared.get(key);
    if (known) return known;
    const types = rule.infer(node, this);
    const folded = foldNode(node, types, this);
    if (folded) {
      const values = folded.map((tensor) => this.constant(tensor));
      if (key !== undefined) this.#shared.set(key, values);
      return values;
    }
    if (!node.outputs.length) for (let i = 0; i < count; i++) node.outputs.push(this.fresh(node.op));
    if (!node.name) node.name = node.outputs[0]!;
    this.append(node, types);
    if (key !== undefined) this.#shared.set(key, node.outputs);
    return node.outputs;
  }

  /** Emits a node with one output. */
  op(op: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.emit(op, inputs, attributes)[0]!;
  }

  add = (a: Value, b: Value): Value => this.op('Add', [a, b]);
  sub = (a: Value, b: Value): Value => this.op('Sub', [a, b]);
  mul = (a: Value, b: Value): Value => this.op('Mul', [a, b]);
  div = (a: Value, b: Value): Value => this.op('Div', [a, b]);
  neg = (a: Value): Value => this.op('Neg', [a]);
  matmul = (a: Value, b: Value): Value => this.op('MatMul', [a, b]);
  /** a · number */
  scale = (a: Value, factor: number): Value => this.op('Mul', [a, this.scalar(a, factor)]);

  /** The sum of values that may be absent; undefined when all are. */
  sum(...terms: (Value | undefined)[]): Value | undefined {
    return terms.reduce((a, b) => (a !== undefined && b !== undefined ? this.add(a, b) : (a ?? b)), undefined);
  }

  cast(x: Value, type: ElementType): Value {
    return this.op('Cast', [x], { to: codeOf(type) });
  }

  transpose(x: Value, perm: readonly number[]): Value {
    return this.op('Transpose', [x], { perm });
  }

  reduceSum(x: Value, axes: readonly number[], keepdims = false): Value {
    return axes.length ? this.op('ReduceSum', [x, this.ints(axes)], { keepdims: keepdims ? 1 : 0 }) : x;
  }

  unsqueeze(x: Value, axes: readonly number[]): Value {
    return axes.length ? this.op('Unsqueeze', [x, this.ints(axes)]) : x;
  }

  squeeze(x: Value, axes: readonly number[]): Value {
    return axes.length ? this.op('Squeeze', [x, this.ints(axes)]) : x;
  }

  /** x[starts:ends:steps] along axes. */
  slice(x: Value, axes: readonly number[], starts: readonly number[], ends: readonly number[], steps?: readonly number[]): Value {
    return this.op('Slice', [x, this.ints(starts), this.ints(ends), this.ints(axes), ...(steps ? [this.ints(steps)] : [])]);
  }

  concat(parts: readonly Value[], axis: number): Value {
    return this.op('Concat', parts, { axis });
  }

  /** Reverses x along axes. */
  flip(x: Value, axes: readonly number[]): Value {
    const turned = axes.filter((axis) => this.shape(x)[axis] !== 1);
    if (!turned.length) return x;
    return this.slice(
      x,
      turned,
      turned.map(() => -1),
      turned.map(() => -(2 ** 31)),
      turned.map(() => -1),
    );
  }

  /** The shape of a value as an int64 vector: a constant when known. */
  shapeOf(x: Value): Value {
    return this.op('Shape', [x]);
  }

  /** Extents as an int64 vector, read at run time where they are names. */
  extents(dims: readonly Dim[]): Value {
    if (isStatic(dims)) return this.ints(dims);
    const parts = dims.map((dim) => this.#extent(dim));
    return this.concat(parts, 0);
  }

  #extent(dim: Dim): Value {
    const { factor, names } = factorsOf(dim);
    let result: Value | undefined = factor === 1 && names.length ? undefined : this.ints([factor]);
    for (const name of names) {
      const source = this.placeOf(name, dim);
      const extent = this.op('Gather', [this.shapeOf(source.value), this.ints([source.axis])], { axis: 0 });
      result = result === undefined ? extent : this.mul(result, extent);
    }
    return result!;
  }

  /** x with another shape of as many elements. */
  reshape(x: Value, dims: readonly Dim[]): Value {
    const from = this.shape(x);
    if (sameShape(from, dims)) return x;
    const unknown = dims.filter((dim) => typeof dim === 'string').length;
    if (unknown === 0 && !dims.includes(0)) return this.op('Reshape', [x, this.ints(dims as number[])]);
    const kept = dims.map((dim, axis) => (typeof dim === 'string' && dim === from[axis] ? 0 : dim));
    const left = kept.filter((dim) => typeof dim === 'string').length;
    if (!dims.includes(0)) {
      if (unknown === 1) return this.op('Reshape', [x, this.ints(dims.map((dim) => (typeof dim === 'string' ? -1 : dim)))]);
      if (left <= 1) return this.op('Reshape', [x, this.ints(kept.map((dim) => (typeof dim === 'string' ? -1 : dim)))]);
    }
    return this.op('Reshape', [x, this.extents(dims)], { allowzero: 1 });
  }

  /** x repeated to a shape. */
  expand(x: Value, dims: readonly Dim[]): Value {
    return sameShape(this.shape(x), dims) ? x : this.op('Expand', [x, this.extents(dims)]);
  }

  /** Sums x, of a broadcast shape, back to the shape of one operand. */
  unbroadcast(x: Value, to: readonly Dim[]): Value {
    const from = this.shape(x);
    const extra = from.length - to.length;
    const axes = from.map((_, axis) => axis).filter((axis) => axis < extra || (to[axis - extra] === 1 && from[axis] !== 1));
    const summed = this.reduceSum(
      x,
      axes,
      axes.some((axis) => axis >= extra),
    );
    return this.rank(summed) === to.length
      ? summed
      : this.squeeze(
          summed,
          axes.filter((axis) => axis < extra),
        );
  }

  /** Zeros like a value. */
  zerosLike(x: Value): Value {
    const shape = this.shape(x);
    const type = this.elementType(x);
    if (isStatic(shape) && sizeOf(shape) <= 64) return this.constant(floatTensor(type, new Float64Array(sizeOf(shape)), shape));
    return this.expand(this.scalar(x, 0), shape);
  }

  /** d divided by the number of elements of x along axes. */
  shareOf(d: Value, x: Value, axes: readonly number[]): Value {
    const size = product(axes.map((axis) => this.shape(x)[axis]!));
    return typeof size === 'number' ? this.scale(d, 1 / size) : this.div(d, this.count(x, axes, d));
  }

  /** The number of elements along axes as a scalar of the type of `like`: a constant when known. */
  count(x: Value, axes: readonly number[], like: Value): Value {
    const dims = axes.map((axis) => this.shape(x)[axis]!);
    const size = product(dims);
    if (typeof size === 'number') return this.scalar(like, size);
    return this.op('Squeeze', [this.cast(this.#extent(size), this.elementType(like)), this.ints([0])]);
  }
}

const codes: Partial<Record<ElementType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
};

function codeOf(type: ElementType): number {
  return codes[type] ?? 0;
}

function attributesOf(attributes: Attributes): Record<string, Attribute> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]): [string, Attribute] => {
      if (typeof value === 'number') return [name, { type: 'int', value }];
      if (typeof value === 'string') return [name, { type: 'string', value }];
      return [name, Array.isArray(value) ? { type: 'ints', value: value as readonly number[] } : (value as Attribute)];
    }),
  );
}

/** What makes two nodes the same; undefined for nodes that hold tensors or graphs. */
function keyOf({ op, domain, inputs, attributes }: Node, count: number): string | undefined {
  const parts = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  if (parts.some(([, { type }]) => type.startsWith('tensor') || type.startsWith('graph'))) return undefined;
  return `${domain}.${op}/${count}(${inputs})${JSON.stringify(parts)}`;
}
