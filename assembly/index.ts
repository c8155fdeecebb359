// The SIMD kernels. One line per file; the twins are in index.ref.ts under the same names.
export { daxpy, ddot, dnrm2, saxpy, sdot, snrm2 } from './dot';
export { dexp, sexp } from './exp';
export { dgemm, gemmWork, sgemm } from './gemm';
export { heapBase } from './memory';
export { dtilePeak, sreadPeak, stilePeak } from './limits';
export { acos, acosh, asin, asinh, atan, atanh, cos, cosh, erf, exp, expm1, log, log1p, pow, sin, sinh, tan, tanh } from './scalar';
export { dactivate, sactivate } from './activations';
export { dactivationTurn, daddColumnSums, dfillRows, dmultiply, douterRows, dscaleRows, dsoftmaxCurvature, dsoftmaxLoss, dsquaredLoss, sactivationTurn, saddColumnSums, sfillRows, smultiply, souterRows, sscaleRows, ssoftmaxCurvature, ssoftmaxLoss, ssquaredLoss } from './dense';
export { dcholesky } from './cholesky';
export { dgemv, dgemvt, sgemv, sgemvt } from './gemv';
export { dlogSumExpRows, dsoftmaxRows, slogSumExpRows, ssoftmaxRows } from './softmax-rows';
export { dsyrk, ssyrk, syrkWork } from './syrk';
export { dtrsm, strsm, trsmWork } from './triangular';
export { dargsort, dsort, iargsort, isort, sargsort, ssort, uargsort, usort } from './radix';
export { dselect, dtopk, iselect, itopk, sselect, stopk, uselect, utopk } from './top-k';
