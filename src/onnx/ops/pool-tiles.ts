// MaxPool over windows that tile the image: which element is the largest is found by comparing pairs along one axis after the other.
// ONNX Runtime's MaxPool with indices and its scatters cost several times these comparisons, which run on long rows of channels.
import type { Builder, Value } from '../builder.js';
import { type Dim, intOf, type Node } from '../graph.js';
import { channelsFirst, channelsLast } from './conv-taps.js';
import { windowOfPool } from './window.js';

/** The kernel of a MaxPool whose windows are pairs (along some axes) and tile the input without rest; undefined for others. */
export function tilesOf(node: Node, b: Builder): readonly number[] | undefined {
  const { kernel, strides, dilations, pads } = windowOfPool(node);
  const spatial = b.shape(node.inputs[0]!).slice(2);
  const fits = kernel.every((k, i) => (k === 1 || k === 2) && k === strides[i] && dilations[i] === 1 && (spatial[i] as number) % k === 0);
  const plain = pads.every((p) => p === 0) && intOf(node, 'storage_order', 0) === 0 && !node.outputs[1];
  return fits && plain && kernel.includes(2) ? kernel : undefined;
}

/** One comparison: values side by side on an axis (with an axis of pairs behind it), and where the first of each pair is the larger. */
interface Level {
  readonly axis: number;
  readonly shape: readonly Dim[];
  readonly first: Value;
}

/** The two halves of every pair along an axis of x: [.., e/2, 2, ..] cut in the middle, each without the axis of pairs. */
function halves(x: Value, axis: number, b: Builder): [Value, Value] {
  const shape = b.shape(x);
  const half = (shape[axis] as number) / 2;
  const pairs = b.reshape(x, [...shape.slice(0, axis), half, 2, ...shape.slice(axis + 1)]);
  const parts = b.emit('Split', [pairs, b.ints([1, 1])], { axis: axis + 1 }, 2);
  const [p, q] = parts.map((part) => b.reshape(part, [...shape.slice(0, axis), half, ...shape.slice(axis + 1)]));
  return [p!, q!];
}

/**
 * The comparisons of a tiling MaxPool of x [n, …, C], last spatial axis first: of equal elements the first in rows, as ONNX Runtime's
 * and PyTorch's MaxPool take it.
 */
function levels(x: Value, kernel: readonly number[], b: Builder): Level[] {
  let rest = x;
  const all: Level[] = [];
  for (let i = kernel.length - 1; i >= 0; i--) {
    if (kernel[i] !== 2) continue;
    const [p, q] = halves(rest, i + 1, b);
    all.push({ axis: i + 1, shape: b.shape(rest), first: b.op('GreaterOrEqual', [p, q]) });
    rest = b.op('Max', [p, q]);
  }
  return all;
}

/** Reverse mode: every cotangent goes to the first largest element of its tile. */
export function toFirstOfTile(x: Value, d: Value, kernel: readonly number[], b: Builder): Value {
  let image = channelsLast(d, b);
  for (const { axis, shape, first } of levels(channelsLast(x, b), kernel, b).reverse()) {
    const zero = b.scalar(image, 0);
    const pair = [b.op('Where', [first, image, zero]), b.op('Where', [first, zero, image])].map((part) => b.unsqueeze(part, [axis + 1]));
    image = b.reshape(b.concat(pair, axis + 1), shape);
  }
  return channelsFirst(image, b);
}

/** Forward mode: the tangent of the first largest element of each tile. */
export function fromFirstOfTile(x: Value, d: Value, kernel: readonly number[], b: Builder): Value {
  let image = channelsLast(d, b);
  for (const { axis, first } of levels(channelsLast(x, b), kernel, b)) image = b.op('Where', [first, ...halves(image, axis, b)]);
  return channelsFirst(image, b);
}
