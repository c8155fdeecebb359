// Removal of whole input channels with exact repair: every reader of the channels is a linear map, its loss over calibration activations a
// quadratic with the channels' second moments as Hessian, shared by all of its rows.
import { checkFinite } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import { square } from '../core/square.js';
import { asTensor, isFloatArray, sizeOf, type TensorLike } from '../core/tensor.js';
import { cholesky } from '../kernels/cholesky.js';
import { gemm } from '../kernels/gemm.js';
import { syrk } from '../kernels/syrk.js';
import { trsm } from '../kernels/triangular.js';
import type { Graph, GraphTensor } from '../onnx/graph.js';
import { narrowed } from '../onnx/precision.js';
import { widen } from '../onnx/tensor-proto.js';
import { withArena } from '../runtime/instance.js';
import type { ChannelGroup, ChannelSlice } from './channel-groups.js';

interface Reader {
  readonly slice: ChannelSlice;
  /** [rows, channels]: the weights of each output and place for every channel. */
  readonly weights: Float64Array;
  readonly rows: number;
  /** Inverse of the damped second moments of what is left [channels, channels]. */
  readonly inverse: Float64Array;
}

/** Removes channels until `keep` are left, cheapest (or of least score) first, writes the repaired weights into the graph, and returns what stays. */
export function surgeon(
  graph: Graph,
  group: ChannelGroup,
  activations: Readonly<Record<string, TensorLike>>,
  keep: number,
  damping: number,
  scores: ArrayLike<number> | undefined,
): Int32Array {
  const { channels } = group;
  const readers = group.slices
    .filter(({ role }) => role === 'reads')
    .map((slice) => readerOf(graph, slice, channels, activations, damping));
  const left = new Set(Array.from({ length: channels }, (_, c) => c));
  while (left.size > keep) {
    let [best, lowest] = [-1, Infinity];
    for (const c of left) {
      let cost = scores ? (scores[c] as number) : 0;
      for (const { weights, rows, inverse } of scores ? [] : readers) {
        let sum = 0;
        for (let r = 0; r < rows; r++) sum += square(weights[r * channels + c] as number);
        cost += sum / (inverse[c * channels + c] as number);
      }
      if (cost < lowest) [best, lowest] = [c, cost];
    }
    if (best < 0) throw new DomainError('activations: expected finite second moments, got others');
    for (const reader of readers) remove(reader, channels, best);
    left.delete(best);
  }
  for (const reader of readers) write(graph, reader, channels, left);
  return Int32Array.from([...left].sort((a, b) => a - b));
}

/** w ← w − w_c C_c/C_cc for every row, C ← C − C_c C_cᵀ/C_cc. */
function remove({ weights, rows, inverse }: Reader, channels: number, c: number): void {
  const pivot = inverse[c * channels + c] as number;
  const row = inverse.slice(c * channels, (c + 1) * channels);
  for (let r = 0; r < rows; r++) {
    const factor = (weights[r * channels + c] as number) / pivot;
    if (factor === 0) continue;
    for (let j = 0; j < channels; j++) weights[r * channels + j] = (weights[r * channels + j] as number) - factor * (row[j] as number);
  }
  for (let i = 0; i < channels; i++) {
    const factor = (row[i] as number) / pivot;
    for (let j = 0; j < channels; j++) inverse[i * channels + j] = (inverse[i * channels + j] as number) - factor * (row[j] as number);
  }
}

function readerOf(
  graph: Graph,
  slice: ChannelSlice,
  channels: number,
  activations: Readonly<Record<string, TensorLike>>,
  damping: number,
): Reader {
  const { data } = widen(graph.initializers.get(slice.initializer) as GraphTensor);
  const places = placesOf(graph, slice, channels);
  const weights = Float64Array.from(places, (at) => Number(data[at]));
  return { slice, weights, rows: places.length / channels, inverse: inverseMoments(slice, channels, activations, damping) };
}

/** Element of the initializer at [row, channel], rows being everything but the channel axis. */
function placesOf(graph: Graph, { initializer, axis, offset, repeat }: ChannelSlice, channels: number): Int32Array {
  const { shape } = graph.initializers.get(initializer) as GraphTensor;
  const [outer, extent, inner] = [sizeOf(shape.slice(0, axis)), shape[axis] as number, sizeOf(shape.slice(axis + 1))];
  const out = new Int32Array(outer * inner * repeat * channels);
  let row = 0;
  for (let o = 0; o < outer; o++) {
    for (let r = 0; r < repeat; r++) {
      for (let i = 0; i < inner; i++, row++) {
        for (let c = 0; c < channels; c++) out[row * channels + c] = (o * extent + offset + c * repeat + r) * inner + i;
      }
    }
  }
  return out;
}

function inverseMoments(
  { value = '', offset, repeat }: ChannelSlice,
  channels: number,
  activations: Readonly<Record<string, TensorLike>>,
  damping: number,
): Float64Array {
  if (!activations[value])
    throw new DomainError(`activations: expected those of '${value}', got ${Object.keys(activations).join(', ') || 'none'}`);
  const { data, shape } = asTensor(`activations.${value}`, activations[value]);
  const [n = 0, width = 0] = shape;
  if (!isFloatArray(data)) throw new DomainError(`activations.${value}: expected float32 or float64 numbers`);
  if (shape.length < 2 || n === 0 || width < offset + channels * repeat)
    throw new ShapeError(`activations.${value}: expected [n, ${offset + channels * repeat}, …], got [${shape.join(', ')}]`);
  checkFinite(`activations.${value}`, data);
  const span = repeat * sizeOf(shape.slice(2)); // places of one channel in one sample
  const total = width * sizeOf(shape.slice(2));
  const first = offset * sizeOf(shape.slice(2));
  return withArena((arena) => {
    const x = arena.alloc('f64', channels * n * span);
    const view = arena.view(x);
    for (let s = 0; s < n; s++)
      for (let c = 0; c < channels; c++)
        for (let p = 0; p < span; p++) view[(c * n + s) * span + p] = data[s * total + first + c * span + p] as number;
    const H = arena.alloc('f64', channels * channels);
    syrk(channels, n * span, x, H, { alpha: 1 / (n * span) });
    const moments = arena.view(H);
    let mean = 0;
    for (let c = 0; c < channels; c++) mean += (moments[c * (channels + 1)] as number) / channels;
    // A channel that is always zero is coupled to no other; next to no curvature lets it go first.
    for (let c = 0; c < channels; c++) {
      const at = c * (channels + 1);
      moments[at] = (moments[at] as number) + damping * mean || 1e-12 * mean || 1;
    }
    if (cholesky(channels, H) >= 0) throw new DomainError(`damping: expected a value > ${damping}: the moments of '${value}' are singular`);
    const U = arena.zeros('f64', channels * channels);
    const unit = arena.view(U);
    for (let c = 0; c < channels; c++) unit[c * (channels + 1)] = 1;
    trsm(channels, channels, H, U);
    const inverse = arena.alloc('f64', channels * channels);
    gemm(channels, channels, channels, U, U, inverse, { transA: true });
    return arena.take(inverse);
  });
}

/** Puts the repaired weights of a reader in the place of its initializer, zeros where channels are gone. */
function write(graph: Graph, { slice, weights }: Reader, channels: number, left: ReadonlySet<number>): void {
  const tensor = graph.initializers.get(slice.initializer) as GraphTensor;
  const data = (widen(tensor).data as Float32Array).slice();
  const places = placesOf(graph, slice, channels);
  for (let k = 0; k < places.length; k++) data[places[k] as number] = left.has(k % channels) ? (weights[k] as number) : 0;
  graph.initializers.set(slice.initializer, narrowed(data, tensor));
}
