// Pooling over windows and over whole maps.
import { sizeOf } from '../../core/tensor.js';
import { pow } from '../../kernels/scalar.js';
import { intOf, intsOf, type Node } from '../graph.js';
import { type Window, windowsOf } from './convolution.js';
import { fail, type Kernel, type Kernels, longs, need, numbers, offsets, ofType, stridesOf } from './value.js';

/** What a pooling sees of one window: offsets of its cells inside the map, and how many cells the padded window has. */
type Pool = (cells: readonly number[], padded: number, read: (offset: number) => number) => number;

/** Cells inside the map of every window, in row-major order, with the size of the window after padding. */
function* windowCells(windows: readonly Window[]): Generator<{ cells: number[]; padded: number }> {
  const outputs = windows.map((w) => w.output);
  const strides = stridesOf(windows.map((w) => w.input));
  const position = new Array<number>(windows.length).fill(0);
  for (let left = sizeOf(outputs); left > 0; left--) {
    let cells = [0];
    let padded = 1;
    for (const [axis, w] of windows.entries()) {
      const start = position[axis]! * w.stride - w.begin;
      const next: number[] = [];
      let count = 0;
      for (let k = 0, at = start; k < w.kernel; k++, at += w.dilation) if (at < w.input + w.end) count++;
      for (const cell of cells) {
        for (let k = 0, at = start; k < w.kernel; k++, at += w.dilation) if (at >= 0 && at < w.input) next.push(cell + at * strides[axis]!);
      }
      cells = next;
      padded *= count;
    }
    yield { cells, padded };
    for (let axis = windows.length - 1; axis >= 0 && ++position[axis]! === outputs[axis]; axis--) position[axis] = 0;
  }
}

const pool =
  (choose: (node: Node) => Pool): Kernel =>
  (inputs, node) => {
    const x = need(inputs, 0, node);
    const spatial = x.shape.slice(2);
    const windows = windowsOf(node, spatial, intsOf(node, 'kernel_shape') ?? [], intOf(node, 'ceil_mode', 0) !== 0);
    const outputs = windows.map((w) => w.output);
    const [maps, inner, small] = [sizeOf(x.shape.slice(0, 2)), sizeOf(spatial), sizeOf(outputs)];
    const X = numbers(x);
    const out = new Float64Array(maps * small);
    const f = choose(node);
    let o = 0;
    for (const { cells, padded } of windowCells(windows)) {
      for (let map = 0; map < maps; map++) out[map * small + o] = f(cells, padded, (offset) => X[map * inner + offset]!);
      o++;
    }
    return [ofType(x.type, out, [...x.shape.slice(0, 2), ...outputs])];
  };

const average = (node: Node): Pool => {
  const padding = intOf(node, 'count_include_pad', 0) !== 0;
  return (cells, padded, read) => {
    let sum = 0;
    for (const cell of cells) sum += read(cell);
    return sum / (padding ? padded : cells.length);
  };
};

const lp = (node: Node): Pool => {
  const p = intOf(node, 'p', 2);
  return (cells, _, read) => {
    let sum = 0;
    for (const cell of cells) sum += pow(Math.abs(read(cell)), p);
    return pow(sum, 1 / p);
  };
};

const largest = (): Pool => (cells, _, read) => {
  let top = -Infinity;
  for (const cell of cells) top = Math.max(top, read(cell));
  return top;
};

/** MaxPool with its second output: places of the maxima in the flattened input, row-major or (storage_order 1) column-major. */
const maxPool: Kernel = (inputs, node, context) => {
  const [values] = pool(largest)(inputs, node, context);
  if (context.outputs < 2 || !values) return [values!];
  const x = need(inputs, 0, node);
  const spatial = x.shape.slice(2);
  const inner = sizeOf(spatial);
  const X = numbers(x);
  let map = 0;
  const first = (cells: readonly number[], read: (offset: number) => number): number => {
    let best = cells[0]!;
    for (const cell of cells) if (read(cell) > read(best)) best = cell;
    return best;
  };
  // Place of every cell when the map is stored by columns: strides in the opposite order.
  const reversed = spatial.map((_, axis) => sizeOf(spatial.slice(0, axis)));
  const byColumns = intOf(node, 'storage_order', 0) !== 0 ? offsets(spatial, reversed) : undefined;
  const windows = windowsOf(node, spatial, intsOf(node, 'kernel_shape') ?? [], intOf(node, 'ceil_mode', 0) !== 0);
  const small = sizeOf(windows.map((w) => w.output));
  const places = new Array<number>(values.data.length);
  let o = 0;
  for (const { cells } of windowCells(windows)) {
    for (map = 0; map < places.length / small; map++) {
      const cell = first(cells, (offset) => X[map * inner + offset]!);
      places[map * small + o] = map * inner + (byColumns ? byColumns[cell]! : cell);
    }
    o++;
  }
  return [values, longs(places, values.shape)];
};

/** One window over the whole map. */
const global =
  (choose: (node: Node) => Pool): Kernel =>
  (inputs, node) => {
    const x = need(inputs, 0, node);
    if (x.shape.length < 2) throw fail(node, `expected an input of rank 2 or more, got [${x.shape}]`);
    const inner = sizeOf(x.shape.slice(2));
    const cells = Array.from({ length: inner }, (_, k) => k);
    const X = numbers(x);
    const f = choose(node);
    const out = Float64Array.from({ length: sizeOf(x.shape.slice(0, 2)) }, (_, map) => f(cells, inner, (k) => X[map * inner + k]!));
    return [ofType(x.type, out, [...x.shape.slice(0, 2), ...x.shape.slice(2).map(() => 1)])];
  };

export const poolings: Kernels = {
  MaxPool: maxPool,
  AveragePool: pool(average),
  LpPool: pool(lp),
  GlobalMaxPool: global(largest),
  GlobalAveragePool: global(average),
  GlobalLpPool: global(lp),
};
