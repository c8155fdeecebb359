// Transposed convolutions as convolutions with constant kernels, which ONNX Runtime runs in its fastest form.
import { sizeOf } from '../../core/tensor.js';
import type { Builder, Value } from '../builder.js';
import { isStatic, times } from '../dims.js';
import type { Dim } from '../graph.js';
import { lowered } from './conv.js';
import { padSpatial, taps, type Window } from './window.js';

/** W [O, C/g, …] as the kernel of the transposed map at stride 1: [C, O/g, …], reversed in space. */
export function turned(W: Value, groups: number, b: Builder): Value {
  const [O, I, ...kernel] = b.staticShape(W) as [number, number, ...number[]];
  const space = kernel.map((_, i) => i + 2);
  const reversed = b.flip(W, space);
  if (groups === 1) return b.transpose(reversed, [1, 0, ...space]);
  const apart = b.reshape(reversed, [groups, O / groups, I, ...kernel]);
  return b.reshape(b.transpose(apart, [0, 2, 1, ...space.map((axis) => axis + 1)]), [groups * I, O / groups, ...kernel]);
}

/**
 * The transposed map at stride s as one convolution at stride 1 with a set of channels per phase r: the element at s·q + r gets
 * Σ_j W[r + pad − s·j]·d[q + j]. The phases are then woven into the image. Undefined when the windows leave part of d unread.
 */
export function byPhases(
  d: Value,
  W: Value,
  { kernel, strides, pads }: Window,
  groups: number,
  spatial: readonly number[],
  b: Builder,
): Value | undefined {
  const [O, I] = b.staticShape(W) as [number, number];
  const out = b.staticShape(d, 2);
  const first = kernel.map((k, i) => Math.ceil((pads[i]! - (k - 1)) / strides[i]!));
  const last = kernel.map((_, i) => Math.floor((strides[i]! - 1 + pads[i]!) / strides[i]!));
  const count = spatial.map((extent, i) => Math.ceil(extent / strides[i]!));
  const width = kernel.map((_, i) => last[i]! - first[i]! + 1);
  const around = [...first.map((j) => -j), ...count.map((q, i) => q - 1 + last[i]! - (out[i]! - 1))];
  if (around.some((p) => p < 0) || width.some((w) => w < 1)) return undefined;

  // The taps of every phase side by side; a zero plane stands in where a phase has none.
  let weights = b.op('Pad', [W, b.ints([0, 0, ...kernel.map(() => 0), 0, 0, ...kernel.map(() => 1)])]);
  kernel.forEach((k, i) => {
    const places: number[] = [];
    for (let r = 0; r < strides[i]!; r++) {
      for (let j = first[i]!; j <= last[i]!; j++) {
        const tap = r + pads[i]! - strides[i]! * j;
        places.push(tap >= 0 && tap < k ? tap : k);
      }
    }
    weights = b.op('Gather', [weights, b.ints(places)], { axis: i + 2 });
  });
  const apart = b.reshape(weights, [groups, O / groups, I, ...strides.flatMap((s, i) => [s, width[i]!])]);
  const phaseAxes = strides.map((_, i) => 3 + 2 * i);
  const kernels = b.transpose(apart, [0, 2, ...phaseAxes, 1, ...phaseAxes.map((axis) => axis + 1)]);
  const channels = groups * I * sizeOf(strides);
  const stacked = b.reshape(kernels, [channels, O / groups, ...width]);
  const ones = strides.map(() => 1);
  const y = lowered(d, stacked, undefined, { kernel: width, strides: ones, dilations: ones, pads: around }, groups, b);

  const n = b.shape(d)[0]!;
  const whole = weave(y, [n, groups * I, ...count], strides, b);
  return padSpatial(whole, [...ones.map(() => 0), ...spatial.map((extent, i) => extent - count[i]! * strides[i]!)], b);
}

/** Images of at most this many places are woven by a product with a permutation matrix: faster than moving single numbers. */
const wovenByProduct = 64;

/** [n, C·s…, …q] with phases as channels, as the image [n, C, …s·q]. */
function weave(y: Value, [n, channels, ...count]: readonly Dim[], strides: readonly number[], b: Builder): Value {
  const rank = strides.length;
  if (isStatic(count) && sizeOf(count) * sizeOf(strides) <= wovenByProduct && b.elementType(y) === 'float32') {
    const rows = b.reshape(y, [times(n!, channels!), sizeOf(strides) * sizeOf(count)]);
    return b.reshape(b.matmul(rows, weaving(strides, count, b)), [n!, channels!, ...count.map((q, i) => times(q, strides[i]!))]);
  }
  if (rank === 2 && strides[0] === strides[1]) return b.op('DepthToSpace', [y], { blocksize: strides[0]!, mode: 'CRD' });
  const split = b.reshape(y, [n!, channels!, ...strides, ...count]);
  const woven = b.transpose(split, [0, 1, ...strides.flatMap((_, i) => [2 + rank + i, 2 + i])]);
  return b.reshape(woven, [n!, channels!, ...count.map((q, i) => (q as number) * strides[i]!)]);
}

/** The permutation from [phases, places] of a small image to its rows, as a matrix of zeros and ones. */
function weaving(strides: readonly number[], count: readonly number[], b: Builder): Value {
  const size = sizeOf(strides) * sizeOf(count);
  const matrix = new Float32Array(size * size);
  taps([...strides, ...count]).forEach((at, from) => {
    const to = count.reduce((place, q, i) => place * q * strides[i]! + at[count.length + i]! * strides[i]! + at[i]!, 0);
    matrix[from * size + to] = 1;
  });
  return b.constant({ type: 'float32', data: matrix, shape: [size, size] }, 'weave');
}
