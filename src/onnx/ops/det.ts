// Determinants of stacks of small matrices.
import { type Builder, floatTensor, type Value } from '../builder.js';
import type { Rule } from './rule.js';

/**
 * The cofactors of matrices, adj(X)ᵀ, without a division, so that singular matrices have a derivative too (Faddeev and Le Verrier):
 * M₁ = 1, M_{k+1} = X·M_k − tr(X·M_k)/k·1, adj(X) = (−1)ⁿ⁻¹·M_n. The sums cancel more and more with n: for matrices of up to about 10.
 */
function cofactors(x: Value, b: Builder): Value {
  const shape = b.shape(x);
  const rank = shape.length;
  const [n] = b.staticShape(x, rank - 1) as [number];
  const eye = Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));
  const one = b.constant(floatTensor(b.elementType(x), eye, [n, n]));
  let m = n === 1 ? b.expand(one, shape) : one;
  for (let k = 1; k < n; k++) {
    const product = k === 1 ? x : b.matmul(x, m);
    const trace = b.reduceSum(b.mul(product, one), [rank - 2, rank - 1], true);
    m = b.sub(product, b.mul(b.scale(trace, 1 / k), one));
  }
  const axes = Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i));
  return b.scale(b.transpose(m, axes), n % 2 === 0 ? -1 : 1);
}

/** d det(X) = ⟨adj(X)ᵀ, dX⟩ */
export const Det: Rule = {
  infer: (node, b) => {
    const { type, shape } = b.type(node.inputs[0]!);
    return [{ type, shape: shape?.slice(0, -2) }];
  },
  vjp: ({ inputs: [x] }, [d], b) => {
    const rank = b.rank(x!);
    return [b.mul(b.unsqueeze(d!, [rank - 2, rank - 1]), cofactors(x!, b))];
  },
  jvp: ({ inputs: [x] }, [d], b) => {
    const rank = b.rank(x!);
    return [d && b.reduceSum(b.mul(d, cofactors(x!, b)), [rank - 2, rank - 1])];
  },
};
