// Convolutions as sums of matrix products, one per kernel tap, on copies of the data with the channel axis last. ONNX Runtime's own
// Conv is faster where the weights are constants; where they are computed and the images small, these are.
import type { Builder, Value } from '../builder.js';
import { product } from '../dims.js';
import { intsOf } from '../graph.js';
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
  const stacked = b.concat(
    parts.map((part) => b.reshape(part, [rows, 1, columns])),
    1,
  );
  return b.reshape(b.transpose(stacked, [0, 2, 1]), [rows, columns, ...kernel]);
}

/**
 * The matrices of a kernel [O, C, …], one per tap, and whether they are [C, O]. Those of a kernel that was turned for the transposed
 * map are those of the kernel itself in reverse: nothing is turned.
 */
function matricesOf(W: Value, count: number, b: Builder): { matrices: Value[]; transposed: boolean } {
  const source = unturned(W, b);
  const [O, C] = b.staticShape(source ?? W) as [number, number];
  const rows = b.transpose(b.reshape(source ?? W, [O, C, count]), [0, 2, 1]);
  const parts = count === 1 ? [rows] : b.emit('Split', [rows, b.ints(new Array<number>(count).fill(1))], { axis: 1 }, count);
  const matrices = parts.map((part) => b.reshape(part, [O, C]));
  return source === undefined ? { matrices, transposed: false } : { matrices: matrices.reverse(), transposed: true };
}

/** The kernel behind a swap of its first two axes and, for more than one tap, a reversal of all others. */
function unturned(W: Value, b: Builder): Value | undefined {
  const swap = b.makerOf(W);
  const perm = swap?.op === 'Transpose' ? intsOf(swap, 'perm') : undefined;
  if (!swap || !perm?.every((axis, i) => axis === (i < 2 ? 1 - i : i))) return undefined;
  const space = otherAxes(b.rank(W), 0, 1);
  const [inner] = swap.inputs as [Value];
  if (space.every((axis) => b.shape(W)[axis] === 1)) return inner;
  const flip = b.makerOf(inner);
  return flip?.op === 'Slice' && b.flip(flip.inputs[0]!, space) === inner ? flip.inputs[0] : undefined;
}

/** The convolution of x [n, C, …] with W [O, C, …] (one group), with a bias [O] or none: one product per tap, each adding to the last. */
export function convByTaps(x: Value, W: Value, bias: Value | undefined, window: Window, out: readonly number[], b: Builder): Value {
  const all = taps(window.kernel);
  const padded = paddedLast(x, window.pads, b);
  const { matrices, transposed } = matricesOf(W, all.length, b);
  let sum = bias;
  all.forEach((tap, i) => {
    const rows = rowsUnder(padded, tap, window, out, b);
    sum = b.op('Gemm', [rows, matrices[i]!, ...(sum === undefined ? [] : [sum])], transposed ? {} : { transB: 1 });
  });
  return channelsFirst(b.reshape(sum!, [b.shape(x)[0]!, ...out, b.shape(sum!)[1]!]), b);
}
