// Deno: as Node, but it asks for no permission: no environment, no files.
import { inlined } from './load.node.js';

export { compile, decode } from './load.node.js';

/** Compiles the kernels that this entry carries. */
export function loadModule(): WebAssembly.Module {
  return new WebAssembly.Module(inlined() as BufferSource);
}

/** The binary that `loadModule` compiles. */
export function loadBytes(): Uint8Array {
  return inlined();
}

/** Bytes of another tier: Deno would ask for permission to read them. */
export function readTier(_tier: string): Uint8Array | undefined {
  return undefined;
}

/** The environment is not read without permission. */
export function requestedTier(): string | undefined {
  return undefined;
}

/** How many threads there may be. */
export function availableThreads(): number {
  return (globalThis as { navigator?: { hardwareConcurrency?: number } }).navigator?.hardwareConcurrency ?? 1;
}
