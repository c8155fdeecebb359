// Runs the same work on the SIMD kernels and on their scalar twins.
import { readFileSync } from 'node:fs';
import type { TypedArray } from '../../src/core/tensor.js';
import type { Arena, Block } from '../../src/runtime/arena.js';
import { Instance } from '../../src/runtime/instance.js';

/** A new instance of one built binary. */
export function tier(name: 'simd' | 'relaxed' | 'reference' | 'debug'): Instance {
  return new Instance(new WebAssembly.Module(readFileSync(`build/wasm/${name}.wasm`)));
}

const fast = tier('simd');
const plain = tier('reference');

/** The results of `work` on the kernels and on the twins. */
export function onBoth<R extends number | Block>(work: (arena: Arena) => R): [TypedArray | number[], TypedArray | number[]] {
  const read = (arena: Arena): TypedArray | number[] => {
    const result = work(arena);
    return typeof result === 'number' ? [result] : (arena.take(result) as TypedArray);
  };
  return [fast.run(read), plain.run(read)];
}
