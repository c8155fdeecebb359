import { Graph } from '../../../src/onnx/graph.js';
import { evaluateGraph } from '../../../src/onnx/reference/index.js';
import {
  away,
  distinct,
  each,
  fixed,
  float,
  given,
  normal,
  type OperatorCase,
  operatorFamily,
  positive,
} from '../../helpers/operator-cases.js';

const smooth = ['Tanh', 'Sigmoid', 'Exp', 'Erf', 'Identity', 'Neg'];
const kinked = ['Relu', 'Abs'];

operatorFamily('functions of one element', [
  ...smooth.map((op): OperatorCase => ({ op, inputs: [normal(2, 3, 5)] })),
  ...kinked.map((op): OperatorCase => ({ op, inputs: [away(7)] })),
  { op: 'Sqrt', inputs: [positive(3, 5)] },
  { op: 'Log', inputs: [positive(3, 5)] },
  { op: 'Reciprocal', inputs: [away(3, 5)] },
  { op: 'Dropout', inputs: [normal(4)] },
  { op: 'Clip', inputs: [distinct(5, 3), given('float32', [-0.21], []), given('float32', [0.43], [])] },
  { op: 'Clip', inputs: [distinct(5, 3), undefined, given('float32', [0.43], [])] },
  { op: 'Clip', opset: 10, inputs: [distinct(5)], attributes: { min: float(-0.21), max: float(0.43) } },
  ...['Floor', 'Ceil', 'Round', 'Sign'].map((op): OperatorCase => ({ op, inputs: [distinct(40)], zero: true })),
  { op: 'Round', inputs: [given('float32', [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4, 2.6], [8], false)], zero: true },
  { op: 'Abs', inputs: [given('int64', [-3, 0, 4], [3], false)], zero: true },
  { op: 'Neg', inputs: [given('int32', [-3, 0, 4], [3], false)], zero: true },
  { op: 'IsNaN', inputs: [given('float32', [Number.NaN, 0, Infinity], [3], false)], zero: true },
  ...each(
    { op: 'IsInf', inputs: [given('float32', [Number.NaN, -Infinity, Infinity], [3], false)], zero: true },
    {},
    { detect_negative: 0 },
    { detect_positive: 0 },
  ),
  { op: 'Not', inputs: [given('bool', [1, 0, 1], [3], false)], zero: true },
]);

operatorFamily('arithmetic', [
  ...['Add', 'Sub', 'Mul', 'Div'].flatMap((op): OperatorCase[] => [
    { op, inputs: [normal(2, 3), away(2, 3)] },
    { op, inputs: [normal(2, 3, 4), away(3, 1)] },
    { op, inputs: [normal(1), away(2, 1, 3)] },
    { op, inputs: [normal(), away(4)] },
    { op, inputs: [given('int64', [7, -8, 9], [3], false), given('int64', [2, 3, -4], [3], false)], zero: true },
    { op, inputs: [given('int32', [7, -8, 9], [3], false), given('int32', [2], [1], false)], zero: true },
  ]),
  { op: 'Pow', inputs: [positive(3, 4), normal(4)] },
  { op: 'Pow', inputs: [positive(1), normal(3, 2)] },
  ...[2, 3, 0.5, -1, 1, 0, 2.5].map((p): OperatorCase => ({ op: 'Pow', inputs: [positive(2, 3), given('float32', [p], [])] })),
  { op: 'Pow', inputs: [away(2, 3), given('int64', [3], [])] },
  { op: 'Where', inputs: [given('bool', [1, 0, 1, 0, 0, 1], [2, 3], false), normal(2, 3), normal(3)] },
  { op: 'Where', inputs: [given('bool', [1, 0], [2, 1], false), normal(1, 3), normal()] },
  ...['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual'].map(
    (op): OperatorCase => ({
      op,
      inputs: [given('float32', [1, 2, 3, 3], [2, 2], false), given('float32', [2, 3], [2], false)],
      zero: true,
    }),
  ),
  ...['And', 'Or', 'Xor'].map(
    (op): OperatorCase => ({ op, inputs: [given('bool', [1, 0, 1, 0], [2, 2], false), given('bool', [1, 0], [2, 1], false)], zero: true }),
  ),
]);

operatorFamily('casts', [
  { op: 'CastLike', inputs: [normal(2, 3), fixed(normal(1))] },
  { op: 'CastLike', inputs: [given('float32', [1.5, -2.5], [2], false), given('int32', [1], [1], false)], zero: true },
  { op: 'Cast', inputs: [normal(2, 3)], attributes: { to: 1 } },
  { op: 'Cast', inputs: [given('float32', [1.7, -1.7, 0, 3], [4], false)], attributes: { to: 7 }, zero: true },
  { op: 'Cast', inputs: [given('int64', [1, -2, 0], [3], false)], attributes: { to: 1 }, zero: true },
]);

test('a Cast in the evaluator rounds as the type does: half precision and bfloat16 to even, integers towards zero', () => {
  const cast = (to: number, values: number[]): number[] => {
    const graph = new Graph();
    graph.inputs = [{ name: 'x', type: 'float64', shape: [values.length] }];
    graph.outputs = [{ name: 'y', type: 'float64', shape: [values.length] }];
    graph.nodes = [{ op: 'Cast', domain: '', name: 'cast', inputs: ['x'], outputs: ['y'], attributes: { to: { type: 'int', value: to } } }];
    const { y } = evaluateGraph(graph, { x: { data: Float64Array.from(values), shape: [values.length] } });
    return Array.from(y!.data as ArrayLike<number | bigint>, Number);
  };
  expect(cast(10, [0.1, 2049, 2051, 65520, -1e-9])).toEqual([0.0999755859375, 2048, 2052, Infinity, -0]);
  expect(cast(16, [0.1, 257, 259, -3.171875])).toEqual([0.10009765625, 256, 260, -3.171875]);
  expect(cast(7, [1.9, -1.9, 0.5])).toEqual([1, -1, 0]);
  expect(cast(9, [0, 0.3, -2])).toEqual([0, 1, 1]);
});
