import { Graph, graphTensor, modelOf } from '../../../src/onnx/graph.js';
import { vjpModel } from '../../../src/onnx/index.js';
import { each, float, floats, given, normal, type OperatorCase, operatorFamily, strings } from '../../helpers/operator-cases.js';

const [T, B, F, H] = [3, 2, 2, 2];

/** A recurrent node with all of its inputs but the lengths. */
function full(
  op: string,
  gates: number,
  directions: number,
  attributes: OperatorCase['attributes'] = {},
  lengths?: number[],
): OperatorCase {
  const lstm = op === 'LSTM';
  return {
    op,
    inputs: [
      normal(T, B, F),
      normal(directions, gates * H, F),
      normal(directions, gates * H, H),
      normal(directions, 2 * gates * H),
      lengths ? given('int32', lengths, [B], false) : undefined,
      normal(directions, B, H),
      ...(lstm ? [normal(directions, B, H), normal(directions, 3 * H)] : []),
    ],
    attributes: { hidden_size: H, ...(directions === 2 && { direction: 'bidirectional' }), ...attributes },
    outputs: lstm ? 3 : 2,
    of: [0],
  };
}

const bare = (op: string, gates: number): OperatorCase => ({
  op,
  inputs: [normal(T, B, F), normal(1, gates * H, F), normal(1, gates * H, H)],
  attributes: { hidden_size: H },
});

const families: [string, number][] = [
  ['RNN', 1],
  ['GRU', 3],
  ['LSTM', 4],
];

operatorFamily(
  'recurrent networks',
  families.flatMap(([op, gates]) => [
    { ...bare(op, gates), batch: 1 },
    full(op, gates, 1),
    { ...full(op, gates, 2), of: op === 'LSTM' ? [0, 2] : [0, 1] },
    full(op, gates, 1, { direction: 'reverse' }),
    { ...full(op, gates, 1, { clip: float(0.7) }), seed: 4 },
    full(op, gates, 2, {}, [3, 2]),
    { ...full(op, gates, 1), inputs: full(op, gates, 1).inputs.map((x, i) => (i === 4 ? given('int32', [T, T]) : x)) },
  ]),
);

operatorFamily('variants of recurrent networks', [
  full('GRU', 3, 1, { linear_before_reset: 1 }),
  full('GRU', 3, 2, { linear_before_reset: 1 }),
  full('LSTM', 4, 1, { input_forget: 1 }),
  full('RNN', 1, 1, { activations: strings('Relu') }),
  full('RNN', 1, 1, { activations: strings('Affine'), activation_alpha: floats(0.5), activation_beta: floats(0.1) }),
  ...each(full('LSTM', 4, 1), {
    activations: strings('HardSigmoid', 'Softsign', 'ScaledTanh'),
    activation_alpha: floats(0.3, 0.9),
    activation_beta: floats(0.4, 0.7),
  }),
  full('GRU', 3, 1, { activations: strings('Sigmoid', 'Softplus') }),
  full('RNN', 1, 1, { activations: strings('Elu'), activation_alpha: floats(0.6) }),
]);

test('a recurrence over no steps is refused by the name of its node', () => {
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type: 'float32', shape: [0, 2, 1] }];
  graph.outputs = [{ name: 'y', type: 'float32', shape: undefined }];
  for (const name of ['w', 'r']) graph.initializers.set(name, graphTensor('float32', [1, 2, 3, 4], [1, 4, 1]));
  const attributes = { hidden_size: { type: 'int' as const, value: 1 } };
  graph.nodes = [{ op: 'LSTM', domain: '', name: 'cells', inputs: ['x', 'w', 'r'], outputs: ['y'], attributes }];
  expect(() => vjpModel(modelOf(graph), { wrt: 'inputs' })).toThrow(/LSTM 'cells': expected at least one step, got 0/);
});
