/** Curvature of a loss: operators, spectra, traces, and the sharpness measures built on them. */
export { type AdaptiveSharpness, adaptiveSharpness } from './adaptive-sharpness.js';
export { batchSharpness } from './batch-sharpness.js';
export { diagonalEstimate } from './diagonal.js';
export { coordinateClip, type DirectionalSharpness, directionalSharpness, updateDirections } from './directional-sharpness.js';
export { type GradientFlow, type GradientFlowOptions, gradientFlow, gradientFlowSharpness, scalarFlowSharpness } from './gradient-flow.js';
export { type GradientNormalizedSmoothness, gradientNormalizedSmoothness } from './gradient-normalized-smoothness.js';
export { type HessianCoherence, hessianCoherence, secondMomentRadius, sgdStabilityCondition } from './hessian-coherence.js';
export { labelledNtk } from './labelled-ntk.js';
export { type Connection, countMinima, couponCollectorEstimate, type Minimum, modeConnectivity } from './landscape.js';
export { ElleSchedule, type LinearityDraws, localLinearity } from './local-linearity.js';
export { type FisherOperator, fisherOperator, ggnOperator, hessianOperator } from './operators.js';
export { type OpposingSignals, opposingSignals, type SignalGroup } from './opposing-signals.js';
export { type Sharpness, samSharpness } from './sam-sharpness.js';
export { perSampleCurvature, perSampleHessianNorm, type SampleLossDifference, sampleLossDifference } from './sample-loss-difference.js';
export { type SharpnessPoint, type SharpnessTraceOptions, sharpnessTrace } from './sharpness-trace.js';
export { type SpectralDensity, type SpectralDensityOptions, spectralDensity } from './spectral-density.js';
export { type TopEigenvalues, type TopEigenvaluesOptions, topEigenvalues } from './top-eigenvalues.js';
export { type TraceOptions, type TraceResult, trace } from './trace.js';
