import { each, float, given, ints, normal, type OperatorCase, operatorFamily } from '../../helpers/operator-cases.js';

const microsoft = (op: string, inputs: OperatorCase['inputs'], attributes: OperatorCase['attributes'] = {}): OperatorCase => ({
  op,
  domain: 'com.microsoft',
  inputs,
  attributes,
});

operatorFamily(
  'fused activations and products',
  [
    ...['Gelu', 'QuickGelu', 'FastGelu'].map((op) => microsoft(op, [normal(3, 8)])),
    microsoft('QuickGelu', [normal(3, 8)], { alpha: float(1.2) }),
    microsoft('FastGelu', [normal(2, 3, 8), normal(8)]),
    microsoft('BiasGelu', [normal(2, 3, 8), normal(8)]),
    microsoft('FusedMatMul', [normal(2, 3, 4), normal(2, 4, 5)], { alpha: float(0.5) }),
    microsoft('FusedMatMul', [normal(2, 4, 3), normal(4, 5)], { transA: 1 }),
    microsoft('FusedMatMul', [normal(2, 3, 4), normal(2, 5, 4)], { transB: 1, alpha: float(2) }),
    microsoft('FusedMatMul', [normal(3, 2, 4), normal(2, 4, 5)], { transBatchA: 1 }),
    microsoft('FusedMatMul', [normal(3, 2, 4), normal(5, 2, 3)], { transBatchA: 1, transA: 1, transBatchB: 1, transB: 1 }),
    microsoft('TransposeMatMul', [normal(4, 3), normal(4, 5)], { transA: 1 }),
    microsoft('FusedGemm', [normal(3, 4), normal(4, 5), normal(5)], { activation: 'Tanh' }),
    ...['Relu', 'Sigmoid'].map((activation) =>
      microsoft('FusedConv', [normal(1, 2, 4, 5), normal(3, 2, 3, 3), normal(3)], { activation, pads: [1, 1, 1, 1] }),
    ),
    microsoft('Trilu', [normal(3, 4)]),
  ],
  0,
);

operatorFamily(
  'fused normalisations',
  [
    microsoft('SkipLayerNormalization', [normal(2, 3, 8), normal(2, 3, 8), normal(8)]),
    microsoft('SkipLayerNormalization', [normal(2, 3, 8), normal(2, 3, 8), normal(8), normal(8), normal(8)], { epsilon: float(0.001) }),
    microsoft('SkipSimplifiedLayerNormalization', [normal(2, 3, 8), normal(2, 3, 8), normal(8)]),
    microsoft('SkipSimplifiedLayerNormalization', [normal(2, 3, 8), normal(2, 3, 8), normal(8), normal(8)]),
    { op: 'SimplifiedLayerNormalization', opset: 17, inputs: [normal(2, 3, 8), normal(8)] },
    {
      ...microsoft('EmbedLayerNormalization', [
        given('int32', [0, 3, 1, 2, 4, 4], [2, 3]),
        given('int32', [0, 0, 1, 1, 0, 1], [2, 3]),
        normal(5, 8),
        normal(6, 8),
        normal(2, 8),
        normal(8),
        normal(8),
        given('int32', [1, 1, 0, 1, 1, 1], [2, 3]),
      ]),
      outputs: 2,
    },
  ],
  0,
);

const fused = (attributes: OperatorCase['attributes'] = {}, ...more: OperatorCase['inputs']): OperatorCase =>
  microsoft('Attention', [normal(2, 3, 4), normal(4, 12), normal(12), ...more], { num_heads: 2, ...attributes });

operatorFamily(
  'attention of com.microsoft',
  [
    fused(),
    fused({ unidirectional: 1 }),
    fused({ scale: float(0.3) }),
    fused({}, given('int32', [1, 1, 1, 1, 1, 0], [2, 3])),
    fused({}, given('int32', [3, 2], [2])),
    fused({}, given('int32', [1, 0, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1], [2, 3, 3])),
    fused({}, undefined, undefined, normal(2, 2, 3, 3)),
    microsoft('MultiHeadAttention', [normal(2, 3, 4), normal(2, 5, 4), normal(2, 5, 4)], { num_heads: 2 }),
    microsoft('MultiHeadAttention', [normal(2, 3, 4), normal(2, 5, 4), normal(2, 5, 6), normal(14)], { num_heads: 2 }),
    microsoft(
      'MultiHeadAttention',
      [normal(2, 3, 4), normal(2, 3, 4), normal(2, 3, 4), undefined, given('int32', [1, 1, 0, 1, 1, 1], [2, 3])],
      { num_heads: 2 },
    ),
  ],
  0,
);

const standard = (inputs: OperatorCase['inputs'], attributes: OperatorCase['attributes'] = {}): OperatorCase => ({
  op: 'Attention',
  opset: 23,
  inputs,
  attributes,
});
const [q, k] = [normal(2, 4, 3, 2), normal(2, 4, 5, 2)];

operatorFamily(
  'attention of ai.onnx',
  [
    standard([q, k, k]),
    standard([normal(2, 3, 8), normal(2, 5, 8), normal(2, 5, 4)], { q_num_heads: 4, kv_num_heads: 4 }),
    standard([q, normal(2, 2, 5, 2), normal(2, 2, 5, 3)]),
    standard([q, q, q], { is_causal: 1 }),
    standard([q, k, k, normal(3, 5)], { scale: float(0.4) }),
    standard([q, k, k, given('bool', [1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 1], [3, 5], false)]),
    ...each(standard([q, k, k]), { softcap: float(1.5) }),
    { ...standard([q, q, q, undefined, k, k]), outputs: 3, of: [0, 1, 2] },
  ],
  0,
);

const [cos, sin] = [normal(6, 2), normal(6, 2)];
const positions = given('int64', [0, 3, 1, 2, 4, 5], [2, 3]);

operatorFamily('rotary embeddings', [
  ...each({ op: 'RotaryEmbedding', opset: 23, inputs: [normal(2, 3, 3, 4), cos, sin, positions] }, {}, { interleaved: 1 }),
  { op: 'RotaryEmbedding', opset: 23, inputs: [normal(2, 3, 8), cos, sin, positions], attributes: { num_heads: 2 } },
  { op: 'RotaryEmbedding', opset: 23, inputs: [normal(2, 3, 3, 6), cos, sin, positions], attributes: { rotary_embedding_dim: 4 } },
  { op: 'RotaryEmbedding', opset: 23, inputs: [normal(2, 3, 3, 4), normal(2, 3, 2), normal(2, 3, 2)] },
  ...each(microsoft('RotaryEmbedding', [normal(2, 3, 8), positions, cos, sin]), {}, { interleaved: 1 }),
  microsoft('RotaryEmbedding', [normal(2, 3, 8), ints([2]), cos, sin]),
]);
