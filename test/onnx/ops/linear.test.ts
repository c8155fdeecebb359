import { each, float, normal, type OperatorCase, operatorFamily } from '../../helpers/operator-cases.js';

const product = (a: number[], b: number[]): OperatorCase => ({ op: 'MatMul', inputs: [normal(...a), normal(...b)] });

operatorFamily('matrix products', [
  product([3, 5], [5, 4]),
  product([5], [5, 4]),
  product([3, 5], [5]),
  product([5], [5]),
  product([2, 3, 5], [5, 4]),
  product([2, 3, 5], [2, 5, 4]),
  product([2, 1, 3, 5], [3, 5, 4]),
  product([3, 5], [2, 5, 4]),
  product([5], [2, 5, 4]),
  product([2, 3, 5], [5]),
  product([1, 1], [1, 1]),
]);

const gemm = (a: number[], b: number[], c: number[] | undefined, attributes: OperatorCase['attributes'] = {}): OperatorCase => ({
  op: 'Gemm',
  inputs: [normal(...a), normal(...b), ...(c ? [normal(...c)] : [])],
  attributes,
});

operatorFamily('Gemm', [
  gemm([3, 5], [5, 4], undefined),
  gemm([3, 5], [5, 4], [4]),
  gemm([3, 5], [5, 4], [3, 1]),
  gemm([3, 5], [5, 4], []),
  gemm([3, 5], [5, 4], [3, 4], { alpha: float(0.5), beta: float(2) }),
  gemm([5, 3], [5, 4], [1, 4], { transA: 1 }),
  gemm([3, 5], [4, 5], [4], { transB: 1, alpha: float(1.5) }),
  gemm([5, 3], [4, 5], [1], { transA: 1, transB: 1, beta: float(0.25) }),
]);

operatorFamily('Einsum', [
  ...[
    ['ij,jk->ik', [3, 4], [4, 5]],
    ['ij,jk', [3, 4], [4, 5]],
    ['bij,bjk->bik', [2, 3, 4], [2, 4, 5]],
    ['bhid,bhjd->bhij', [2, 2, 3, 4], [2, 2, 5, 4]],
    ['...ij,...jk->...ik', [2, 2, 3, 4], [2, 2, 4, 3]],
    ['i,j->ij', [3], [4]],
    ['i,i->', [4], [4]],
    ['ij,ij->i', [3, 4], [3, 4]],
    ['bi,ij->bj', [2, 3], [3, 4]],
    ['abc,cd->abd', [2, 3, 4], [4, 2]],
  ].map(
    ([equation, a, b]): OperatorCase => ({
      op: 'Einsum',
      inputs: [normal(...(a as number[])), normal(...(b as number[]))],
      attributes: { equation: equation as string },
    }),
  ),
  ...each(
    { op: 'Einsum', inputs: [normal(3, 4)] },
    { equation: 'ij->ji' },
    { equation: 'ij->i' },
    { equation: 'ij->' },
    { equation: 'ij' },
  ),
  ...each({ op: 'Einsum', inputs: [normal(3, 3)] }, { equation: 'ii->i' }, { equation: 'ii' }),
  { op: 'Einsum', inputs: [normal(3, 4), normal(4, 2), normal(2, 3)], attributes: { equation: 'ij,jk,kl->il' } },
]);

operatorFamily('determinants', [
  { op: 'Det', inputs: [normal(2, 3, 3)] },
  { op: 'Det', inputs: [normal(4, 4)] },
  { op: 'Det', inputs: [normal(3, 1, 1)] },
  { op: 'Det', inputs: [normal(2, 2, 2)] },
]);
