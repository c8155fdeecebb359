// The kernels for a memory that several threads use: the binary in use with its memory section replaced by the import of a shared one.
// Its code is the same, so are its results; packages and bundles carry no second binary.
import { compiledKernels, kernelBytes } from '../runtime/instance.js';

const typeSection = 1;
const importSection = 2;
const memorySection = 5;
/** Pages of a shared memory at its start, as in asconfig.json, and at most: all of the 32-bit address space. */
export const firstPages = 4;
export const mostPages = 65536;
/** (import "env" "memory" (memory 4 65536 shared)): one import, its names, kind 2, flags 3, both limits as LEB128. */
const sharedImport = [1, 3, 101, 110, 118, 6, 109, 101, 109, 111, 114, 121, 2, 3, firstPages, 128, 128, 4];

const made = new WeakMap<WebAssembly.Module, WebAssembly.Module | undefined>();

/** The kernels in use, for shared memory; undefined where their binary is not to be had or the engine refuses it. */
export function sharedKernels(): WebAssembly.Module | undefined {
  const { module } = compiledKernels();
  if (!made.has(module)) made.set(module, compile());
  return made.get(module);
}

function compile(): WebAssembly.Module | undefined {
  const bytes = kernelBytes();
  const rewritten = bytes && importingMemory(bytes);
  try {
    return rewritten && new WebAssembly.Module(rewritten as BufferSource);
  } catch {
    return undefined;
  }
}

/** The binary with an imported, shared memory in place of its own; undefined when it has imports already, or no memory. */
export function importingMemory(bytes: Uint8Array): Uint8Array | undefined {
  const parts: Uint8Array[] = [bytes.subarray(0, 8)];
  let found = false;
  for (let at = 8; at < bytes.length; ) {
    const id = bytes[at] as number;
    const [size, body] = length(bytes, at + 1);
    if (id === importSection) return undefined;
    if (id === memorySection) found = true;
    else parts.push(bytes.subarray(at, body + size));
    if (id === typeSection) parts.push(Uint8Array.of(importSection, sharedImport.length, ...sharedImport));
    at = body + size;
  }
  if (!found) return undefined;
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** An unsigned LEB128 number and where it ends. */
function length(bytes: Uint8Array, at: number): [number, number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] as number;
    value |= (byte & 127) << shift;
    if (byte < 128) return [value, at];
  }
}
