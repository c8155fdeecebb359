// RNN, GRU and LSTM, step by step as the specification's equations read.
import { exp, log1p, tanh } from '../../kernels/scalar.js';
import { intOf, type Node, stringOf } from '../graph.js';
import { type Elements, fail, floats, type Kernel, type Kernels, list, need, numbers, type Value } from './value.js';

type Activation = (x: number) => number;

const sigmoid: Activation = (x) => 1 / (1 + exp(-x));

/** An activation by the name and parameters the specification gives it. */
function activation(node: Node, name: string, alpha: number | undefined, beta: number | undefined): Activation {
  switch (name.toLowerCase()) {
    case 'sigmoid':
      return sigmoid;
    case 'tanh':
      return tanh;
    case 'relu':
      return (x) => Math.max(0, x);
    case 'affine':
      return (x) => (alpha ?? 1) * x + (beta ?? 0);
    case 'leakyrelu':
      return (x) => (x < 0 ? (alpha ?? 0.01) * x : x);
    case 'thresholdedrelu':
      return (x) => (x > (alpha ?? 1) ? x : 0);
    case 'scaledtanh':
      return (x) => (alpha ?? 1) * tanh((beta ?? 1) * x);
    case 'hardsigmoid':
      return (x) => Math.min(1, Math.max(0, (alpha ?? 0.2) * x + (beta ?? 0.5)));
    case 'elu':
      return (x) => (x < 0 ? (alpha ?? 1) * (exp(x) - 1) : x);
    case 'softsign':
      return (x) => x / (1 + Math.abs(x));
    case 'softplus':
      return (x) => Math.max(x, 0) + log1p(exp(-Math.abs(x)));
  }
  throw fail(node, `expected a known activation, got '${name}'`);
}

/** Sizes and flags of one recurrent node. */
interface Shape {
  readonly steps: number;
  readonly batch: number;
  readonly features: number;
  readonly hidden: number;
  readonly gates: number;
}

/** What one direction needs: its weights as [gate][unit] rows, its bias, where its state starts. */
interface Direction extends Shape {
  readonly W: (row: number, k: number) => number;
  readonly R: (row: number, k: number) => number;
  /** Input bias and recurrent bias of a row. */
  readonly bW: (row: number) => number;
  readonly bR: (row: number) => number;
  readonly f: readonly Activation[];
  readonly clip: (x: number) => number;
  /** Peephole weight of a row (gates i, o, f), or 0. */
  readonly peephole: (row: number) => number;
}

/** The next state of one sample from x, h and c; c is not used by RNN and GRU. */
type Cell = (d: Direction, node: Node, x: (k: number) => number, h: Float64Array, c: Float64Array) => { h: Float64Array; c: Float64Array };

const dot = (n: number, weight: (k: number) => number, of: (k: number) => number): number => {
  let sum = 0;
  for (let k = 0; k < n; k++) sum += weight(k) * of(k);
  return sum;
};

const rnn: Cell = (d, _node, x, h, c) => ({
  h: h.map((_, u) => {
    const z =
      dot(d.features, (k) => d.W(u, k), x) +
      dot(
        d.hidden,
        (k) => d.R(u, k),
        (k) => h[k]!,
      ) +
      d.bW(u) +
      d.bR(u);
    return d.f[0]!(d.clip(z));
  }),
  c,
});

const gru: Cell = (d, node, x, h, c) => {
  const linearFirst = intOf(node, 'linear_before_reset', 0) !== 0;
  const input = (row: number): number => dot(d.features, (k) => d.W(row, k), x) + d.bW(row);
  const state = (row: number, of: Float64Array): number =>
    dot(
      d.hidden,
      (k) => d.R(row, k),
      (k) => of[k]!,
    ) + d.bR(row);
  const H = d.hidden;
  const z = h.map((_, u) => d.f[0]!(d.clip(input(u) + state(u, h))));
  const r = h.map((_, u) => d.f[0]!(d.clip(input(H + u) + state(H + u, h))));
  const gated = h.map((e, u) => e * r[u]!);
  const n = h.map((_, u) => {
    const recurrent = linearFirst ? r[u]! * state(2 * H + u, h) : state(2 * H + u, gated);
    return d.f[1]!(d.clip(input(2 * H + u) + recurrent));
  });
  return { h: h.map((e, u) => (1 - z[u]!) * n[u]! + z[u]! * e), c };
};

const lstm: Cell = (d, node, x, h, c) => {
  const coupled = intOf(node, 'input_forget', 0) !== 0;
  const H = d.hidden;
  const gate = (row: number): number =>
    dot(d.features, (k) => d.W(row, k), x) +
    dot(
      H,
      (k) => d.R(row, k),
      (k) => h[k]!,
    ) +
    d.bW(row) +
    d.bR(row);
  // Rows: input, output, forget, cell.
  const i = h.map((_, u) => d.f[0]!(d.clip(gate(u) + d.peephole(u) * c[u]!)));
  const f = coupled ? i.map((e) => 1 - e) : h.map((_, u) => d.f[0]!(d.clip(gate(2 * H + u) + d.peephole(2 * H + u) * c[u]!)));
  const next = c.map((e, u) => f[u]! * e + i[u]! * d.f[1]!(d.clip(gate(3 * H + u))));
  const o = h.map((_, u) => d.f[0]!(d.clip(gate(H + u) + d.peephole(H + u) * next[u]!)));
  return { h: next.map((e, u) => o[u]! * d.f[2]!(e)), c: next };
};

/** A recurrent operator from its cell, its number of gates and its default activations. */
const recurrent =
  (cell: Cell, gates: number, defaults: readonly string[]): Kernel =>
  (inputs, node) => {
    const [x, w, r] = [need(inputs, 0, node), need(inputs, 1, node), need(inputs, 2, node)];
    const [bias, lengths, h0, c0, peepholes] = [3, 4, 5, 6, 7].map((i) => inputs[i]);
    const batchFirst = intOf(node, 'layout', 0) !== 0;
    const [a, b, features] = x.shape as [number, number, number];
    const [steps, batch] = batchFirst ? [b, a] : [a, b];
    const [directions, , hidden] = r.shape as [number, number, number];
    const sizes = { steps, batch, features, hidden, gates };
    const X = numbers(x);
    const read = (t: number, n: number, k: number): number => X[(batchFirst ? n * steps + t : t * batch + n) * features + k]!;
    const limit = node.attributes.clip?.value as number | undefined;
    const backwards = stringOf(node, 'direction', 'forward') === 'reverse';
    const Y = new Float64Array(steps * directions * batch * hidden);
    const [Yh, Yc] = [new Float64Array(directions * batch * hidden), new Float64Array(directions * batch * hidden)];
    const counts = lengths && list(lengths);
    for (let d = 0; d < directions; d++) {
      const direction: Direction = {
        ...sizes,
        ...weights(d, sizes, numbers(w), numbers(r), bias && numbers(bias), peepholes && numbers(peepholes)),
        f: activations(node, d, defaults),
        clip: (value) => (limit === undefined ? value : Math.min(limit, Math.max(-limit, value))),
      };
      for (let n = 0; n < batch; n++) {
        const start = (value: Value | undefined): Float64Array => {
          const at = (batchFirst ? n * directions + d : d * batch + n) * hidden;
          return value ? Float64Array.from(list(value).slice(at, at + hidden)) : new Float64Array(hidden);
        };
        let state = { h: start(h0), c: start(c0) };
        const count = counts?.[n] ?? steps;
        for (let s = 0; s < count; s++) {
          const t = backwards || d === 1 ? count - 1 - s : s;
          state = cell(direction, node, (k) => read(t, n, k), state.h, state.c);
          Y.set(state.h, (batchFirst ? (n * steps + t) * directions + d : (t * directions + d) * batch + n) * hidden);
        }
        const last = (batchFirst ? n * directions + d : d * batch + n) * hidden;
        Yh.set(state.h, last), Yc.set(state.c, last);
      }
    }
    const final = batchFirst ? [batch, directions, hidden] : [directions, batch, hidden];
    const all = batchFirst ? [batch, steps, directions, hidden] : [steps, directions, batch, hidden];
    return [floats(Y, all), floats(Yh, final), floats(Yc, final)];
  };

/** The weights of direction `d`: W [D, gates·H, F], R [D, gates·H, H], B [D, 2·gates·H], P [D, 3·H]. */
function weights(d: number, { features, hidden, gates }: Shape, W: Elements, R: Elements, B?: Elements, P?: Elements) {
  const rows = gates * hidden;
  return {
    W: (row: number, k: number): number => W[(d * rows + row) * features + k]!,
    R: (row: number, k: number): number => R[(d * rows + row) * hidden + k]!,
    bW: (row: number): number => B?.[d * 2 * rows + row] ?? 0,
    bR: (row: number): number => B?.[(d * 2 + 1) * rows + row] ?? 0,
    peephole: (row: number): number => P?.[d * 3 * hidden + row] ?? 0,
  };
}

/** The activations of direction `d`; parameters are handed out in order to those that take them. */
function activations(node: Node, d: number, defaults: readonly string[]): Activation[] {
  const names = node.attributes.activations?.type === 'strings' ? node.attributes.activations.value : [...defaults, ...defaults];
  const list = (name: string): number[] => [...((node.attributes[name]?.value as readonly number[] | undefined) ?? [])];
  const [alphas, betas] = [list('activation_alpha'), list('activation_beta')];
  const all = names.map((name) => {
    const key = name.toLowerCase();
    const alpha = /^(affine|leakyrelu|thresholdedrelu|scaledtanh|hardsigmoid|elu)$/.test(key) ? alphas.shift() : undefined;
    return activation(node, key, alpha, /^(affine|scaledtanh|hardsigmoid)$/.test(key) ? betas.shift() : undefined);
  });
  return all.slice(d * defaults.length, (d + 1) * defaults.length);
}

export const recurrences: Kernels = {
  RNN: recurrent(rnn, 1, ['Tanh']),
  GRU: recurrent(gru, 3, ['Sigmoid', 'Tanh']),
  LSTM: recurrent(lstm, 4, ['Sigmoid', 'Tanh', 'Tanh']),
};
