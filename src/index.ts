/** afterpass: everything a network needs after its forward pass, in SIMD WebAssembly. */

export * as compression from './compression/index.js';
export * from './core/errors.js';
export * as npy from './core/npy.js';
export { type FloatArray, type IntegerArray, type Tensor, type TensorLike, type TypedArray, tensor } from './core/tensor.js';
export * as curvature from './curvature/index.js';
export * as dense from './dense/index.js';
export * as linalg from './linalg/index.js';
export * as losses from './losses/index.js';
export * as mfac from './mfac/index.js';
export * as onnx from './onnx/index.js';
export * as optimizers from './optimizers/index.js';
export { capabilities, init } from './runtime/instance.js';
export * as sorting from './sorting/index.js';
export * as threads from './threads/index.js';
export * as transport from './transport/index.js';
export * as workflows from './workflows/index.js';
