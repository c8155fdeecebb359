// Node and Bun: inlined bytes, not deflated (reading more takes less time than inflating). AFTERPASS_BUILD names another tier
// (relaxed, reference, debug), read from the package.
import { plain } from '#wasm/simd-plain';
import { RuntimeLoadError } from '../core/errors.js';

const tiers = ['simd', 'relaxed', 'reference', 'debug'];

/** Compiles the kernels that this entry carries, or the tier AFTERPASS_BUILD asks for. */
export function loadModule(): WebAssembly.Module {
  return new WebAssembly.Module(loadBytes() as BufferSource);
}

/** The binary that `loadModule` compiles. */
export function loadBytes(): Uint8Array {
  const tier = requestedTier();
  return tier ? readTier(tier) : inlined();
}

/** The inlined plain SIMD kernels. */
export function inlined(): Uint8Array {
  return Buffer.from(plain, 'base64');
}

/** Compiles kernels from their deflated form. */
export function compile(text: string): WebAssembly.Module {
  return new WebAssembly.Module(decode(text) as BufferSource);
}

/** A binary from its deflated form. */
export function decode(text: string): Uint8Array {
  const { inflateRawSync } = process.getBuiltinModule('node:zlib');
  return inflateRawSync(Buffer.from(text, 'base64'));
}

/** Bytes of another tier by name, from the package's files. */
export function readTier(tier: string): Uint8Array {
  if (!tiers.includes(tier)) throw new RuntimeLoadError(`AFTERPASS_BUILD: expected one of ${tiers.join(', ')}, got '${tier}'`);
  const { readFileSync } = process.getBuiltinModule('node:fs');
  const { fileURLToPath } = process.getBuiltinModule('node:url');
  const path = fileURLToPath(import.meta.resolve('#wasm/simd')).replace(/simd\.js$/, `${tier}.wasm`);
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new RuntimeLoadError(`AFTERPASS_BUILD: the '${tier}' build is not in this package; run the build, or leave the variable out`, {
      cause,
    });
  }
}

/** The tier the environment asks for. */
export function requestedTier(): string | undefined {
  return process.env.AFTERPASS_BUILD || undefined;
}

/** Processors that this process may use. */
export function availableThreads(): number {
  return process.getBuiltinModule('node:os').availableParallelism();
}
