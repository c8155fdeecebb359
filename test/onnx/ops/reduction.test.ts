import { away, distinct, each, given, ints, normal, type OperatorCase, operatorFamily, positive } from '../../helpers/operator-cases.js';

const reductions: [string, (...shape: number[]) => ReturnType<typeof normal>][] = [
  ['ReduceSum', normal],
  ['ReduceMean', normal],
  ['ReduceMax', distinct],
  ['ReduceMin', distinct],
  ['ReduceProd', away],
  ['ReduceL1', away],
  ['ReduceL2', normal],
  ['ReduceSumSquare', normal],
  ['ReduceLogSum', positive],
  ['ReduceLogSumExp', normal],
];

operatorFamily(
  'reductions',
  reductions.flatMap(([op, x]): OperatorCase[] => [
    { op, inputs: [x(2, 3, 4)] },
    { op, inputs: [x(2, 3, 4), ints([1])] },
    { op, inputs: [x(2, 3, 4), ints([-1])], attributes: { keepdims: 0 } },
    { op, inputs: [x(2, 3, 4), ints([0, -1])], attributes: { keepdims: 0 } },
    { op, inputs: [x(2, 3)], attributes: { keepdims: 0 } },
    { op, inputs: [x(2, 1, 3), ints([1])] },
    { op, inputs: [x(2, 3)], attributes: { noop_with_empty_axes: 1 } },
    ...(op === 'ReduceSum' ? [] : each({ op, opset: 13, inputs: [x(2, 3, 4)] }, { axes: [0, 2] }, { axes: [-2], keepdims: 0 })),
  ]),
);

operatorFamily(
  'sums of old operator sets',
  each({ op: 'ReduceSum', opset: 11, inputs: [normal(2, 3, 4)] }, { axes: [0, 2] }, { axes: [-2], keepdims: 0 }),
);

operatorFamily('ties and running sums', [
  ...['ArgMax', 'ArgMin'].flatMap((op) =>
    each(
      { op, inputs: [given('float32', [1, 3, 3, 2, 0, 0], [2, 3], false)], zero: true },
      {},
      { axis: 1, keepdims: 0 },
      { axis: -1, select_last_index: 1 },
    ),
  ),
  ...each(
    { op: 'CumSum', inputs: [normal(2, 4, 3), given('int64', [1], [])] },
    {},
    { exclusive: 1 },
    { reverse: 1 },
    { exclusive: 1, reverse: 1 },
  ),
  { op: 'CumSum', inputs: [normal(5), given('int32', [-1], [])] },
]);
