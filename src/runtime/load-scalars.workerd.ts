// workerd refuses to compile bytes: the module is imported statically and arrives compiled.
import module from '#wasm/scalar.wasm';

/** The elementary functions, compiled by the bundler or runtime. */
export function loadScalars(): WebAssembly.Module {
  return module;
}
