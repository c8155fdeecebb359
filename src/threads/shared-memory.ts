// A memory that a pool's threads use together: what is written there once all of them read, and results lie where the caller finds them.
import { Instance } from '../runtime/instance.js';
import { SharedRooms } from './rooms.js';
import { firstPages, mostPages, sharedKernels } from './shared-kernels.js';

/** What a thread needs to work in a shared memory; under `id` from then on. */
export interface Attachment {
  readonly id: number;
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** [1]: the first page that no thread has. */
  readonly free: Int32Array;
}

/** An instance on a memory of its own that other threads can be attached to; undefined where there is no shared memory. */
export function openShared(id: number): { instance: Instance; attachment: Attachment } | undefined {
  if (typeof SharedArrayBuffer !== 'function') return undefined;
  const module = sharedKernels();
  const memory = module && reserve();
  if (!memory) return undefined;
  const free = new Int32Array(new SharedArrayBuffer(4)).fill(firstPages);
  const attachment = { id, module, memory, free };
  return { instance: attach(attachment), attachment };
}

/** The instance of this thread on a shared memory. */
export function attach({ module, memory, free }: Attachment): Instance {
  return new Instance(module, { memory, rooms: new SharedRooms(memory, free), base: 0 });
}

function reserve(): WebAssembly.Memory | undefined {
  try {
    return new WebAssembly.Memory({ initial: firstPages, maximum: mostPages, shared: true });
  } catch {
    return undefined; // no address space left, or no shared memory on this page
  }
}

/** A memory as a pool hands it out. */
export interface PoolMemory {
  readonly id: number;
  /** The calling thread's instance on it. */
  readonly instance: Instance;
  /** Lets the threads forget it; the instance stays in use here. */
  detach(): void;
}
