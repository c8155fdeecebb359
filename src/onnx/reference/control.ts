// If, Loop and Scan: operators that run the graphs in their attributes.
import { type Graph, intOf, intsOf, type Node } from '../graph.js';
import {
  arrayLike,
  axisOf,
  type Context,
  fail,
  type Kernel,
  type Kernels,
  like,
  longs,
  need,
  numbers,
  offsets,
  stridesOf,
  take,
  type Value,
} from './value.js';

function body(node: Node, name: string): Graph {
  const attribute = node.attributes[name];
  if (attribute?.type !== 'graph') throw fail(node, `expected a graph in ${name}, got none`);
  return attribute.value;
}

const isTrue = (value: Value): boolean => numbers(value)[0] !== 0;

/** Joins values of one shape along a new axis. */
function stack(values: readonly Value[], axis: number, empty: Value): Value {
  const first = values[0] ?? empty;
  const extent = values.length;
  const run = first.data.length;
  const data = arrayLike(first, extent * run);
  for (const [s, value] of values.entries()) for (let i = 0; i < run; i++) data[s * run + i] = value.data[i] as number;
  const front = like(first, data, [extent, ...first.shape]);
  if (axis === 0) return front;
  // The new axis moves from the front to its place.
  const strides = stridesOf(front.shape);
  const order = [...first.shape.keys()].map((k) => k + 1);
  order.splice(axis, 0, 0);
  const shape = order.map((k) => front.shape[k]!);
  return take(
    front,
    offsets(
      shape,
      order.map((k) => strides[k]!),
    ),
    shape,
  );
}

/** The slice at one index of an axis, without that axis. */
function sliceAt(x: Value, axis: number, index: number): Value {
  const strides = stridesOf(x.shape);
  const keep = <T>(values: readonly T[]): T[] => values.filter((_, k) => k !== axis);
  return take(x, offsets(keep(x.shape), keep(strides), index * strides[axis]!), keep(x.shape));
}

const emptyOf = (x: Value): Value => like(x, arrayLike(x, 0), [0]);

const loop: Kernel = (inputs, node, context: Context) => {
  const graph = body(node, 'body');
  const trips = inputs[0] ? numbers(inputs[0])[0]! : Infinity;
  let going = inputs[1] ? isTrue(inputs[1]) : true;
  let state = inputs.slice(2) as Value[];
  const scans: Value[][] = Array.from({ length: graph.outputs.length - 1 - state.length }, () => []);
  for (let i = 0; i < trips && going; i++) {
    const condition: Value = { type: 'bool', data: Uint8Array.of(1), shape: [] };
    const [next, ...rest] = context.run(graph, [longs([i], []), condition, ...state]);
    going = isTrue(next!);
    for (const [k, value] of rest.slice(state.length).entries()) scans[k]!.push(value);
    state = rest.slice(0, state.length);
  }
  return [...state, ...scans.map((values) => stack(values, 0, emptyOf(state[0] ?? longs([]))))];
};

const scan: Kernel = (inputs, node, context: Context) => {
  const graph = body(node, 'body');
  const count = intOf(node, 'num_scan_inputs', 0);
  let state = inputs.slice(0, inputs.length - count) as Value[];
  const sequences = inputs.slice(inputs.length - count) as Value[];
  const outputs = graph.outputs.length - state.length;
  const read = (name: string, length: number): readonly number[] => intsOf(node, name) ?? new Array<number>(length).fill(0);
  const inAxes = read('scan_input_axes', count).map((axis, k) => axisOf(node, axis, sequences[k]!.shape.length));
  const outAxes = read('scan_output_axes', outputs);
  const [inBack, outBack] = [read('scan_input_directions', count), read('scan_output_directions', outputs)];
  const steps = sequences[0]!.shape[inAxes[0]!]!;
  const scans: Value[][] = Array.from({ length: outputs }, () => []);
  for (let t = 0; t < steps; t++) {
    const slices = sequences.map((x, k) => sliceAt(x, inAxes[k]!, inBack[k] ? steps - 1 - t : t));
    const result = context.run(graph, [...state, ...slices]);
    for (const [k, value] of result.slice(state.length).entries()) outBack[k] ? scans[k]!.unshift(value) : scans[k]!.push(value);
    state = result.slice(0, state.length);
  }
  const placed = scans.map((values, k) =>
    stack(values, axisOf(node, outAxes[k]!, (values[0]?.shape.length ?? 0) + 1), emptyOf(sequences[0]!)),
  );
  return [...state, ...placed];
};

export const control: Kernels = {
  If: (inputs, node, context) => context.run(body(node, isTrue(need(inputs, 0, node)) ? 'then_branch' : 'else_branch'), []),
  Loop: loop,
  Scan: scan,
};
