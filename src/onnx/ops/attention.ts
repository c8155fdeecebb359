// Attention in its fused forms, written out: ai.onnx Attention, com.microsoft Attention and MultiHeadAttention.
import type { Builder, Value } from '../builder.js';
import { over, times } from '../dims.js';
import { type Dim, floatOf, graphTensor, intOf, intsOf, type Node } from '../graph.js';
import { fail } from '../reference/value.js';
import { likeFirst, type Rule } from './rule.js';

/** x [B, S, N·d] as [B, N, S, d]. */
function heads(b: Builder, node: Node, x: Value, count: number): Value {
  const [batch, steps, width] = b.shape(x) as [Dim, Dim, Dim];
  const each = over(width, count);
  if (each === undefined) throw fail(node, `expected a width that ${count} heads divide, got ${width}`);
  return b.transpose(b.reshape(x, [batch, steps, count, each]), [0, 2, 1, 3]);
}

/** x [B, N, S, d] as [B, S, N·d]. */
function joined(b: Builder, x: Value): Value {
  const [batch, count, steps, each] = b.shape(x) as [Dim, Dim, Dim, Dim];
  return b.reshape(b.transpose(x, [0, 2, 1, 3]), [batch, steps, times(count, each)]);
}

/** 0, 1, 2, … as int64. */
function iota(b: Builder, extent: Dim): Value {
  if (typeof extent === 'number') return b.ints(Array.from({ length: extent }, (_, i) => i));
  const scalar = (n: number): Value => b.constant(graphTensor('int64', [n], []));
  return b.op('Range', [scalar(0), b.squeeze(b.extents([extent]), [0]), scalar(1)]);
}

/** Scores with `value` where the key comes after the query; the last query sees the last key when `past` keys come first. */
function causal(b: Builder, scores: Value, value: number, past: Dim): Value {
  const [queries, keys] = b.shape(scores).slice(-2) as [Dim, Dim];
  const rows = b.unsqueeze(iota(b, queries), [1]);
  const from = past === 0 ? rows : b.add(rows, b.extents([past]));
  const seen = b.op('GreaterOrEqual', [from, b.unsqueeze(iota(b, keys), [0])]);
  return b.op('Where', [seen, scores, b.scalar(scores, value)]);
}

/** softmax(scores)·v, where the keys of `scores` [B, N, S, T] are the rows of v [B, N, T, d]. */
const mixed = (b: Builder, scores: Value, v: Value): Value => b.matmul(b.op('Softmax', [scores], { axis: -1 }), v);

const turned = (b: Builder, k: Value): Value => b.transpose(k, [0, 1, 3, 2]);

/** scale·q·kᵀ; the scale is shared out before the product, as 1/√d by default. */
function scoresOf(b: Builder, node: Node, q: Value, k: Value, scale: number): Value {
  const width = b.shape(q)[3]!;
  if (typeof width !== 'number') throw fail(node, `expected heads of known width, got ${width}`);
  return b.matmul(b.scale(q, scale === 0 ? 1 / Math.sqrt(width) : scale), turned(b, k));
}

/** A mask of zeros and ones as what is added to scores: 0 where seen, `low` elsewhere. */
function additive(b: Builder, mask: Value, low: number, like: Value): Value {
  const seen = b.elementType(mask) === 'bool' ? mask : b.op('Greater', [mask, b.constant(graphTensor(b.elementType(mask), [0], []))]);
  return b.op('Where', [seen, b.scalar(like, 0), b.scalar(like, low)]);
}

/** The mask inputs of com.microsoft: [B, T] or [B, S, T] of zeros and ones, or the number of keys of each sample [B]. */
function masked(b: Builder, node: Node, scores: Value, mask: Value | undefined, low: number): Value {
  if (!mask) return scores;
  const rank = b.rank(mask);
  if (rank === 2) return b.add(scores, additive(b, b.unsqueeze(mask, [1, 2]), low, scores));
  if (rank === 3) return b.add(scores, additive(b, b.unsqueeze(mask, [1]), low, scores));
  const [count, batch] = [b.shape(mask)[0], b.shape(scores)[0]];
  if (rank === 1 && (count === batch || typeof count === 'string' || typeof batch === 'string')) {
    const lengths = b.cast(b.unsqueeze(mask, [1]), 'int64');
    const seen = b.op('Less', [b.unsqueeze(iota(b, b.shape(scores)[3]!), [0]), lengths]);
    return b.add(scores, additive(b, b.unsqueeze(seen, [1, 2]), low, scores));
  }
  throw fail(node, `expected a mask [B, T], [B, S, T] or [B], got [${b.shape(mask)}]`);
}

function refuse(node: Node, what: string, given: unknown): void {
  if (given) throw fail(node, `expected attention without ${what}, got it`);
}

/** com.microsoft Attention: one product with the stacked weights of q, k and v. */
export const FusedAttention: Rule = {
  infer: likeFirst,
  expand: (node, b) => {
    const [x, weights, bias, mask, past, added] = node.inputs.map((name) => name || undefined);
    refuse(node, 'past keys', past);
    refuse(node, 'rotary embedding', intOf(node, 'do_rotary', 0));
    const count = intOf(node, 'num_heads', 1);
    const low = floatOf(node, 'mask_filter_value', -10000);
    const width = b.staticShape(weights!)[1]!;
    const sizes = intsOf(node, 'qkv_hidden_sizes') ?? [width / 3, width / 3, width / 3];
    const projected = b.sum(b.matmul(x!, weights!), bias)!;
    const [q, k, v] = b.emit('Split', [projected, b.ints(sizes)], { axis: 2 }, 3).map((part) => heads(b, node, part, count)) as [
      Value,
      Value,
      Value,
    ];
    let scores = b.sum(scoresOf(b, node, q, k, floatOf(node, 'scale', 0)), added)!;
    if (intOf(node, 'unidirectional', 0)) scores = causal(b, scores, low, 0);
    return [joined(b, mixed(b, masked(b, node, scores, mask, low), v))];
  },
};

/** com.microsoft MultiHeadAttention: q, k and v come in already projected. */
export const MultiHeadAttention: Rule = {
  infer: likeFirst,
  expand: (node, b) => {
    const [query, key, value, bias, mask, added, pastKey] = node.inputs.map((name) => name || undefined);
    refuse(node, 'past keys', pastKey);
    if (!key || !value || b.rank(query!) !== 3) throw fail(node, 'expected query, key and value [B, S, H], got a packed form');
    const count = intOf(node, 'num_heads', 1);
    const low = floatOf(node, 'mask_filter_value', -10000);
    const widths = [query!, key, value].map((x) => (b.rank(x) === 3 ? (b.shape(x)[2] as number) : 0));
    const biases = bias ? b.emit('Split', [bias, b.ints(widths)], { axis: 0 }, 3) : [];
    const [q, k, v] = [query!, key, value].map((x, i) =>
      b.rank(x) === 4 ? x : heads(b, node, biases[i] ? b.add(x, biases[i]) : x, count),
    ) as [Value, Value, Value];
    let scores = b.sum(scoresOf(b, node, q, k, floatOf(node, 'scale', 0)), added)!;
    if (intOf(node, 'unidirectional', 0)) scores = causal(b, scores, low, 0);
    return [joined(b, mixed(b, masked(b, node, scores, mask, low), v))];
  },
};

/** Repeats the heads of keys and values so that groups of queries share one. */
function shared(b: Builder, x: Value, queries: Dim): Value {
  const [batch, count, steps, each] = b.shape(x) as [Dim, number, Dim, Dim];
  if (count === queries) return x;
  const group = Number(queries) / count;
  return b.reshape(b.expand(b.unsqueeze(x, [2]), [batch, count, group, steps, each]), [batch, queries, steps, each]);
}

/** Attention of ai.onnx (operator set 23): [B, N, S, d] or [B, S, N·d], grouped heads, past keys, soft caps. */
export const Attention: Rule = {
  infer: likeFirst,
  expand: (node, b) => {
    const [Q, K, V, mask, pastKey, pastValue, padding] = node.inputs.map((name) => name || undefined) as [
      Value,
      Value,
      Value,
      ...(Value | undefined)[],
    ];
    refuse(node, 'nonpad_kv_seqlen', padding);
    refuse(node, 'the qk output', node.outputs[3]);
    const flat = b.rank(Q) === 3;
    const apart = (x: Value, attribute: string): Value => (b.rank(x) === 4 ? x : heads(b, node, x, intOf(node, attribute, 1)));
    const q = apart(Q, 'q_num_heads');
    const grow = (past: Value | undefined, x: Value): Value => (past ? b.concat([past, x], 2) : x);
    const [key, value] = [grow(pastKey, apart(K, 'kv_num_heads')), grow(pastValue, apart(V, 'kv_num_heads'))];
    const count = b.shape(q)[1]!;
    const lowest = b.elementType(Q) === 'float64' ? -Number.MAX_VALUE : -3.4028234663852886e38;
    let scores = scoresOf(b, node, q, shared(b, key, count), floatOf(node, 'scale', 0));
    const cap = floatOf(node, 'softcap', 0);
    if (cap) scores = b.scale(b.op('Tanh', [b.scale(scores, 1 / cap)]), cap);
    if (mask) scores = b.add(scores, b.elementType(mask) === 'bool' ? additive(b, mask, lowest, scores) : mask);
    if (intOf(node, 'is_causal', 0)) scores = causal(b, scores, lowest, pastKey ? b.shape(pastKey)[2]! : 0);
    const y = mixed(b, scores, shared(b, value, count));
    return [flat ? joined(b, y) : y, key, value];
  },
};
