// MaxPool by comparisons: which element of a window is the largest is found along one axis after the other, on rows of channels.
// ONNX Runtime's MaxPool with indices and its scatters cost several times as much.
import { type Builder, floatTensor, type Value } from '../builder.js';
import { isStatic, times } from '../dims.js';
import { type Dim, intOf, type Node } from '../graph.js';
import { channelsFirst, channelsLast } from './conv-taps.js';
import { padAxis } from './joining.js';
import { type Window, windowOfPool } from './window.js';

/** Kernels beyond this many elements along an axis are left to indices. */
const longest = 5;

/** A MaxPool as comparisons: its window, and how many windows there are along each axis. */
export interface Pooling extends Window {
  readonly spatial: readonly number[];
  readonly out: readonly number[];
}

/** The pooling of a node where comparisons can stand for it: known extents, short kernels, no indices asked for. */
export function poolingOf(node: Node, b: Builder): Pooling | undefined {
  const window = windowOfPool(node);
  const spatial = b.shape(node.inputs[0]!).slice(2);
  const out = b.shape(node.outputs[0]!).slice(2);
  const plain = intOf(node, 'storage_order', 0) === 0 && !node.outputs[1] && window.kernel.every((k) => k <= longest);
  return plain && isStatic(spatial) && isStatic(out) ? { ...window, spatial, out } : undefined;
}

/** The windows along one axis of [n, …, C]: offsets of their elements, their number, and zeros around the data so that all reach it. */
interface Slide {
  readonly axis: number;
  readonly stride: number;
  readonly offsets: readonly number[];
  readonly count: number;
  readonly extent: number;
  readonly before: number;
  readonly after: number;
}

function slideOf({ kernel, strides, dilations, pads, spatial, out }: Pooling, i: number): Slide {
  const stride = strides[i]!;
  const count = out[i]!;
  const offsets = Array.from({ length: kernel[i]! }, (_, t) => t * dilations[i]!);
  // Whole strides: every class of places then has as many elements.
  const whole = stride * (count + Math.floor(offsets.at(-1)! / stride));
  return { axis: i + 1, stride, offsets, count, extent: spatial[i]!, before: pads[i]!, after: whole - spatial[i]! - pads[i]! };
}

/** The elements of every window along an axis, first to last: [.., count, ..] each. */
function elements(x: Value, slide: Slide, lowest: number, b: Builder): Value[] {
  const { axis, stride, offsets, count, before, after } = slide;
  const padded = padAxis(x, axis, before, after, b, lowest);
  // Places a whole number of strides apart lie side by side once they are cut into classes.
  const shape = b.shape(padded);
  const length = lengthOf(slide);
  const apart = b.reshape(padded, [...shape.slice(0, axis), length, stride, ...shape.slice(axis + 1)]);
  const classes = stride === 1 ? [apart] : b.emit('Split', [apart, b.ints(new Array<number>(stride).fill(1))], { axis: axis + 1 }, stride);
  return offsets.map((offset) => {
    const shift = Math.floor(offset / stride);
    return b.slice(b.reshape(classes[offset % stride]!, shape.with(axis, length)), [axis], [shift], [shift + count]);
  });
}

/** Strides along the padded data. */
const lengthOf = ({ stride, extent, before, after }: Slide): number => (before + extent + after) / stride;

/** One axis: for every element of a window but the first, where it is larger than all before it. */
interface Level extends Slide {
  readonly larger: readonly Value[];
}

/** The comparisons of x [n, …, C], last spatial axis first: of equal elements the first in rows wins, as in ONNX Runtime and PyTorch. */
function levels(x: Value, pooling: Pooling, b: Builder): Level[] {
  let rest = x;
  const all: Level[] = [];
  for (let i = pooling.kernel.length - 1; i >= 0; i--) {
    const slide = slideOf(pooling, i);
    const [first, ...others] = elements(rest, slide, -Infinity, b) as [Value, ...Value[]];
    rest = first;
    const larger: Value[] = [];
    for (const other of others) {
      larger.push(b.op('Greater', [other, rest]));
      rest = b.op('Max', [rest, other]);
    }
    all.push({ ...slide, larger });
  }
  return all;
}

/** Reverse mode: every cotangent goes to the first largest element of its window. */
export function toLargest(x: Value, d: Value, pooling: Pooling, b: Builder): Value {
  let image = channelsLast(d, b);
  for (const level of levels(channelsLast(x, b), pooling, b).reverse()) {
    const zero = b.scalar(image, 0);
    const shares: Value[] = [];
    // From the last element of a window to the first: the last one that was larger than all before it is the largest.
    for (const larger of [...level.larger].reverse()) {
      shares.unshift(b.op('Where', [larger, image, zero]));
      image = b.op('Where', [larger, zero, image]);
    }
    image = gathered([image, ...shares], level, b);
  }
  return channelsFirst(image, b);
}

/** The shares of every element of a window added up at their places in the data. */
function gathered(shares: readonly Value[], slide: Slide, b: Builder): Value {
  const { axis, stride, offsets, count, before, after } = slide;
  const length = lengthOf(slide);
  const shape = b.shape(shares[0]!);
  const classes = Array.from({ length: stride }, (_, r): Value => {
    const parts = shares.flatMap((share, t): Value[] => {
      const shift = Math.floor(offsets[t]! / stride);
      return offsets[t]! % stride === r ? [padAxis(share, axis, shift, length - count - shift, b)] : [];
    });
    return b.sum(...parts) ?? zeros(shares[0]!, shape.with(axis, length), b);
  });
  const apart = b.concat(
    classes.map((part) => b.unsqueeze(part, [axis + 1])),
    axis + 1,
  );
  return padAxis(b.reshape(apart, shape.with(axis, times(length, stride))), axis, -before, -after, b);
}

const zeros = (like: Value, shape: readonly Dim[], b: Builder): Value =>
  b.expand(b.constant(floatTensor(b.elementType(like), [0], [])), shape);

/** Forward mode: the tangent of the first largest element of each window. */
export function fromLargest(x: Value, d: Value, pooling: Pooling, b: Builder): Value {
  let image = channelsLast(d, b);
  for (const level of levels(channelsLast(x, b), pooling, b)) {
    const [first, ...others] = elements(image, level, 0, b) as [Value, ...Value[]];
    image = first;
    for (const [i, other] of others.entries()) image = b.op('Where', [level.larger[i]!, other, image]);
  }
  return channelsFirst(image, b);
}
