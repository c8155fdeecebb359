// Operators of com.microsoft that exported and optimised transformers carry, written out in ai.onnx operators.
import type { Builder, Value } from '../builder.js';
import { floatOf, intOf, type Node, stringOf } from '../graph.js';
import { fail } from '../reference/value.js';
import { FusedAttention, MultiHeadAttention } from './attention.js';
import { gelu, geluTanh, swish } from './gates.js';
import { normalized, rootMeanSquare } from './norms.js';
import { FusedRotaryEmbedding } from './rotary.js';
import { likeFirst, type Rule } from './rule.js';

const written = (expand: (node: Node, b: Builder) => Value[]): Rule => ({ infer: likeFirst, expand });

const given = (node: Node): (Value | undefined)[] => node.inputs.map((name) => name || undefined);

/** The last two axes swapped. */
function turned(b: Builder, x: Value): Value {
  const axes = b.shape(x).map((_, axis) => axis);
  return b.transpose(x, [...axes.slice(0, -2), axes.length - 1, axes.length - 2]);
}

/** alpha·A·B; an operand may come with its rows in front of the stack (transBatch), and transposed. */
const FusedMatMul = written((node, b) => {
  const operand = (x: Value, side: 'A' | 'B'): Value => {
    const rank = b.rank(x);
    const between = Array.from({ length: Math.max(0, rank - 2) }, (_, i) => i + 1);
    const stacked = intOf(node, `transBatch${side}`, 0) && rank > 2 ? b.transpose(x, [...between, 0, rank - 1]) : x;
    return intOf(node, `trans${side}`, 0) && rank > 1 ? turned(b, stacked) : stacked;
  };
  const alpha = floatOf(node, 'alpha', 1);
  const product = b.matmul(operand(node.inputs[0]!, 'A'), operand(node.inputs[1]!, 'B'));
  return [alpha === 1 ? product : b.scale(product, alpha)];
});

/** The activation a fused node ends in. */
function activated(node: Node, b: Builder, x: Value): Value {
  const name = stringOf(node, 'activation', '');
  const params = node.attributes.activation_params?.type === 'floats' ? node.attributes.activation_params.value : [];
  const number = (key: string, i: number) => ({
    [key]: { type: 'float' as const, value: floatOf(node, `activation_${key}`, params[i] ?? 0) },
  });
  if (name === '') return x;
  if (['Relu', 'Sigmoid', 'Tanh'].includes(name)) return b.op(name, [x]);
  if (name === 'LeakyRelu') return b.op(name, [x], number('alpha', 0));
  if (name === 'HardSigmoid') return b.op(name, [x], { ...number('alpha', 0), ...number('beta', 1) });
  if (name === 'Clip') return b.op('Clip', [x, ...[0, 1].map((i) => b.scalar(x, params[i] ?? 0))]);
  throw fail(node, `expected a known activation, got '${name}'`);
}

const without = (node: Node): Node['attributes'] =>
  Object.fromEntries(Object.entries(node.attributes).filter(([name]) => !name.startsWith('activation')));

const FusedConv = written((node, b) => {
  const [x, w, bias, added] = node.inputs as [Value, Value, Value?, Value?];
  const y = b.op('Conv', bias ? [x, w, bias] : [x, w], without(node));
  return [activated(node, b, added ? b.add(y, added) : y)];
});

const FusedGemm = written((node, b) => [activated(node, b, b.op('Gemm', node.inputs, without(node)))]);

/** Normalises input + skip (+ bias): outputs the result, its mean and inverse deviation, and the sum itself. */
const skipNormalization = (mean: boolean): Rule =>
  written((node, b) => {
    const [x, skip, scale, ...rest] = given(node);
    const [shift, bias] = mean ? rest : [undefined, rest[0]];
    const sum = b.sum(x, skip, bias)!;
    const axes = [b.rank(sum) - 1];
    const epsilon = floatOf(node, 'epsilon', 1e-12);
    const parts = mean ? normalized(b, sum, axes, epsilon) : { ...rootMeanSquare(b, sum, axes, epsilon), mean: '' };
    const scaled = b.mul(parts.value, scale!);
    return [shift ? b.add(scaled, shift) : scaled, parts.mean, parts.inverse, sum];
  });

/** Word, position and segment rows added and normalised; the mask becomes the number of its ones. */
const EmbedLayerNormalization = written((node, b) => {
  const [ids, segments, words, places, kinds, scale, shift, mask, positions] = given(node);
  const steps = b.shape(ids!)[1]!;
  if (!positions && typeof steps !== 'number') throw fail(node, `expected a known number of steps or position_ids, got ${steps}`);
  const rows = (table: Value, at: Value): Value => b.op('Gather', [table, at], { axis: 0 });
  const placed = positions ? rows(places!, positions) : b.unsqueeze(b.slice(places!, [0], [0], [steps as number]), [0]);
  const sum = b.sum(rows(words!, ids!), placed, segments && rows(kinds!, segments))!;
  const { value } = normalized(b, sum, [2], floatOf(node, 'epsilon', 1e-12));
  const count = mask ? b.op('ReduceSum', [mask, b.ints([1])], { keepdims: 0 }) : '';
  return [b.add(b.mul(value, scale!), shift!), count, sum];
});

/** Rules of com.microsoft by operator. */
export const contrib: Readonly<Record<string, Rule>> = {
  Attention: FusedAttention,
  MultiHeadAttention,
  RotaryEmbedding: FusedRotaryEmbedding,
  FusedMatMul,
  TransposeMatMul: FusedMatMul,
  FusedConv,
  FusedGemm,
  EmbedLayerNormalization,
  SkipLayerNormalization: skipNormalization(true),
  SkipSimplifiedLayerNormalization: skipNormalization(false),
  Gelu: written((node, b) => [gelu(b, node.inputs[0]!)]),
  BiasGelu: written((node, b) => [gelu(b, b.add(node.inputs[0]!, node.inputs[1]!))]),
  FastGelu: written((node, b) => [geluTanh(b, b.sum(...given(node))!)]),
  QuickGelu: written((node, b) => [swish(b, node.inputs[0]!, floatOf(node, 'alpha', 1.702))]),
  Trilu: written((node, b) => [b.op('Trilu', node.inputs, node.attributes)]),
};
