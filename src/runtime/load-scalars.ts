// The elementary functions as everywhere: a few kilobytes of plain base64.
import { plain } from '#wasm/scalar';
import { fromBase64 } from './base64.js';

/** Compiles the elementary functions. */
export function loadScalars(): WebAssembly.Module {
  return new WebAssembly.Module(fromBase64(plain) as BufferSource);
}
