// The scalar twins under the names of the kernels they specify: plain loops, f64 sums, no vector instruction.
export { daxpyRef as daxpy, ddotRef as ddot, dnrm2Ref as dnrm2, saxpyRef as saxpy, sdotRef as sdot, snrm2Ref as snrm2 } from './dot';
export { dexpRef as dexp, sexpRef as sexp } from './exp';
export { dgemmRef as dgemm, gemmWork, sgemmRef as sgemm } from './gemm';
export { heapBase, sameBytesRef as sameBytes } from './memory';
export { heapBase, moveSpare } from './memory';
export { dactivateRef as dactivate, sactivateRef as sactivate } from './activations';
export { dactivationTurnRef as dactivationTurn, daddColumnSumsRef as daddColumnSums, dfillRows, dmultiplyRef as dmultiply, douterRowsRef as douterRows, sactivationTurnRef as sactivationTurn, saddColumnSumsRef as saddColumnSums, sfillRows, smultiplyRef as smultiply, souterRowsRef as souterRows } from './dense';
export { dscaleRows, dsoftmaxCurvatureRef as dsoftmaxCurvature, dsoftmaxLossRef as dsoftmaxLoss, dsquaredLoss, sscaleRows, ssoftmaxCurvatureRef as ssoftmaxCurvature, ssoftmaxLossRef as ssoftmaxLoss, ssquaredLoss } from './dense-loss';
export { dcholeskyRef as dcholesky } from './cholesky';
export { dgemvRef as dgemv, dgemvtRef as dgemvt, sgemvRef as sgemv, sgemvtRef as sgemvt } from './gemv';
export { dlogSumExpRowsRef as dlogSumExpRows, dsoftmaxRowsRef as dsoftmaxRows, slogSumExpRowsRef as slogSumExpRows, ssoftmaxRowsRef as ssoftmaxRows } from './softmax-rows';
export { dsyrkRef as dsyrk, ssyrkRef as ssyrk, syrkWork } from './syrk';
export { dtrsmRef as dtrsm, strsmRef as strsm, trsmWork } from './triangular';
export {
  dargsortRef as dargsort,
  dsortRef as dsort,
  iargsortRef as iargsort,
  isortRef as isort,
  sargsortRef as sargsort,
  ssortRef as ssort,
  uargsortRef as uargsort,
  usortRef as usort,
} from './radix';
export {
  dselectRef as dselect,
  dtopkRef as dtopk,
  iselectRef as iselect,
  itopkRef as itopk,
  sselectRef as sselect,
  stopkRef as stopk,
  uselectRef as uselect,
  utopkRef as utopk,
} from './top-k';
export { dgibbsRef as dgibbs, dtightenRef as dtighten, sdgibbsRef as sdgibbs, sgibbsRef as sgibbs, sliftRef as slift, stightenRef as stighten } from './gibbs';
export {
  dmarginalsRef as dmarginals,
  dpenaltyMassRef as dpenaltyMass,
  dspreadRef as dspread,
  scoarseMarginalsRef as scoarseMarginals,
  smarginalsRef as smarginals,
  sspreadRef as sspread,
} from './marginals';
export { dcappedRef as dcapped, dgramvRef as dgramv, dscalingRef as dscaling, dscalingSoftRef as dscalingSoft, scappedRef as scapped, sgramvRef as sgramv, sscalingRef as sscaling, sscalingSoftRef as sscalingSoft } from './sinkhorn-scaling';
export { dflatKernelRef as dflatKernel, dlabelKernelRef as dlabelKernel, slabelKernelRef as slabelKernel } from './label-kernel';
export { dlabelPlanRef as dlabelPlan, dsharesRef as dshares, slabelPlanRef as slabelPlan } from './partial-dual';
export { dcostRef as dcost, scostRef as scost } from './cost';
export { dlogBegin, dlogColumns, dlogRowsRef as dlogRows, sdlogRowsRef as sdlogRows, slogBegin, slogColumns, slogRowsRef as slogRows } from './sinkhorn-log';
export { dtilePeakRef as dtilePeak, readPeakRef as readPeak, stilePeakRef as stilePeak } from './limits';
export {
  ddiffsortBackRef as ddiffsortBack,
  ddiffsortRef as ddiffsort,
  sdiffsortBackRef as sdiffsortBack,
  sdiffsortRef as sdiffsort,
} from './diff-sort';
export {
  dnetworkRef as dnetwork,
  inetworkRef as inetwork,
  snetworkRef as snetwork,
  unetworkRef as unetwork,
} from './sort-network';
export { dcolumnNormsRef as dcolumnNorms, dprojectRef as dproject, scolumnNormsRef as scolumnNorms, sprojectRef as sproject } from './mfac';
export { dcombineRowsRef as dcombineRows, dreplaceInverseRef as dreplaceInverse, drowDotsRef as drowDots, scombineRowsRef as scombineRows, srowDotsRef as srowDots } from './mfac-window';
export { dobcRowRef as dobcRow } from './obc';
export { disotonicBackRef as disotonicBack, disotonicRef as disotonic } from './isotonic';
export {
  dsofttopkBackRef as dsofttopkBack,
  dsofttopkRef as dsofttopk,
  ssofttopkBackRef as ssofttopkBack,
  ssofttopkRef as ssofttopk,
} from './soft-topk';
export { dbuckets, dpairSorted, dpolish, dwasserstein1d, sbuckets, spairSorted, spolish, swasserstein1d } from './wasserstein1d';
export { dassignRef as dassign } from './assignment';
export { networkSimplexRef as networkSimplex, networkSimplexGap, networkSimplexWork } from './network-simplex';
