// The graph under construction and what is known of its values before they are computed: types, extents, constants, makers.
import { GraphError } from '../core/errors.js';
import { factorsOf, isStatic, symbol } from './dims.js';
import { type Dim, type ElementType, Graph, type GraphTensor, graphTensor, type Node, numbersOf, where } from './graph.js';

/** The name of a value in the graph under construction. */
export type Value = string;

/** What is known of a value before it is computed. */
export interface ValueType {
  readonly type: ElementType;
  readonly shape?: readonly Dim[] | undefined;
  /** Elements of a small integer tensor (shapes, axes), where they are known or are extents. */
  readonly value?: readonly Dim[] | undefined;
}

/** Integer tensors up to this many elements are followed through shape arithmetic. */
const followed = 256;

/** True for the types derivatives flow through. */
export function isFloat(type: ElementType): boolean {
  return type === 'float32' || type === 'float64' || type === 'float16' || type === 'bfloat16';
}

/** A graph under construction: its inputs, initializers and outputs, the names in use, and what is known of every value. */
export class Values {
  readonly graph = new Graph();
  readonly types = new Map<Value, ValueType>();
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
    if (!isStatic(shape)) {
      throw new GraphError(
        `${name}: expected known extents, got [${this.shape(name).join(', ')}]; give numbers for them (extents: { … }, --extents name=…) or fix the input's shape`,
      );
    }
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

  /** A value that has a symbolic extent, and the axis it has it on. @throws {GraphError} when no value has it alone */
  placeOf(name: string, dim: Dim): { value: Value; axis: number } {
    const source = this.#symbols.get(name);
    if (!source) throw new GraphError(`${dim}: expected an extent that can be read from a value, got one that cannot`);
    return source;
  }

  /** Adds a node whose inputs and outputs have their names, with the types of its outputs. */
  protected append(node: Node, types: readonly ValueType[]): void {
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
