// RNN, GRU and LSTM unrolled over a known number of steps: one product with the inputs of all steps, then one small one per step.
import { type Builder, float, type Value } from '../builder.js';
import { type Attribute, graphTensor, intOf, type Node, stringOf } from '../graph.js';
import { fail } from '../reference/value.js';
import { likeFirst, type Rule } from './rule.js';

type Activate = (x: Value) => Value;

/** What one step of one direction works with. */
interface Setting {
  readonly b: Builder;
  readonly node: Node;
  readonly hidden: number;
  /** Rᵀ of one gate's rows, [H, H]. */
  readonly recurrent: (gate: number) => Value;
  /** Rᵀ of all gates, [H, gates·H]. */
  readonly recurrentAll: Value;
  /** Recurrent bias of one gate, [H]. */
  readonly bias: (gate: number) => Value | undefined;
  readonly peephole: (gate: number) => Value | undefined;
  readonly f: readonly Activate[];
  readonly clip: Activate;
}

interface State {
  readonly h: Value;
  readonly c: Value;
}

/** The next state from the input's part [B, gates·H] (its bias added) and the state. */
type Cell = (s: Setting, input: Value, state: State) => State;

const split = (b: Builder, x: Value, axis: number, parts: number): Value[] => {
  if (parts === 1) return [x];
  const size = (b.shape(x)[axis] as number) / parts;
  return b.emit('Split', [x, b.ints(new Array<number>(parts).fill(size))], { axis }, parts);
};
const gatesOf = (b: Builder, x: Value, count: number): Value[] => split(b, x, 1, count);
/** 1 − x */
const rest = (b: Builder, x: Value): Value => b.sub(b.scalar(x, 1), x);

/** Input and recurrent part of all gates, recurrent bias included. */
function allGates({ b, recurrentAll, bias }: Setting, input: Value, h: Value, count: number): Value[] {
  const biases = Array.from({ length: count }, (_, gate) => bias(gate));
  const shift = biases[0] === undefined ? undefined : b.concat(biases as Value[], 0);
  return gatesOf(b, b.sum(input, b.matmul(h, recurrentAll), shift)!, count);
}

const rnn: Cell = (s, input, { h, c }) => ({ h: s.f[0]!(s.clip(allGates(s, input, h, 1)[0]!)), c });

const gru: Cell = (s, input, { h, c }) => {
  const { b, node, f, clip } = s;
  const [iz, ir, ih] = gatesOf(b, input, 3) as [Value, Value, Value];
  const state = (gate: number, of: Value): Value => b.sum(b.matmul(of, s.recurrent(gate)), s.bias(gate))!;
  const z = f[0]!(clip(b.add(iz, state(0, h))));
  const r = f[0]!(clip(b.add(ir, state(1, h))));
  const recurrent = intOf(node, 'linear_before_reset', 0) ? b.mul(r, state(2, h)) : state(2, b.mul(r, h));
  const n = f[1]!(clip(b.add(ih, recurrent)));
  return { h: b.add(b.mul(rest(b, z), n), b.mul(z, h)), c };
};

const lstm: Cell = (s, input, { h, c }) => {
  const { b, node, f, clip } = s;
  const [i, o, g, n] = allGates(s, input, h, 4) as [Value, Value, Value, Value];
  const look = (gate: Value, at: number, cell: Value): Value => {
    const weight = s.peephole(at);
    return weight ? b.add(gate, b.mul(weight, cell)) : gate;
  };
  const enter = f[0]!(clip(look(i, 0, c)));
  const keep = intOf(node, 'input_forget', 0) ? rest(b, enter) : f[0]!(clip(look(g, 2, c)));
  const next = b.add(b.mul(keep, c), b.mul(enter, f[1]!(clip(n))));
  const leave = f[0]!(clip(look(o, 1, next)));
  return { h: b.mul(leave, f[2]!(next)), c: next };
};

/** Operators of activations, with the attributes they take from activation_alpha and activation_beta. */
const named: Readonly<Record<string, readonly [op: string, alpha?: number, beta?: number]>> = {
  sigmoid: ['Sigmoid'],
  tanh: ['Tanh'],
  relu: ['Relu'],
  softsign: ['Softsign'],
  softplus: ['Softplus'],
  leakyrelu: ['LeakyRelu', 0.01],
  thresholdedrelu: ['ThresholdedRelu', 1],
  elu: ['Elu', 1],
  hardsigmoid: ['HardSigmoid', 0.2, 0.5],
  affine: ['Affine', 1, 0],
  scaledtanh: ['ScaledTanh', 1, 1],
};

/** The activations of direction `d`; parameters are handed out in order to those that take them. */
function activationsOf(node: Node, b: Builder, d: number, defaults: readonly string[]): Activate[] {
  const names = node.attributes.activations?.type === 'strings' ? node.attributes.activations.value : [...defaults, ...defaults];
  const numbers = (attribute: Attribute | undefined): number[] => (attribute?.type === 'floats' ? [...attribute.value] : []);
  const [alphas, betas] = [numbers(node.attributes.activation_alpha), numbers(node.attributes.activation_beta)];
  const all = names.map((name): Activate => {
    const known = named[name.toLowerCase()];
    if (!known) throw fail(node, `expected a known activation, got '${name}'`);
    const [op, a, c] = known;
    const alpha = a === undefined ? 0 : (alphas.shift() ?? a);
    const beta = c === undefined ? 0 : (betas.shift() ?? c);
    if (op === 'Affine') return (x) => b.add(b.scale(x, alpha), b.scalar(x, beta));
    if (op === 'ScaledTanh') return (x) => b.scale(b.op('Tanh', [b.scale(x, beta)]), alpha);
    return (x) => b.op(op, [x], { ...(a !== undefined && { alpha: float(alpha) }), ...(c !== undefined && { beta: float(beta) }) });
  });
  return all.slice(d * defaults.length, (d + 1) * defaults.length);
}

/** Row `d` of a tensor whose first axis is the direction. */
const ofDirection = (b: Builder, x: Value, d: number): Value => b.squeeze(b.slice(x, [0], [d], [d + 1]), [0]);

function unrolled(node: Node, b: Builder, cell: Cell, gates: number, defaults: readonly string[]): Value[] {
  const [input, W, R, B, lengths, h0, c0, P] = node.inputs.map((name) => name || undefined);
  const batchFirst = intOf(node, 'layout', 0) !== 0;
  const x = batchFirst ? b.transpose(input!, [1, 0, 2]) : input!;
  const steps = b.shape(x)[0]!;
  if (typeof steps === 'string') throw fail(node, `expected a known number of steps, got ${steps}; fix the input's shape`);
  const batch = b.shape(x)[1]!;
  const [directions, , hidden] = b.staticShape(R!) as [number, number, number];
  const backwards = stringOf(node, 'direction', 'forward') === 'reverse';
  const limit = node.attributes.clip?.type === 'float' ? node.attributes.clip.value : undefined;
  const clip: Activate = (v) => (limit === undefined ? v : b.op('Clip', [v, b.scalar(v, -limit), b.scalar(v, limit)]));
  const zeros = b.expand(b.scalar(x, 0), [batch, hidden]);
  const results = Array.from({ length: directions }, (_, d) => {
    const recurrentAll = b.transpose(ofDirection(b, R!, d), [1, 0]);
    const part = (of: Value | undefined, at: number): Value | undefined =>
      of && b.slice(ofDirection(b, of, d), [0], [at * hidden], [(at + 1) * hidden]);
    const setting: Setting = {
      b,
      node,
      hidden,
      recurrentAll,
      recurrent: (gate) => b.slice(recurrentAll, [1], [gate * hidden], [(gate + 1) * hidden]),
      bias: (gate) => part(B, gates + gate),
      peephole: (gate) => part(P, gate),
      f: activationsOf(node, b, d, defaults),
      clip,
    };
    const inputBias = B && b.slice(ofDirection(b, B, d), [0], [0], [gates * hidden]);
    const product = b.matmul(x, b.transpose(ofDirection(b, W!, d), [1, 0]));
    const all = inputBias ? b.add(product, inputBias) : product;
    const parts = split(b, all, 0, steps);
    const first = (given: Value | undefined): Value => (given ? startOf(b, given, d, batchFirst) : zeros);
    return sequence(setting, cell, parts, { h: first(h0), c: first(c0) }, backwards || d === 1, lengths);
  });
  const stack = (values: readonly Value[], axis: number): Value =>
    b.concat(
      values.map((v) => b.unsqueeze(v, [axis])),
      axis,
    );
  const axis = batchFirst ? 1 : 0;
  const every = stack(
    results.map(({ all }) => all),
    1,
  );
  const Y = batchFirst ? b.transpose(every, [2, 0, 1, 3]) : every;
  return [
    Y,
    stack(
      results.map(({ last }) => last.h),
      axis,
    ),
    stack(
      results.map(({ last }) => last.c),
      axis,
    ),
  ];
}

const startOf = (b: Builder, given: Value, d: number, batchFirst: boolean): Value =>
  ofDirection(b, batchFirst ? b.transpose(given, [1, 0, 2]) : given, d);

/** Runs a cell over the steps; a sequence that is over keeps its state and gives zeros. */
function sequence(s: Setting, cell: Cell, parts: readonly Value[], start: State, reverse: boolean, lengths: Value | undefined) {
  const { b } = s;
  const known = lengths === undefined ? undefined : b.extentsOf(lengths);
  const open = lengths === undefined || known?.every((length) => length === parts.length) ? undefined : lengths;
  const outputs: Value[] = new Array(parts.length);
  let last = start;
  for (let k = 0; k < parts.length; k++) {
    const t = reverse ? parts.length - 1 - k : k;
    const next = cell(s, b.squeeze(parts[t]!, [0]), last);
    if (open === undefined) {
      [last, outputs[t]] = [next, next.h];
      continue;
    }
    const running = b.unsqueeze(b.op('Less', [b.constant(graphTensor(b.elementType(open), [t])), open]), [1]);
    outputs[t] = b.op('Where', [running, next.h, b.scalar(next.h, 0)]);
    last = { h: b.op('Where', [running, next.h, last.h]), c: next.c === last.c ? last.c : b.op('Where', [running, next.c, last.c]) };
  }
  return {
    all: b.concat(
      outputs.map((y) => b.unsqueeze(y, [0])),
      0,
    ),
    last,
  };
}

const recurrent = (cell: Cell, gates: number, defaults: readonly string[]): Rule => ({
  infer: likeFirst,
  expand: (node, b) => unrolled(node, b, cell, gates, defaults).slice(0, Math.max(1, node.outputs.length)),
});

export const RNN = recurrent(rnn, 1, ['Tanh']);
export const GRU = recurrent(gru, 3, ['Sigmoid', 'Tanh']);
export const LSTM = recurrent(lstm, 4, ['Sigmoid', 'Tanh', 'Tanh']);
