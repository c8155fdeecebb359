// Areas put together: what the command line calls.
export { type Evaluation, evaluate } from './evaluate.js';
export { type FitOptions, type FitResult, fit } from './fit.js';
