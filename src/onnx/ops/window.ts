// Sliding windows: extents, pads and strides of convolutions and pooling, in one explicit form.
import { GraphError } from '../../core/errors.js';
import type { Builder, Value } from '../builder.js';
import { minus, plus, quotient } from '../dims.js';
import { type Attribute, type Dim, intsOf, type Node, stringOf, where } from '../graph.js';

export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Before every axis, then after every axis. */
  readonly pads: readonly number[];
}

/** The window of a node whose pads are explicit. */
export function windowOf(node: Node, kernel: readonly number[]): Window {
  const rank = kernel.length;
  const filled = (name: string, length: number, value: number): readonly number[] =>
    intsOf(node, name) ?? new Array<number>(length).fill(value);
  return {
    kernel,
    strides: filled('strides', rank, 1),
    dilations: filled('dilations', rank, 1),
    pads: filled('pads', 2 * rank, 0),
  };
}

/** The window of a pooling node. @throws {GraphError} without a kernel_shape */
export function windowOfPool(node: Node): Window {
  const kernel = intsOf(node, 'kernel_shape');
  if (!kernel) throw new GraphError(`${where(node).node}: expected a kernel_shape, got none`, where(node));
  return windowOf(node, kernel);
}

/** Spatial extents after a window has slid over `spatial`. */
export function slid(spatial: readonly Dim[], { kernel, strides, dilations, pads }: Window, ceil = false): Dim[] {
  return spatial.map((extent, i) => {
    const reach = dilations[i]! * (kernel[i]! - 1) + 1;
    const room = minus(plus(extent, pads[i]! + pads[i + kernel.length]!), reach);
    const steps = plus(quotient(room, strides[i]!, ceil), 1);
    // A last window that would start in the padding behind the data is left out.
    if (ceil && typeof steps === 'number' && (steps - 1) * strides[i]! >= (extent as number) + pads[i]!) return steps - 1;
    return steps;
  });
}

/** Attributes with `auto_pad` made explicit; undefined when they are already. */
export function explicitPads(node: Node, b: Builder, kernel: readonly number[]): Record<string, Attribute> | undefined {
  const { auto_pad, ...rest } = node.attributes;
  if (!auto_pad) return undefined;
  const mode = stringOf(node, 'auto_pad', 'NOTSET');
  if (mode === 'NOTSET') return rest;
  const rank = kernel.length;
  if (mode === 'VALID') return { ...rest, pads: { type: 'ints', value: new Array<number>(2 * rank).fill(0) } };
  const { strides, dilations } = windowOf(node, kernel);
  const pads = new Array<number>(2 * rank).fill(0);
  b.shape(node.inputs[0]!)
    .slice(2)
    .forEach((extent, i) => {
      const reach = dilations[i]! * (kernel[i]! - 1) + 1;
      if (typeof extent === 'string' && strides[i] !== 1) {
        throw new GraphError(`${node.inputs[0]}: expected known spatial extents for auto_pad ${mode}, got ${extent}`, where(node));
      }
      const total =
        typeof extent === 'string' ? reach - 1 : Math.max(0, (Math.ceil(extent / strides[i]!) - 1) * strides[i]! + reach - extent);
      const small = Math.floor(total / 2);
      pads[i] = mode === 'SAME_UPPER' ? small : total - small;
      pads[i + rank] = total - pads[i]!;
    });
  return { ...rest, pads: { type: 'ints', value: pads } };
}

/** x padded with a value over its spatial axes; negative pads crop. */
export function padSpatial(x: Value, pads: readonly number[], b: Builder, fill = 0): Value {
  const rank = pads.length / 2;
  if (pads.every((p) => p === 0)) return x;
  const all = [0, 0, ...pads.slice(0, rank), 0, 0, ...pads.slice(rank)];
  return b.op('Pad', [x, b.ints(all), ...(fill === 0 ? [] : [b.scalar(x, fill)])]);
}

/** The elements under one tap of the window, for every place it stops at: x is padded, [.., …spatial] on `axes`. */
export function underTap(
  x: Value,
  tap: readonly number[],
  { strides, dilations }: Window,
  out: readonly number[],
  axes: readonly number[],
  b: Builder,
): Value {
  const starts = tap.map((t, i) => t * dilations[i]!);
  const ends = starts.map((s, i) => s + strides[i]! * (out[i]! - 1) + 1);
  return b.slice(x, axes, starts, ends, strides.some((s) => s !== 1) ? strides : undefined);
}

/** Every tap of a kernel, last axis fastest. */
export function taps(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>((all, extent) => all.flatMap((tap) => Array.from({ length: extent }, (_, i) => [...tap, i])), [[]]);
}
