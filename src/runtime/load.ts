// The default build: plain SIMD bytes inlined in the package, so no file access and no permission is needed anywhere.
import { inflateSync } from 'fflate';
import { packed } from '#wasm/simd';
import { fromBase64 } from './base64.js';

/** Compiles the kernels that this entry carries. */
export function loadModule(): WebAssembly.Module {
  return compile(packed);
}

/** The binary that `loadModule` compiles. */
export function loadBytes(): Uint8Array {
  return decode(packed);
}

/** Compiles kernels from their inlined form. */
export function compile(text: string): WebAssembly.Module {
  return new WebAssembly.Module(decode(text) as BufferSource);
}

/** A binary from its inlined form. */
export function decode(text: string): Uint8Array {
  return inflateSync(fromBase64(text));
}

/** Bytes of another tier by name, where the runtime can read the package's files; `undefined` elsewhere. */
export function readTier(_tier: string): Uint8Array | undefined {
  return undefined;
}

/** The tier the environment asks for (`AFTERPASS_BUILD`); only Node has one. */
export function requestedTier(): string | undefined {
  return undefined;
}

/** Processors that workers could use; 1 where there are no workers. */
export function availableThreads(): number {
  const { Worker, navigator } = globalThis as { Worker?: unknown; navigator?: { hardwareConcurrency?: number } };
  return typeof Worker === 'function' ? (navigator?.hardwareConcurrency ?? 1) : 1;
}
