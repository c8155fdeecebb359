// The elementary functions' own instance: numbers in, one number out, no memory shared with the kernels.
import { loadScalars } from '#scalars';
import type { KernelName } from '#wasm/scalar';
import { RuntimeLoadError } from '../core/errors.js';

/** The elementary functions by name. */
export type Scalars = { readonly [name in KernelName]: (...args: number[]) => number };

let functions: Scalars | undefined;

/** The elementary functions, compiled at the first call. @throws {RuntimeLoadError} where WebAssembly is not to be had */
export function scalars(): Scalars {
  functions ??= instantiate();
  return functions;
}

function instantiate(): Scalars {
  try {
    return new WebAssembly.Instance(loadScalars(), {}).exports as unknown as Scalars;
  } catch (cause) {
    throw new RuntimeLoadError('scalars: WebAssembly could not be compiled here; use a runtime that has it', { cause });
  }
}
