// The builds a benchmark can run on, and how one is made current.
import { loadModule, readTier, requestedTier } from '#load';
import { RuntimeLoadError } from '../core/errors.js';
import { Instance, use } from '../runtime/instance.js';
import { hasRelaxedSimd } from '../runtime/probe.js';

/** Compiled kernels by name: simd always; relaxed and reference where this runtime can read and run them. */
export type Tiers = ReadonlyMap<string, WebAssembly.Module>;

/** Compiles what the package and the engine have. */
export function loadTiers(): Tiers {
  const first = requestedTier() ?? 'simd';
  const tiers = new Map([[first, loadModule()]]);
  for (const name of ['simd', 'relaxed', 'reference']) {
    if (tiers.has(name) || (name === 'relaxed' && !hasRelaxedSimd())) continue;
    try {
      const bytes = readTier(name);
      if (bytes) tiers.set(name, new WebAssembly.Module(bytes as BufferSource));
    } catch (error) {
      if (!(error instanceof RuntimeLoadError)) throw error; // not in this package: absent
    }
  }
  return tiers;
}

/** A new instance of a build. */
export function instanceOf(tiers: Tiers, name: string): Instance {
  const module = tiers.get(name);
  if (!module) throw new RuntimeLoadError(`build: expected one of ${[...tiers.keys()].join(', ')}, got '${name}'`);
  return new Instance(module);
}

/** Makes a build the one that later calls and objects use, until the next switch. */
export function switchTo(tiers: Tiers, name: string): void {
  const module = tiers.get(name);
  if (module) use(module, name);
}
