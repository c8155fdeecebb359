import {
  away,
  constant,
  distinct,
  each,
  fixed,
  float,
  normal,
  type OperatorCase,
  operatorFamily,
  positive,
} from '../../helpers/operator-cases.js';

operatorFamily(
  'softmax',
  [
    ...['Softmax', 'LogSoftmax'].flatMap((op): OperatorCase[] => [
      { op, inputs: [normal(3, 5)] },
      ...each({ op, inputs: [normal(2, 3, 4)] }, {}, { axis: 0 }, { axis: 1 }, { axis: -2 }),
      ...each({ op, opset: 11, inputs: [normal(2, 3, 4)] }, {}, { axis: 0 }, { axis: 2 }, { axis: -1 }),
    ]),
    ...each({ op: 'Hardmax', inputs: [distinct(3, 4)], zero: true }, {}, { axis: 0 }),
  ],
  0,
);

const channels = (c: number, ...rest: number[]): OperatorCase['inputs'] => [normal(2, c, ...rest), normal(c), normal(c)];

operatorFamily(
  'normalisations',
  [
    { op: 'BatchNormalization', inputs: [...channels(3, 4, 5), normal(3), positive(3)] },
    { op: 'BatchNormalization', inputs: [...channels(3), normal(3), positive(3)], attributes: { epsilon: float(0.01) } },
    { op: 'BatchNormalization', opset: 9, inputs: [...channels(3, 4), constant(fixed(normal(3))), constant(fixed(positive(3)))] },
    { op: 'InstanceNormalization', inputs: channels(3, 5) },
    { op: 'InstanceNormalization', inputs: channels(2, 3, 4), attributes: { epsilon: float(0.01) } },
    ...each({ op: 'LayerNormalization', inputs: [normal(2, 3, 5), normal(5), normal(5)] }, {}, { axis: 2, epsilon: float(0.01) }),
    { op: 'LayerNormalization', inputs: [normal(2, 3, 5), normal(3, 5), normal(3, 5)], attributes: { axis: 1 } },
    { op: 'LayerNormalization', inputs: [normal(2, 3, 5), normal(5)] },
    { op: 'LayerNormalization', inputs: [normal(2, 3, 5), normal(5), normal(5)], outputs: 3, of: [0, 1, 2] },
    ...each(
      { op: 'GroupNormalization', opset: 21, inputs: [normal(2, 4, 3), normal(4), normal(4)] },
      { num_groups: 2 },
      { num_groups: 4, epsilon: float(0.01) },
      { num_groups: 1 },
    ),
    { op: 'GroupNormalization', opset: 18, inputs: [normal(2, 4, 3, 2), normal(2), normal(2)], attributes: { num_groups: 2 } },
    ...each({ op: 'RMSNormalization', opset: 23, inputs: [normal(2, 3, 5), normal(5)] }, {}, { axis: 2, epsilon: float(0.01) }),
    ...each(
      { op: 'LRN', inputs: [normal(2, 5, 3, 2)] },
      { size: 3 },
      { size: 5, alpha: float(0.2), beta: float(0.5), bias: float(2) },
      { size: 5, alpha: float(0.5) },
    ),
    { op: 'LRN', inputs: [normal(2, 4, 3)], attributes: { size: 2, alpha: float(0.2) }, ort: 'it takes odd sizes only' },
    ...each({ op: 'LpNormalization', inputs: [away(3, 4)] }, {}, { axis: 0, p: 1 }, { axis: 1, p: 2 }),
    ...each({ op: 'MeanVarianceNormalization', inputs: [normal(2, 3, 4, 2)] }, {}, { axes: [0, 2, 3] }, { axes: [1] }),
  ],
  0,
);
