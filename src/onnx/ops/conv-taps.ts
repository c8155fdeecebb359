// Convolutions as sums of matrix products, one per kernel tap, on copies of the data with the channel axis last. ONNX Runtime's own
// Conv is faster where the weights are constants; where they are computed and the images small, these are.

import { sizeOf } from '../../core/tensor.js';
import { type Builder, floatTensor, type Value } from '../builder.js';
import { factorsOf, product, times } from '../dims.js';
import type { Dim } from '../graph.js';
import { padAxis, spread } from './joining.js';
import { otherAxes } from './rule.js';
import { taps, underTap, type Window } from './window.js';

/** x [n, C, …] as [n, …, C]. */
export function channelsLast(x: Value, b: Builder): Value {
  const rank = b.rank(x);
  return b.transpose(x, [0, ...otherAxes(rank, 0, 1), 1]);
}

/** [n, …, C] as [n, C, …]. */
export function channelsFirst(x: Value, b: Builder): Value {
  const rank = b.rank(x);
  return b.transpose(x, [0, rank - 1, ...otherAxes(rank, 0, rank - 1)]);
}

/** x [n, C, …] padded in space, with the channel axis last: there rows are long and copies fast. */
export function paddedLast(x: Value, pads: readonly number[], b: Builder): Value {
  const rank = pads.length / 2;
  const last = channelsLast(x, b);
  if (pads.every((p) => p === 0)) return last;
  return b.op('Pad', [last, b.ints([0, ...pads.slice(0, rank), 0, 0, ...pads.slice(rank), 0])]);
}

/** The rows [n·places, C] under one tap of a padded [n, …, C]. */
export function rowsUnder(padded: Value, tap: readonly number[], window: Window, out: readonly number[], b: Builder): Value {
  const shape = b.shape(padded);
  const axes = out.map((_, i) => i + 1);
  return b.reshape(underTap(padded, tap, window, out, axes, b), [product([shape[0]!, ...out]), shape.at(-1)!]);
}

/** x [n, C, …] as rows [n·places, C]. */
export function rowsOf(x: Value, b: Builder): Value {
  const shape = b.shape(x);
  return b.reshape(channelsLast(x, b), [product([shape[0]!, ...shape.slice(2)]), shape[1]!]);
}

/** Matrices [rows, columns], one per tap, as [rows, columns, …kernel]. */
export function besideTaps(parts: readonly Value[], kernel: readonly number[], b: Builder): Value {
  const [rows, columns] = b.shape(parts[0]!) as [number, number];
  if (parts.length === 1) return b.reshape(parts[0]!, [rows, columns, ...kernel]);
  // Swapping the last two axes is the one transposition of long rows that ONNX Runtime does fast.
  const stacked = b.reshape(b.concat(parts, 1), [rows, parts.length, columns]);
  return b.reshape(b.transpose(stacked, [0, 2, 1]), [rows, columns, ...kernel]);
}

/** The batch a choice between forms is made for when its extent is open. */
const nominalBatch = 32;

/** True when a kernel has more output channels than there are rows: then moving its elements costs more than moving the data's. */
export function fewRows(batch: Dim, places: number, channels: number): boolean {
  const n = typeof batch === 'number' ? batch : factorsOf(batch).factor * nominalBatch;
  return n * places <= channels;
}

/** The elements under all taps side by side, [n·places, C·taps]: against them a kernel [O, C, …] is a matrix as it lies. */
export function columnsUnder(padded: Value, window: Window, out: readonly number[], b: Builder): Value {
  const channels = b.shape(padded).at(-1)!;
  const all = taps(window.kernel);
  if (all.length === 1) return rowsUnder(padded, all[0]!, window, out, b);
  const parts = all.map((tap) => rowsUnder(padded, tap, window, out, b));
  const places = b.shape(parts[0]!)[0]!;
  const stacked = b.reshape(b.concat(parts, 1), [places, all.length, channels]);
  return b.reshape(b.transpose(stacked, [0, 2, 1]), [places, times(channels, all.length)]);
}

/** The matrices [O, C] of a kernel [O, C, …], one per tap. */
function matricesOf(W: Value, count: number, b: Builder): Value[] {
  const [O, C] = b.staticShape(W) as [number, number];
  if (count === 1) return [b.reshape(W, [O, C])];
  const rows = b.reshape(b.transpose(b.reshape(W, [O, C, count]), [0, 2, 1]), [O, count * C]);
  return [...b.emit('Split', [rows, b.ints(new Array<number>(count).fill(C))], { axis: 1 }, count)];
}

/**
 * The convolution of x [n, C, …] with W [O, C, …] (one group), with a bias [O] or none, by products of rows: one product with all taps
 * side by side where rows are few, else one per tap, each adding to the last. `turned` convolves x [n, O, …] with the kernel of the
 * transposed map: taps in reverse, matrices transposed.
 */
export function convByTaps(
  x: Value,
  W: Value,
  bias: Value | undefined,
  window: Window,
  out: readonly number[],
  turned: boolean,
  b: Builder,
): Value {
  const all = taps(window.kernel);
  const padded = paddedLast(x, window.pads, b);
  const [O, C] = b.staticShape(W) as [number, number];
  const n = b.shape(x)[0]!;
  let sum = bias;
  if (!turned && fewRows(n, sizeOf(out), O)) {
    const matrix = b.reshape(W, [O, C * all.length]);
    sum = b.op('Gemm', [columnsUnder(padded, window, out, b), matrix, ...(bias === undefined ? [] : [bias])], { transB: 1 });
  } else {
    const matrices = matricesOf(W, all.length, b);
    if (turned) matrices.reverse();
    all.forEach((tap, i) => {
      const rows = rowsUnder(padded, tap, window, out, b);
      sum = b.op('Gemm', [rows, matrices[i]!, ...(sum === undefined ? [] : [sum])], turned ? {} : { transB: 1 });
    });
  }
  return channelsFirst(b.reshape(sum!, [n, ...out, b.shape(sum!)[1]!]), b);
}

/** The convolution of x [n, C, …] with a constant W [O, C, …] as one product: what lies under all taps, tap by tap, times W turned to match. */
export function convAtOnce(x: Value, W: Value, bias: Value | undefined, window: Window, out: readonly number[], b: Builder): Value {
  const all = taps(window.kernel);
  const padded = paddedLast(x, window.pads, b);
  const [O, C] = b.staticShape(W) as [number, number];
  const columns = b.concat(
    all.map((tap) => rowsUnder(padded, tap, window, out, b)),
    1,
  );
  const matrix = b.reshape(b.transpose(b.reshape(W, [O, C, all.length]), [2, 1, 0]), [all.length * C, O]);
  const rows = b.op('Gemm', [columns, matrix, ...(bias === undefined ? [] : [bias])]);
  return channelsFirst(b.reshape(rows, [b.shape(x)[0]!, ...out, O]), b);
}

/**
 * The transposed convolution of x [n, C, …] with W [C, O, …] (one group): one product makes what every element sends to every tap,
 * then each tap's share is put in its place and added.
 */
export function spreadByTaps(x: Value, W: Value, { kernel, strides, dilations, pads }: Window, out: readonly number[], b: Builder): Value {
  const [C, O] = b.staticShape(W) as [number, number];
  const all = taps(kernel);
  const [n, , ...inner] = b.shape(x) as [Dim, Dim, ...number[]];
  const shares = b.matmul(rowsOf(x, b), b.reshape(W, [C, O * all.length]));
  const rows = b.shape(shares)[0]!;
  const apart = b.transpose(b.reshape(shares, [rows, O, all.length]), [0, 2, 1]);
  const parts =
    all.length === 1 ? [apart] : b.emit('Split', [apart, b.ints(new Array<number>(all.length).fill(1))], { axis: 1 }, all.length);
  let sum: Value | undefined;
  all.forEach((tap, i) => {
    let image = b.reshape(parts[i]!, [n, ...inner, O]);
    tap.forEach((t, axis) => {
      if (strides[axis]! > 1) image = spread(image, axis + 1, strides[axis]!, b);
      const first = t * dilations[axis]! - pads[axis]!;
      const length = inner[axis]! * strides[axis]!;
      image = padAxis(image, axis + 1, first, out[axis]! - first - length, b);
    });
    sum = b.sum(sum, image);
  });
  return channelsFirst(sum!, b);
}

/**
 * The same where both images are tiny: each tap's share is put in its place, and added, by a product with a matrix of zeros and ones.
 */
export function spreadAtOnce(x: Value, W: Value, { kernel, strides, dilations, pads }: Window, out: readonly number[], b: Builder): Value {
  const [C, O] = b.staticShape(W) as [number, number];
  const all = taps(kernel);
  const [n, , ...inner] = b.shape(x) as [Dim, Dim, ...number[]];
  const places = taps(inner);
  const size = sizeOf(out);
  const matrix = new Float64Array(all.length * places.length * size);
  all.forEach((tap, t) => {
    places.forEach((place, p) => {
      const at = place.map((i, axis) => i * strides[axis]! + tap[axis]! * dilations[axis]! - pads[axis]!);
      if (at.some((i, axis) => i < 0 || i >= out[axis]!)) return;
      matrix[(t * places.length + p) * size + at.reduce((flat, i, axis) => flat * out[axis]! + i, 0)] = 1;
    });
  });
  const put = b.constant(floatTensor(b.elementType(x), matrix, [all.length * places.length, size]), 'put');
  const weights = b.reshape(W, [C, O * all.length]);
  if (fewRows(n, places.length, C)) {
    // The kernel on the left is read as it lies; on the right ONNX Runtime packs all of it first.
    const shares = b.op('Gemm', [weights, rowsOf(x, b)], { transA: 1, transB: 1 });
    const rows = b.transpose(b.reshape(shares, [O, all.length, n, places.length]), [0, 2, 1, 3]);
    const images = b.matmul(b.reshape(rows, [times(n, O), all.length * places.length]), put);
    const image = b.reshape(images, [O, n, ...out]);
    return b.transpose(image, [1, 0, ...otherAxes(out.length + 2, 0, 1)]);
  }
  const shares = b.reshape(b.matmul(rowsOf(x, b), weights), [n, places.length, O * all.length]);
  const rows = b.reshape(b.transpose(shares, [0, 2, 1]), [times(n, O), all.length * places.length]);
  return b.reshape(b.matmul(rows, put), [n, O, ...out]);
}
