// The default build: plain SIMD bytes inlined in the package, so no file access and no permission is needed anywhere.
import { bytes } from '#wasm/simd';

/** Compiles the kernels that this entry carries. */
export function loadModule(): WebAssembly.Module {
  return new WebAssembly.Module(bytes() as BufferSource);
}

/** Bytes of another tier by name, where the runtime can read the package's files; `undefined` elsewhere. */
export function readTier(_tier: string): Uint8Array | undefined {
  return undefined;
}

/** The tier the environment asks for (`AFTERPASS_BUILD`); only Node has one. */
export function requestedTier(): string | undefined {
  return undefined;
}
