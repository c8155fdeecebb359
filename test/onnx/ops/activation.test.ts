import {
  aboveOne,
  away,
  distinct,
  each,
  float,
  given,
  normal,
  type OperatorCase,
  operatorFamily,
  positive,
  unit,
} from '../../helpers/operator-cases.js';

operatorFamily(
  'trigonometric and hyperbolic functions',
  [
    ...['Sin', 'Cos', 'Atan', 'Sinh', 'Cosh', 'Asinh'].map((op): OperatorCase => ({ op, inputs: [normal(3, 5)] })),
    ...['Tan', 'Asin', 'Acos', 'Atanh'].map((op): OperatorCase => ({ op, inputs: [unit(3, 5)], tolerance: 1e-4 })),
    { op: 'Acosh', inputs: [aboveOne(3, 5)], tolerance: 1e-4 },
  ],
  0,
);

operatorFamily(
  'activations',
  [
    ...['LeakyRelu', 'Elu', 'Celu', 'ThresholdedRelu'].flatMap((op) => each({ op, inputs: [away(3, 7)] }, {}, { alpha: float(0.3) })),
    ...each({ op: 'Selu', inputs: [away(3, 7)] }, {}, { alpha: float(1.2), gamma: float(0.8) }),
    ...['Softplus', 'Softsign', 'HardSwish', 'Mish'].map((op): OperatorCase => ({ op, inputs: [normal(3, 7)] })),
    { op: 'HardSwish', inputs: [given('float32', [-4, -3.5, 3.5, 7], [4], false)], zero: true },
    ...each({ op: 'HardSigmoid', inputs: [distinct(60)] }, {}, { alpha: float(0.5), beta: float(0.3) }),
    ...each({ op: 'Shrink', inputs: [distinct(40)] }, { lambd: float(0.43) }, { lambd: float(0.43), bias: float(0.2) }),
    ...each({ op: 'Gelu', opset: 20, inputs: [normal(3, 7)] }, {}, { approximate: 'tanh' }),
    { op: 'PRelu', inputs: [away(2, 3, 4), normal(3, 1)] },
    { op: 'PRelu', inputs: [away(2, 3, 4), normal(1)] },
    { op: 'PRelu', inputs: [away(2, 3, 4), normal(4)] },
    ...each({ op: 'Swish', opset: 24, inputs: [normal(5)] }, {}, { alpha: float(1.5) }),
  ],
  0,
);

operatorFamily('Max, Min, Sum, Mean, Mod', [
  ...['Max', 'Min', 'Sum', 'Mean'].flatMap((op): OperatorCase[] => [
    { op, inputs: [normal(2, 3), normal(3)] },
    { op, inputs: [normal(2, 1, 3), normal(4, 1), normal(1)] },
    { op, inputs: [normal(4)] },
  ]),
  { op: 'Max', inputs: [given('int64', [1, -2], [2], false), given('int64', [0, 5], [2], false)], zero: true },
  { op: 'Max', inputs: [given('float32', [1, Number.NaN, 3], [3], false), given('float32', [2], [1], false)], zero: true },
  { op: 'Mod', inputs: [away(3, 4), positive(4)], attributes: { fmod: 1 }, seed: 3 },
  ...each(
    { op: 'Mod', inputs: [given('int64', [7, -7, 5], [3], false), given('int64', [3, 3, -3], [3], false)], zero: true },
    {},
    { fmod: 1 },
  ),
  ...['BitwiseAnd', 'BitwiseOr', 'BitwiseXor'].map(
    (op): OperatorCase => ({ op, inputs: [given('int32', [7, -7, 5], [3], false), given('int32', [3], [1], false)], zero: true }),
  ),
  { op: 'BitwiseNot', inputs: [given('int32', [7, -7, 5], [3], false)], zero: true },
  ...each(
    { op: 'BitShift', inputs: [given('uint32', [7, 9, 5], [3], false), given('uint32', [1, 2, 3], [3], false)], zero: true },
    { direction: 'LEFT' },
    { direction: 'RIGHT' },
  ),
]);
