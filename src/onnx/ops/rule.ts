// What an operator brings: how its outputs are typed, how it is simplified, and its derivatives in both directions.
import type { Builder, Value, ValueType } from '../builder.js';
import { broadcast, sameShape } from '../dims.js';
import { type Dim, type ElementType, intOf, type Node } from '../graph.js';

export interface Rule {
  /** Types and shapes of the outputs. */
  infer(node: Node, b: Builder): ValueType[];
  /** Values that already are, or more simply make, the outputs; undefined when the node has to stay. */
  simplify?(node: Node, b: Builder): Value[] | undefined;
  /**
   * Reverse mode: cotangents of the outputs (undefined: zero) to cotangents of the inputs; only inputs with `needs[i]` are read.
   * Emits only operators that have rules themselves.
   */
  vjp?(node: Node, dy: readonly (Value | undefined)[], b: Builder, needs: readonly boolean[]): (Value | undefined)[];
  /** Forward mode: tangents of the inputs (undefined: zero) to tangents of the outputs. */
  jvp?(node: Node, dx: readonly (Value | undefined)[], b: Builder): (Value | undefined)[];
  /** Once everything is written: faster nodes for the same value, without a thought for derivatives. */
  lower?(node: Node, b: Builder): Value[] | undefined;
  /** The derivative is zero wherever it exists: comparisons, rounding, shapes, integers. */
  zero?: true;
  /** Derivatives pass through its integer outputs as through floats (quantisation). */
  straightThrough?: true;
  /** Replaces a node of a model by simpler ones before anything else sees it; undefined leaves it. */
  expand?(node: Node, b: Builder, opset: number): Value[] | undefined;
}

/** An axis attribute or number, counted from the front. */
export function fromFront(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** The axis attribute of a node against the rank of its first input. */
export function axisOf(node: Node, b: Builder, otherwise: number): number {
  return fromFront(intOf(node, 'axis', otherwise), b.rank(node.inputs[0]!));
}

/** Outputs typed like the first input. */
export function likeFirst(node: Node, b: Builder): ValueType[] {
  const { type, shape } = b.type(node.inputs[0]!);
  return [{ type, shape }];
}

/** Element-wise outputs: the broadcast shape of all inputs, unknown when one is. */
export function elementwise(type: (first: ElementType) => ElementType = (t) => t): Rule['infer'] {
  return (node, b) => {
    const inputs = node.inputs.map((name) => b.type(name));
    const shapes = inputs.map(({ shape }) => shape);
    const known = shapes.every((shape): shape is readonly Dim[] => shape !== undefined);
    return [{ type: type(inputs[0]!.type), shape: known ? broadcast(...(shapes as (readonly Dim[])[])) : undefined }];
  };
}

/** A function of one number applied element by element, by its slope at x, where y is the output. */
export function unary(slope: (b: Builder, x: Value, y: Value, node: Node) => Value): Rule {
  const along = (node: Node, [d]: readonly (Value | undefined)[], b: Builder): (Value | undefined)[] => [
    d === undefined ? undefined : b.mul(d, slope(b, node.inputs[0]!, node.outputs[0]!, node)),
  ];
  return { infer: likeFirst, vjp: along, jvp: along };
}

/** A rule whose outputs do not move with its inputs. */
export function constantRule(infer: Rule['infer'], simplify?: Rule['simplify']): Rule {
  return simplify ? { infer, simplify, zero: true } : { infer, zero: true };
}

/** Operands without the repetition that broadcasting does anyway; undefined when there is none. */
export function unexpanded(node: Node, b: Builder): Value[] | undefined {
  const shape = elementwise()(node, b)[0]!.shape;
  if (!shape) return undefined;
  for (const [at, name] of node.inputs.entries()) {
    const maker = b.makerOf(name);
    if (maker?.op !== 'Expand') continue;
    const inputs = [...node.inputs];
    inputs[at] = maker.inputs[0]!;
    const narrow = elementwise()({ ...node, inputs }, b)[0]!.shape;
    if (sameShape(narrow, shape)) return b.emit(node.op, inputs, node.attributes);
  }
  return undefined;
}

/** All axes of a rank but some. */
export function otherAxes(rank: number, ...kept: number[]): number[] {
  return Array.from({ length: rank }, (_, axis) => axis).filter((axis) => !kept.includes(axis));
}

/** Attributes of a node as they are, with changes. */
export function attributesWith(node: Node, changes: Parameters<Builder['emit']>[2] = {}): NonNullable<Parameters<Builder['emit']>[2]> {
  return { ...node.attributes, ...changes };
}

/** The spatial axes of [n, C, …]. */
export function restAxes(rank: number): number[] {
  return otherAxes(rank, 0, 1);
}
