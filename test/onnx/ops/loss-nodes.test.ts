import { each, fixed, given, normal, type OperatorCase, operatorFamily, positive } from '../../helpers/operator-cases.js';

const labels = given('int64', [2, 0, 1], [3]);
const dense = given('int64', [0, 1, 2, 1, 0, 0, 2, 1], [2, 4]);
const reductions: NonNullable<OperatorCase['attributes']>[] = [{}, { reduction: 'sum' }, { reduction: 'none' }];

operatorFamily(
  'losses in the graph',
  ['NegativeLogLikelihoodLoss', 'SoftmaxCrossEntropyLoss'].flatMap((op): OperatorCase[] => [
    ...each({ op, inputs: [normal(3, 4), labels] }, ...reductions),
    ...each({ op, inputs: [normal(3, 4), labels, fixed(positive(4))] }, ...reductions),
    ...each({ op, inputs: [normal(2, 3, 4), dense] }, ...reductions),
    ...each({ op, inputs: [normal(2, 3, 4), dense, fixed(positive(3))] }, { ignore_index: 1 }),
    ...each({ op, inputs: [normal(2, 3, 4), dense] }, { ignore_index: 0 }, { ignore_index: 0, reduction: 'none' }),
  ]),
);

operatorFamily('log-probabilities beside the loss', [
  { op: 'SoftmaxCrossEntropyLoss', inputs: [normal(3, 4), labels], outputs: 2, of: [0, 1] },
]);
