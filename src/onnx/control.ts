// If, Loop and Scan while a model is copied: branches are chosen or selected from, loops of known length unrolled.
import type { Builder, Value } from './builder.js';
import { sameShape } from './dims.js';
import { type Graph, graphTensor, intOf, intsOf, type Node } from './graph.js';
import { fail } from './reference/value.js';

/** Copies a body into the builder with values for its inputs; returns the values of its outputs. */
export type CopyBody = (body: Graph, inputs: readonly Value[]) => Value[];

/** True for operators whose attributes hold graphs. */
export function isControl({ domain, op }: Pick<Node, 'domain' | 'op'>): boolean {
  return domain === '' && (op === 'If' || op === 'Loop' || op === 'Scan');
}

/**
 * The outputs of a control-flow node, its bodies copied as often as they run.
 * @throws {GraphError} when that cannot be known before running
 */
export function unrollControl(b: Builder, node: Node, inputs: readonly Value[], copy: CopyBody): Value[] {
  if (node.op === 'If') return choose(b, node, inputs, copy);
  return node.op === 'Loop' ? loop(b, node, inputs, copy) : scan(b, node, inputs, copy);
}

function bodyOf(node: Node, name: string): Graph {
  const attribute = node.attributes[name];
  if (attribute?.type !== 'graph') throw fail(node, `expected a graph in ${name}, got none`);
  return attribute.value;
}

/** The only element of a value where it is known while the graph is written. */
function known(b: Builder, value: Value): number | undefined {
  const [element] = b.extentsOf(value) ?? [b.splatOf(value)];
  return typeof element === 'number' ? element : undefined;
}

/** One branch where the condition is known; else both, and a selection where their results have the same shapes. */
function choose(b: Builder, node: Node, [condition]: readonly Value[], copy: CopyBody): Value[] {
  const taken = known(b, condition!);
  if (taken !== undefined) return copy(bodyOf(node, taken ? 'then_branch' : 'else_branch'), []);
  const [yes, no] = [copy(bodyOf(node, 'then_branch'), []), copy(bodyOf(node, 'else_branch'), [])];
  return yes.map((value, i) => {
    const other = no[i]!;
    if (value === other) return value;
    if (!sameShape(b.type(value).shape, b.type(other).shape)) {
      throw fail(
        node,
        `expected branches of one shape under a computed condition, got [${b.type(value).shape}] and [${b.type(other).shape}]`,
      );
    }
    return b.op('Where', [condition!, value, other]);
  });
}

/** Values of one shape joined along a new axis. */
function stack(b: Builder, node: Node, values: readonly Value[], axis: number): Value {
  if (!values.length) throw fail(node, 'expected at least one trip, got none');
  return b.concat(
    values.map((value) => b.unsqueeze(value, [axis])),
    axis,
  );
}

function loop(b: Builder, node: Node, [count, start, ...initial]: readonly Value[], copy: CopyBody): Value[] {
  const body = bodyOf(node, 'body');
  const trips = count ? known(b, count) : Infinity;
  let going = start ? known(b, start) : 1;
  let state = [...initial];
  const scans: Value[][] = Array.from({ length: body.outputs.length - 1 - state.length }, () => []);
  const condition = b.constant(graphTensor('bool', [1], []));
  for (let i = 0; trips === undefined || i < trips; i++) {
    if (trips === undefined || going === undefined || (trips === Infinity && i >= 100_000)) {
      throw fail(node, 'expected a number of trips known before running, got a computed one');
    }
    if (!going) break;
    const [next, ...rest] = copy(body, [b.constant(graphTensor('int64', [i], [])), condition, ...state]);
    going = next === condition ? 1 : known(b, next!);
    for (const [k, value] of rest.slice(state.length).entries()) scans[k]!.push(value);
    state = rest.slice(0, state.length);
  }
  return [...state, ...scans.map((values) => stack(b, node, values, 0))];
}

function scan(b: Builder, node: Node, inputs: readonly Value[], copy: CopyBody): Value[] {
  const body = bodyOf(node, 'body');
  const count = intOf(node, 'num_scan_inputs', 0);
  let state = inputs.slice(0, inputs.length - count);
  const sequences = inputs.slice(inputs.length - count);
  const outputs = body.outputs.length - state.length;
  const read = (name: string, length: number): readonly number[] => intsOf(node, name) ?? new Array<number>(length).fill(0);
  const back = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);
  const inAxes = read('scan_input_axes', count).map((axis, k) => back(axis, b.rank(sequences[k]!)));
  const steps = b.shape(sequences[0]!)[inAxes[0]!]!;
  if (typeof steps !== 'number') throw fail(node, `expected a known number of steps, got ${steps}; fix the input's shape`);
  if (steps === 0) throw fail(node, 'expected at least one step, got 0');
  const [inBack, outBack] = [read('scan_input_directions', count), read('scan_output_directions', outputs)];
  const slices = sequences.map((x, k) => {
    if (steps === 1) return [b.squeeze(x, [inAxes[k]!])];
    const parts = b.emit('Split', [x, b.ints(new Array<number>(steps).fill(1))], { axis: inAxes[k]! }, steps);
    return parts.map((part) => b.squeeze(part, [inAxes[k]!]));
  });
  const scans: Value[][] = Array.from({ length: outputs }, () => []);
  for (let t = 0; t < steps; t++) {
    const result = copy(body, [...state, ...slices.map((parts, k) => parts[inBack[k] ? steps - 1 - t : t]!)]);
    for (const [k, value] of result.slice(state.length).entries()) {
      if (outBack[k]) scans[k]!.unshift(value);
      else scans[k]!.push(value);
    }
    state = result.slice(0, state.length);
  }
  const outAxes = read('scan_output_axes', outputs);
  return [...state, ...scans.map((values, k) => stack(b, node, values, back(outAxes[k]!, b.rank(values[0]!) + 1)))];
}
