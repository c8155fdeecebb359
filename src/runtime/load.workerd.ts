// workerd refuses to compile bytes: the module is imported statically and arrives compiled.
import module from '#wasm/simd.wasm';
import { RuntimeLoadError } from '../core/errors.js';

/** The kernels, compiled by the bundler or runtime. */
export function loadModule(): WebAssembly.Module {
  return module;
}

/** workerd gives the module compiled, not its bytes. */
export function loadBytes(): Uint8Array | undefined {
  return undefined;
}

/** @throws {RuntimeLoadError} always: workerd compiles no bytes */
export function compile(_text: string): WebAssembly.Module {
  throw new RuntimeLoadError(
    "kernels: expected a compiled module, got bytes, which workerd refuses; import 'afterpass' alone, or pass a module to init()",
  );
}

/** @throws {RuntimeLoadError} always, as `compile` */
export function decode(text: string): Uint8Array {
  return compile(text) as never;
}

/** workerd has no files: there is no other tier to read. */
export function readTier(_tier: string): Uint8Array | undefined {
  return undefined;
}

/** workerd has no environment variables at module scope. */
export function requestedTier(): string | undefined {
  return undefined;
}

/** workerd has no workers to start. */
export function availableThreads(): number {
  return 1;
}
