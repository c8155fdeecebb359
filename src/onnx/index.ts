export { type DecodeOptions, decodeModel, encodeModel } from './model.js';
