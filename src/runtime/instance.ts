// Instances of the compiled kernels: one shared by all stateless calls, one more for every object that keeps state.
import { instantiateSync } from '@assemblyscript/loader';
import { availableThreads, loadBytes, loadModule, readTier, requestedTier } from '#load';
import type { KernelName } from '#wasm/simd';
import { RuntimeLoadError } from '../core/errors.js';
import { Arena, type Rooms } from './arena.js';
import { hasRelaxedSimd } from './probe.js';

/** The exported kernels by name: numbers in, numbers out, addresses as numbers. */
export type Kernels = { readonly [name in KernelName]: (...args: number[]) => number };

/** What `init` accepts: a compiled module, its bytes, a response or promise of either, or the relaxed tier by name. */
export type KernelSource = WebAssembly.Module | BufferSource | Response | { readonly relaxed: boolean };

/** A memory that other threads use too, and what it starts at here. */
export interface SharedPlace {
  readonly memory: WebAssembly.Memory;
  readonly rooms: Rooms;
  readonly base: number;
}

/** One instance of the kernels with a memory of its own, or on one that it shares. */
export class Instance {
  readonly kernels: Kernels;
  readonly arena: Arena;

  constructor(module: WebAssembly.Module = compiled(), shared?: SharedPlace) {
    // The instance's own exports: the loader's are functions around them, for optional arguments, which no kernel has.
    const { exports } = instantiateSync(module, shared ? { env: { memory: shared.memory } } : {}).instance;
    this.kernels = exports as unknown as Kernels;
    if (!shared) {
      this.arena = new Arena(exports.memory as WebAssembly.Memory, this.kernels.heapBase());
      return;
    }
    this.arena = new Arena(shared.memory, shared.base, shared.rooms);
    this.kernels.moveSpare(this.arena.alloc('u8', 48).ptr);
  }

  /** Bytes of WebAssembly memory held by this instance. */
  get bytes(): number {
    return this.arena.memory.buffer.byteLength;
  }

  /** Runs `work` with this instance as the one that kernels and arenas use, and releases the blocks it allocated. */
  run<R>(work: (arena: Arena) => R): R {
    const outer = current;
    const mark = this.arena.mark();
    current = this;
    try {
      return refusePromise(work(this.arena));
    } finally {
      this.arena.release(mark);
      current = outer;
    }
  }

  /** Runs `work` with this instance current and keeps what it allocates: for objects that hold state. */
  keep<R>(work: (arena: Arena) => R): R {
    const outer = current;
    current = this;
    try {
      return refusePromise(work(this.arena));
    } finally {
      current = outer;
    }
  }
}

let module: WebAssembly.Module | undefined;
let bytesOf: (() => Uint8Array | undefined) | undefined;
let build = 'simd';
let shared: Instance | undefined;
let current: Instance | undefined;

function compiled(): WebAssembly.Module {
  if (!module) {
    try {
      module = loadModule();
      bytesOf = loadBytes;
      build = requestedTier() ?? 'simd';
    } catch (cause) {
      if (cause instanceof RuntimeLoadError) throw cause;
      throw new RuntimeLoadError(
        'kernels: WebAssembly SIMD could not be compiled here; use a runtime with wasm SIMD, or pass a module to init()',
        { cause },
      );
    }
  }
  return module;
}

/** The kernels of the instance in use: the shared one, or the one whose `run` or `keep` is on the stack. */
export function kernels(): Kernels {
  return instance().kernels;
}

/** The instance in use. */
export function instance(): Instance {
  if (current) return current;
  shared ??= new Instance();
  return shared;
}

/** Runs `work` with an arena whose blocks are released when it returns or throws. It must not be async. */
export function withArena<R>(work: (arena: Arena) => R): R {
  return instance().run(work);
}

/**
 * Chooses the kernels in place of the inlined plain SIMD build; calls made before it keep the instance they have.
 * @throws {RuntimeLoadError} when the source cannot be compiled or relaxed SIMD is not available
 */
export async function init(source: KernelSource | Promise<KernelSource>): Promise<void> {
  const given = await source;
  if (given && typeof given === 'object' && 'relaxed' in given) {
    if (!given.relaxed) return use(loadModule(), 'simd', loadBytes);
    if (!hasRelaxedSimd())
      throw new RuntimeLoadError('relaxed: expected an engine with relaxed SIMD, got one without it; leave the option out');
    const bytes = readTier('relaxed');
    if (!bytes) throw new RuntimeLoadError("relaxed: this runtime cannot read the package's files; import 'afterpass/relaxed' instead");
    return use(new WebAssembly.Module(bytes as BufferSource), 'relaxed', () => bytes);
  }
  try {
    if (given instanceof WebAssembly.Module) return use(given, 'custom');
    const bytes = typeof Response !== 'undefined' && given instanceof Response ? await given.arrayBuffer() : (given as BufferSource);
    return use(await WebAssembly.compile(bytes), 'custom');
  } catch (cause) {
    throw new RuntimeLoadError('source: expected a WebAssembly.Module, its bytes or a Response with them', { cause });
  }
}

/** The compiled kernels of later instances and their name: what another thread has to be given. */
export function compiledKernels(): { module: WebAssembly.Module; build: string } {
  return { module: compiled(), build };
}

/** The binary of the kernels of later instances, where it is known. */
export function kernelBytes(): Uint8Array | undefined {
  compiled();
  return bytesOf?.();
}

/** Makes `compiledModule` the kernels of every later instance; `bytes` gives its binary, where there is one to give. */
export function use(compiledModule: WebAssembly.Module, name: string, bytes?: () => Uint8Array | undefined): void {
  module = compiledModule;
  bytesOf = bytes;
  build = name;
  shared = undefined;
}

/** What is loaded: the tier, whether the engine has relaxed SIMD, threads a pool can have here, and the bytes of the shared instance. */
export function capabilities(): { build: string; relaxedSimd: boolean; threads: number; wasmBytes: number } {
  const { bytes } = instance();
  return { build, relaxedSimd: hasRelaxedSimd(), threads: availableThreads(), wasmBytes: bytes };
}

function refusePromise<R>(result: R): R {
  if (typeof (result as { then?: unknown } | undefined)?.then === 'function') {
    throw new RuntimeLoadError('withArena: expected synchronous work, got a promise; an arena must not span an await');
  }
  return result;
}
