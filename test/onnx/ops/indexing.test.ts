import { distinct, each, fixed, floats, given, ints, normal, type OperatorCase, operatorFamily } from '../../helpers/operator-cases.js';

/** Indices as an input of the model, not known while the graph is written. */
const at = (values: number[], shape: number[] = [values.length]) => given('int64', values, shape, false);

operatorFamily('gathers', [
  ...[ints, at].flatMap((index): OperatorCase[] => [
    { op: 'Gather', inputs: [normal(5, 3), index([4, 0, 4, 2])] },
    { op: 'Gather', inputs: [normal(2, 5, 3), index([4, 0, -5, 2], [2, 2])], attributes: { axis: 1 } },
    { op: 'Gather', inputs: [normal(4, 3), index([2], [])], attributes: { axis: -1 } },
    { op: 'GatherElements', inputs: [normal(3, 4), index([0, 2, 1, 0, -1, 2], [2, 3])] },
    { op: 'GatherElements', inputs: [normal(3, 4), index([0, 2, 1, 0, 3, -2], [3, 2])], attributes: { axis: 1 } },
    { op: 'GatherND', inputs: [normal(3, 4, 2), index([0, 1, 2, 3, 0, 1], [3, 2])] },
    { op: 'GatherND', inputs: [normal(3, 4, 2), index([1, 0, 1], [3, 1])] },
    { op: 'GatherND', inputs: [normal(2, 4, 3), index([3, 1, 1, 0], [2, 2])], attributes: { batch_dims: 1 } },
  ]),
  { op: 'Gather', inputs: [normal(5, 3), ints([1, 2, 3])] },
  { op: 'Gather', inputs: [normal(600, 2), at([599, 3, 3])] },
  { op: 'Gather', batch: 1, inputs: [normal(2, 5, 3), ints([0], [])], attributes: { axis: 1 } },
  { op: 'Gather', batch: 0, inputs: [normal(5, 3), at([4, 0, -5, 2])] },
]);

operatorFamily('scatters', [
  { op: 'ScatterElements', inputs: [normal(3, 4), at([0, 2, 1, 1, 0, 2], [2, 3]), normal(2, 3)] },
  { op: 'ScatterElements', inputs: [normal(3, 4), at([0, 2, 3, -3], [2, 2]), normal(2, 2)], attributes: { axis: 1 } },
  { op: 'ScatterElements', inputs: [normal(3, 4), at([0, 0, 1, 1, 0, 2], [2, 3]), normal(2, 3)], attributes: { reduction: 'add' } },
  { op: 'ScatterND', inputs: [normal(4, 3), at([2, 0], [2, 1]), normal(2, 3)] },
  { op: 'ScatterND', inputs: [normal(4, 3), at([2, 0, 1, 1, 2, 0], [3, 2]), normal(3)], attributes: { reduction: 'add' } },
  ...each(
    { op: 'ScatterND', inputs: [fixed(normal(4, 3)), at([2, 0, 2], [3, 1]), fixed(normal(3, 3))], zero: true },
    { reduction: 'mul' },
    { reduction: 'max' },
    { reduction: 'min' },
  ),
]);

operatorFamily('selections', [
  ...each(
    { op: 'TopK', inputs: [distinct(3, 6), ints([2])], outputs: 2, of: [0] },
    {},
    { axis: 0 },
    { largest: 0 },
    { axis: 1, sorted: 1 },
  ),
  { op: 'TopK', inputs: [distinct(5), ints([5])], outputs: 2, of: [0] },
  { op: 'TopK', inputs: [given('float32', [1, 3, 3, 2, 3], [5], false), ints([3])], outputs: 2, zero: true, title: 'with ties' },
  ...each({ op: 'OneHot', inputs: [at([0, 2, -1, 1], [2, 2]), ints([3], []), normal(2)] }, {}, { axis: 0 }, { axis: 1 }),
  { op: 'OneHot', inputs: [at([0, 7, -9]), ints([3], []), given('float32', [0, 1])], zero: true },
  { op: 'NonZero', inputs: [given('float32', [0, 1, 2, 0, 0, 3], [2, 3], false)], zero: true },
  { op: 'Range', inputs: [given('int64', [1], []), given('int64', [8], []), given('int64', [3], [])], zero: true },
  { op: 'Range', inputs: [given('float32', [2], []), given('float32', [-1], []), given('float32', [-0.5], [])], zero: true },
  ...each({ op: 'EyeLike', inputs: [fixed(normal(3, 4))], zero: true }, {}, { k: 1 }, { k: -1, dtype: 7 }),
  { op: 'ConstantOfShape', inputs: [ints([2, 3])], zero: true },
  {
    op: 'ConstantOfShape',
    inputs: [ints([2])],
    attributes: { value: { type: 'tensor', value: { type: 'int64', data: BigInt64Array.of(5n), shape: [1] } } },
    zero: true,
  },
]);

const boxes = given(
  'float32',
  [0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, -0.1, 1, 0.9, 0, 10, 1, 11, 0, 10.1, 1, 11.1, 0, 100, 1, 101],
  [1, 6, 4],
  false,
);
const scores = given('float32', [0.9, 0.75, 0.6, 0.95, 0.5, 0.3, 0.1, 0.2, 0.3, 0.4, 0.35, 0.6], [1, 2, 6], false);
const scalar = (type: 'int64' | 'float32', value: number) => given(type, [value]);

operatorFamily('boxes', [
  ...each(
    { op: 'NonMaxSuppression', inputs: [boxes, scores, scalar('int64', 3), scalar('float32', 0.5), scalar('float32', 0.15)], zero: true },
    {},
    { center_point_box: 1 },
  ),
  { op: 'NonMaxSuppression', inputs: [boxes, scores, scalar('int64', 2), scalar('float32', 0)], zero: true },
]);

operatorFamily('other names', [
  { op: 'Scatter', opset: 10, inputs: [normal(3, 4), at([0, 2, 3, 1], [2, 2]), normal(2, 2)], attributes: { axis: 1 } },
  { op: 'Constant', inputs: [], attributes: { value_floats: floats(1, 2, 3) }, zero: true },
  { op: 'Constant', inputs: [], attributes: { value_int: 3 }, zero: true },
]);
