export { type DerivativeOptions, ggnModel, gradientModel, hvpModel, jvpModel, vjpModel } from './derivatives.js';
export { unsupportedOps } from './import.js';
export { type LossName, type LossSpec, lossNames } from './losses.js';
export { type DecodeOptions, decodeModel, encodeModel } from './model.js';
export { OnnxModel, type OpenOptions } from './onnx-model.js';
export { readModel } from './opening.js';
export { supportedOps } from './ops/index.js';
export { parameterSlots } from './parameters.js';
export { perSampleGradientModel } from './per-sample.js';
