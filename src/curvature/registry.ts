import type { Registry } from '../core/registry.js';
import { adaptiveSharpness } from './adaptive-sharpness.js';
import { batchSharpness } from './batch-sharpness.js';
import { diagonalEstimate } from './diagonal.js';
import { coordinateClip, directionalSharpness, updateDirections } from './directional-sharpness.js';
import { farthestPointClustering } from './farthest-point-clustering.js';
import { gradientFlow, gradientFlowSharpness, scalarFlowSharpness } from './gradient-flow.js';
import { gradientNormalizedSmoothness } from './gradient-normalized-smoothness.js';
import { hessianCoherence, secondMomentRadius, sgdStabilityCondition } from './hessian-coherence.js';
import { labelledNtk } from './labelled-ntk.js';
import { countMinima, couponCollectorEstimate, modeConnectivity } from './landscape.js';
import { ElleSchedule, localLinearity } from './local-linearity.js';
import { fisherOperator, ggnOperator, hessianOperator } from './operators.js';
import { opposingSignals } from './opposing-signals.js';
import { samSharpness } from './sam-sharpness.js';
import { perSampleCurvature, perSampleHessianNorm, sampleLossDifference } from './sample-loss-difference.js';
import { sharpnessTrace } from './sharpness-trace.js';
import { spectralDensity } from './spectral-density.js';
import { topEigenvalues } from './top-eigenvalues.js';
import { trace } from './trace.js';

const tests = (name: string) => `test/curvature/${name}.test.ts`;

/** The methods of this area. */
export const registry = {
  'adaptive-sharpness': { method: adaptiveSharpness, summary: 'Rise of the loss in units of the weights (ASAM)', test: tests('sharpness') },
  'batch-sharpness': { method: batchSharpness, summary: 'Curvature of mini-batches along their own gradients', test: tests('sharpness') },
  'coordinate-clip': {
    method: coordinateClip,
    summary: 'Clip the largest gradient coordinates',
    papers: [123],
    test: tests('directional-sharpness'),
  },
  'diagonal-estimate': { method: diagonalEstimate, summary: 'Diagonal of an operator with error bars', test: tests('trace') },
  'directional-sharpness': {
    method: directionalSharpness,
    summary: 'Curvature along an update',
    papers: [123],
    test: tests('directional-sharpness'),
  },
  'farthest-point-clustering': {
    method: farthestPointClustering,
    summary: 'Clusters and redundant samples by a similarity kernel',
    papers: [246],
    test: tests('labelled-ntk'),
  },
  'elle-schedule': {
    method: ElleSchedule,
    summary: 'Weight of the local-linearity penalty',
    papers: [214],
    test: tests('local-linearity'),
  },
  'fisher-operator': { method: fisherOperator, summary: 'Damped empirical Fisher matrix', test: tests('operators') },
  'ggn-operator': { method: ggnOperator, summary: 'Gauss–Newton matrix of a model', test: tests('operators') },
  'gradient-flow': { method: gradientFlow, summary: 'Limit of gradient flow', papers: [219], test: tests('gradient-flow') },
  'gradient-flow-sharpness': {
    method: gradientFlowSharpness,
    summary: 'Sharpness at the limit of gradient flow',
    papers: [219],
    test: tests('gradient-flow'),
  },
  'gradient-normalized-smoothness': {
    method: gradientNormalizedSmoothness,
    summary: 'How far an approximate Hessian can be trusted',
    test: tests('gradient-normalized-smoothness'),
  },
  'hessian-coherence': {
    method: hessianCoherence,
    summary: 'Alignment of per-sample Hessians',
    papers: [275],
    test: tests('hessian-coherence'),
  },
  'hessian-operator': { method: hessianOperator, summary: 'Hessian of a model’s mean loss', test: tests('operators') },
  'labelled-ntk': { method: labelledNtk, summary: 'Which samples teach each other', papers: [246], test: tests('labelled-ntk') },
  'local-linearity': {
    method: localLinearity,
    summary: 'Distance of the loss from linear in its input',
    papers: [214],
    test: tests('local-linearity'),
  },
  'opposing-signals': {
    method: opposingSignals,
    summary: 'Groups of outliers that a step pulls apart',
    papers: [185],
    test: tests('opposing-signals'),
  },
  'per-sample-curvature': {
    method: perSampleCurvature,
    summary: 'Curvature of each sample along a direction',
    papers: [185],
    test: tests('opposing-signals'),
  },
  'per-sample-hessian-norm': {
    method: perSampleHessianNorm,
    summary: 'Norm of each sample’s Hessian',
    papers: [245],
    test: tests('sample-loss-difference'),
  },
  'sam-sharpness': { method: samSharpness, summary: 'Rise of the loss at the worst point of a ball (SAM)', test: tests('sharpness') },
  'sample-loss-difference': {
    method: sampleLossDifference,
    summary: 'How one more sample changes the landscape',
    papers: [245],
    test: tests('sample-loss-difference'),
  },
  'scalar-flow-sharpness': {
    method: scalarFlowSharpness,
    summary: 'The same for scalar networks, in closed form',
    papers: [219],
    test: tests('gradient-flow'),
  },
  'second-moment-radius': {
    method: secondMomentRadius,
    summary: 'Exact mean-square stability of linearised SGD',
    papers: [275],
    test: tests('hessian-coherence'),
  },
  'sgd-stability-condition': {
    method: sgdStabilityCondition,
    summary: 'Largest stable learning rate for a batch size',
    papers: [275],
    test: tests('hessian-coherence'),
  },
  'sharpness-trace': { method: sharpnessTrace, summary: 'Sharpness along gradient descent', papers: [230], test: tests('flatness') },
  'spectral-density': {
    method: spectralDensity,
    summary: 'Eigenvalue density by stochastic Lanczos quadrature',
    test: tests('spectral-density'),
  },
  'top-eigenvalues': { method: topEigenvalues, summary: 'Eigenvalues at one end with residuals', test: tests('top-eigenvalues') },
  trace: { method: trace, summary: 'Trace with its standard error', papers: [230], test: tests('flatness') },
  'update-directions': {
    method: updateDirections,
    summary: 'Update directions of common optimizers',
    papers: [123],
    test: tests('directional-sharpness'),
  },
  'count-minima': { method: countMinima, summary: 'Distinct minima by restarts', papers: [283], test: tests('landscape') },
  'coupon-collector-estimate': {
    method: couponCollectorEstimate,
    summary: 'How many minima there are in all',
    papers: [283],
    test: tests('landscape'),
  },
  'mode-connectivity': { method: modeConnectivity, summary: 'Barrier between two minima', papers: [283], test: tests('landscape') },
} satisfies Registry;
