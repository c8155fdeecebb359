/** Dense networks with exact derivatives on WebAssembly alone. */
export { DenseModel } from './dense-model.js';
export type { DenseLayerSpec, DenseModelSpec } from './spec.js';
