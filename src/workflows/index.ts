// Areas put together: what the command line calls.
export { type CurvatureReport, type CurvatureReportOptions, curvatureReport } from './curvature-report.js';
export { cutAt } from './embed.js';
export { type Evaluation, evaluate } from './evaluate.js';
export { type FitOptions, type FitResult, fit, optimizerNames } from './fit.js';
export { type PrunedLayer, type PruneMethod, type PruneModelOptions, type PruneModelResult, pruneMethods, pruneModel } from './prune.js';
export { type PruneChannelsOptions, type PruneChannelsResult, pruneChannels } from './prune-channels.js';
export { type QuantizeModelOptions, type QuantizeModelResult, quantizeModel } from './quantize.js';
