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
  /** Rᵀ of the gates from one to another, [H, gates·H]. */
  readonly recurrent: (from: number, to: number) => Value;
  /** The recurrent bias that the reset gate scales (GRU with linear_before_reset); every other bias comes with the input. */
  readonly candidateBias: Value | undefined;
  readonly peephole: (gate: number) => Value | undefined;
  readonly f: readonly Activate[];
  readonly clip: Activate;
}

interface State {
  readonly h: Value;
  readonly c: Value;
}

/** The next state from the input's part [B, gates·H] (biases added) and the state. */
type Cell = (s: Setting, input: Value, state: State) => State;

const split = (b: Builder, x: Value, axis: number, parts: number): Value[] => {
  if (parts === 1) return [x];
  const size = (b.shape(x)[axis] as number) / parts;
  return b.emit('Split', [x, b.ints(new Array<number>(parts).fill(size))], { axis }, parts);
};
/** 1 − x */
const rest = (b: Builder, x: Value): Value => b.sub(b.scalar(x, 1), x);

const rnn: Cell = ({ b, f, clip, recurrent }, input, { h, c }) => ({
  h: f[0]!(clip(b.add(input, b.matmul(h, recurrent(0, 1))))),
  c,
});

const gru: Cell = (s, input, { h, c }) => {
  const { b, node, f, clip, hidden } = s;
  const [gates, candidate] = b.emit('Split', [input, b.ints([2 * hidden, hidden])], { axis: 1 }, 2) as [Value, Value];
  const state = (from: number, to: number, of: Value): Value => b.matmul(of, s.recurrent(from, to));
  const linear = intOf(node, 'linear_before_reset', 0) !== 0;
  const all = linear ? b.emit('Split', [state(0, 3, h), b.ints([2 * hidden, hidden])], { axis: 1 }, 2) : [state(0, 2, h)];
  // Update and reset gate share their activation.
  const [z, r] = split(b, f[0]!(clip(b.add(gates, all[0]!))), 1, 2) as [Value, Value];
  const n = f[1]!(clip(b.add(candidate, linear ? b.mul(r, b.sum(all[1]!, s.candidateBias)!) : state(2, 3, b.mul(r, h)))));
  return { h: b.add(b.mul(rest(b, z), n), b.mul(z, h)), c };
};

const lstm: Cell = (s, input, { h, c }) => {
  const { b, node, f, clip, hidden } = s;
  const sum = b.add(input, b.matmul(h, s.recurrent(0, 4)));
  const [gates, candidate] = b.emit('Split', [sum, b.ints([3 * hidden, hidden])], { axis: 1 }, 2) as [Value, Value];
  const coupled = intOf(node, 'input_forget', 0) !== 0;
  const next = (enter: Value, keep: Value): Value => b.add(b.mul(coupled ? rest(b, enter) : keep, c), b.mul(enter, f[1]!(clip(candidate))));
  if (!s.peephole(0)) {
    // Input, output and forget gate share their activation.
    const [enter, leave, keep] = split(b, f[0]!(clip(gates)), 1, 3) as [Value, Value, Value];
    const cell = next(enter, keep);
    return { h: b.mul(leave, f[2]!(cell)), c: cell };
  }
  const [i, o, g] = split(b, gates, 1, 3) as [Value, Value, Value];
  const look = (gate: Value, at: number, cell: Value): Value => f[0]!(clip(b.add(gate, b.mul(s.peephole(at)!, cell))));
  const cell = next(look(i, 0, c), look(g, 2, c));
  return { h: b.mul(look(o, 1, cell), f[2]!(cell)), c: cell };
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
  if (steps === 0) throw fail(node, 'expected at least one step, got 0');
  const batch = b.shape(x)[1]!;
  const [directions, , hidden] = b.staticShape(R!) as [number, number, number];
  const backwards = stringOf(node, 'direction', 'forward') === 'reverse';
  const limit = node.attributes.clip?.type === 'float' ? node.attributes.clip.value : undefined;
  const clip: Activate = (v) => (limit === undefined ? v : b.op('Clip', [v, b.scalar(v, -limit), b.scalar(v, limit)]));
  const late = node.op === 'GRU' && intOf(node, 'linear_before_reset', 0) !== 0;
  const zeros = b.expand(b.scalar(x, 0), [batch, hidden]);
  const results = Array.from({ length: directions }, (_, d) => {
    const recurrentAll = b.transpose(ofDirection(b, R!, d), [1, 0]);
    const part = (of: Value | undefined, from: number, to = from + 1): Value | undefined =>
      of && b.slice(ofDirection(b, of, d), [0], [from * hidden], [to * hidden]);
    const setting: Setting = {
      b,
      node,
      hidden,
      recurrent: (from, to) => b.slice(recurrentAll, [1], [from * hidden], [to * hidden]),
      candidateBias: late ? part(B, gates + 2) : undefined,
      peephole: (gate) => part(P, gate),
      f: activationsOf(node, b, d, defaults),
      clip,
    };
    const inputBias =
      B && b.add(part(B, 0, gates)!, late ? b.op('Pad', [part(B, gates, gates + 2)!, b.ints([0, hidden])]) : part(B, gates, 2 * gates)!);
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
