// Writes graphs: every emitted node is simplified, shared with an equal one, and typed at once, so that rules can ask for shapes.
import { GraphError } from '../core/errors.js';
import { sizeOf } from '../core/tensor.js';
import { factorsOf, isStatic, product, sameShape, symbol } from './dims.js';
import { foldNode } from './fold.js';
import { type Attribute, type Dim, type ElementType, Graph, type GraphTensor, graphTensor, type Node, numbersOf, where } from './graph.js';
import { ruleOf } from './ops/index.js';

/** The name of a value in the graph under construction. */
export type Value = string;

/** What is known of a value before it is computed. */
export interface ValueType {
  readonly type: ElementType;
  readonly shape?: readonly Dim[] | undefined;
  /** Elements of a small integer tensor (shapes, axes), where they are known or are extents. */
  readonly value?: readonly Dim[] | undefined;
}

/** Attributes as plain values: numbers are ints (floats under `f`), arrays ints, strings strings. */
export type Attributes = Readonly<Record<string, Attribute | number | string | readonly number[]>>;

/** Integer tensors up to this many elements are followed through shape arithmetic. */
const followed = 256;

/** Emitted nodes have the form of this operator set; `finish` lowers them where a model asks for less. */
const latest = 18;

/** A float attribute; plain numbers in `Attributes` are ints. */
export function float(value: number): Attribute {
  return { type: 'float', value };
}

/** True for the types derivatives flow through. */
export function isFloat(type: ElementType): boolean {
  return type === 'float32' || type === 'float64' || type === 'float16' || type === 'bfloat16';
}

export class Builder {
  readonly graph = new Graph();
  readonly types = new Map<Value, ValueType>();
  readonly #shared = new Map<string, Value[]>();
  readonly #constants = new Map<string, Value>();
  readonly #taken = new Set<string>();
  readonly #symbols = new Map<string, { value: Value; axis: number }>();
  readonly #running = new Set<Value>();
  readonly #makers = new Map<Value, Node>();
  #count = 0;

  /** Declares a graph input and returns its name. */
  input(name: string, type: ElementType, shape: readonly Dim[] | undefined): Value {
    const dims = shape?.map((extent) => (typeof extent === 'string' ? symbol(extent) : extent));
    this.#taken.add(name);
    this.graph.inputs.push({ name, type, shape: dims });
    this.#running.add(name);
    this.describe(name, { type, shape: dims });
    return name;
  }

  /** Adds an initializer under its own name. */
  initializer(name: string, tensor: GraphTensor): Value {
    this.#taken.add(name);
    this.graph.initializers.set(name, tensor);
    this.describe(name, typeOfTensor(tensor));
    return name;
  }

  /** Marks a value as graph output, under a name of its own when given. */
  output(value: Value, name: string = value): Value {
    let made = value;
    if (name !== value || this.graph.outputs.some((o) => o.name === value) || !this.#madeByNode(value)) {
      if (this.types.has(name)) throw new GraphError(`output: expected a new name, got '${name}'`);
      this.#taken.add(name);
      this.graph.nodes.push({ op: 'Identity', domain: '', name: this.fresh('Identity'), inputs: [value], outputs: [name], attributes: {} });
      this.types.set(name, this.types.get(value)!);
      made = name;
    }
    const { type, shape } = this.type(made);
    this.graph.outputs.push({ name: made, type, shape });
    return made;
  }

  #madeByNode(value: Value): boolean {
    return !this.graph.initializers.has(value) && !this.graph.inputs.some(({ name }) => name === value);
  }

  /** Reserves names that later nodes will carry (those of a model being copied in). */
  reserve(names: Iterable<string>): void {
    for (const name of names) this.#taken.add(name);
  }

  /** A name nobody has: `stem`, or `stem_k`. */
  fresh(stem: string): string {
    let name = stem;
    while (this.#taken.has(name)) name = `${stem}_${++this.#count}`;
    this.#taken.add(name);
    return name;
  }

  /** Records what is known of a value. */
  describe(name: Value, type: ValueType): void {
    this.types.set(name, type);
    type.shape?.forEach((extent, axis) => {
      if (
        typeof extent === 'string' &&
        factorsOf(extent).names.length === 1 &&
        factorsOf(extent).factor === 1 &&
        !this.#symbols.has(extent)
      ) {
        this.#symbols.set(extent, { value: name, axis });
      }
    });
  }

  /** What is known of a value. @throws {GraphError} for a name nothing makes */
  type(name: Value): ValueType {
    const type = this.types.get(name);
    if (!type) throw new GraphError(`${name}: expected a value of the graph, got an unknown name`);
    return type;
  }

  elementType(name: Value): ElementType {
    return this.type(name).type;
  }

  /** The shape of a value. @throws {GraphError} when not even its rank is known */
  shape(name: Value): readonly Dim[] {
    const { shape } = this.type(name);
    if (!shape) throw new GraphError(`${name}: expected a value of known rank, got one whose shape depends on data`);
    return shape;
  }

  rank(name: Value): number {
    return this.shape(name).length;
  }

  /** The shape as numbers. @throws {GraphError} naming the value when an extent is unknown; `from` skips leading axes */
  staticShape(name: Value, from = 0): number[] {
    const shape = this.shape(name).slice(from);
    if (!isStatic(shape))
      throw new GraphError(`${name}: expected known extents, got [${this.shape(name).join(', ')}]; fix the input's shape`);
    return [...shape];
  }

  /** The tensor of an initializer, or undefined for computed values. */
  constantOf(name: Value): GraphTensor | undefined {
    return this.graph.initializers.get(name);
  }

  /** The only number of a constant whose elements are all equal, else undefined. */
  splatOf(name: Value): number | undefined {
    const tensor = this.constantOf(name);
    if (!tensor || tensor.data.length === 0 || tensor.data.length > 65536 || this.#isParameter(name)) return undefined;
    const first = tensor.data[0];
    return (tensor.data as ArrayLike<number | bigint> & { every(f: (x: unknown) => boolean): boolean }).every((x) => x === first)
      ? Number(first)
      : undefined;
  }

  /** True when a value depends on initializers only: the runtime computes it once, when a session is made. */
  isFixed(name: Value): boolean {
    return !this.#running.has(name);
  }

  /** Initializers that stand for parameters are never read as constants: their values change. */
  readonly parameters = new Set<Value>();
  #isParameter(name: Value): boolean {
    return this.parameters.has(name);
  }

  /** The node that makes a value, if it is computed. */
  makerOf(name: Value): Node | undefined {
    return this.#makers.get(name);
  }

  /** Elements of an integer constant or followed value as extents. */
  extentsOf(name: Value): readonly Dim[] | undefined {
    return this.type(name).value;
  }

  /** Elements of an integer constant. @throws {GraphError} when they are only known at run time */
  integersOf(name: Value, node: Node): number[] {
    const value = this.extentsOf(name) ?? (this.constantOf(name) && numbersOf(this.constantOf(name)!));
    if (!value || !isStatic(value))
      throw new GraphError(`${name}: expected integers known before running, got a computed tensor`, where(node));
    return [...value];
  }

  /** A constant tensor; equal small ones are shared. */
  constant(tensor: GraphTensor, stem = 'const'): Value {
    const small = tensor.data.length <= 64 && tensor.type !== 'string';
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
    node.outputs.forEach((name, i) => {
      const type = types[i];
      if (name && type) this.describe(name, { ...type, value: type.value && type.value.length <= followed ? type.value : undefined });
    });
    this.graph.nodes.push(node);
    const running = node.inputs.some((name) => this.#running.has(name));
    for (const name of node.outputs) {
      this.#makers.set(name, node);
      if (running) this.#running.add(name);
    }
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
      const source = this.#symbols.get(name);
      if (!source) throw new GraphError(`${dim}: expected an extent that can be read from a value, got one that cannot`);
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

  /** The number of elements along axes as a scalar of the type of `like`: a constant when known. */
  count(x: Value, axes: readonly number[], like: Value): Value {
    const dims = axes.map((axis) => this.shape(x)[axis]!);
    const size = product(dims);
    if (typeof size === 'number') return this.scalar(like, size);
    return this.op('Squeeze', [this.cast(this.#extent(size), this.elementType(like)), this.ints([0])]);
  }
}

/** The type of a tensor, with its elements when it is a small integer one. */
export function typeOfTensor(tensor: GraphTensor): ValueType {
  const integer = tensor.type === 'int64' || tensor.type === 'int32' || tensor.type === 'bool';
  const value = integer && tensor.data.length <= followed && tensor.shape.length <= 1 ? numbersOf(tensor) : undefined;
  return { type: tensor.type, shape: tensor.shape, value };
}

/** A float tensor of any precision from numbers. */
export function floatTensor(type: ElementType, values: ArrayLike<number>, shape: readonly number[]): GraphTensor {
  return graphTensor(type, values, shape);
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
