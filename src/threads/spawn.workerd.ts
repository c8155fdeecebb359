// Edge runtimes have no workers: pools there work in the calling thread.
import type { Listener, Thread } from './spawn.js';

/** Undefined: no threads here. */
export function spawn(_listener: Listener, _script?: URL | string): Thread | undefined {
  return undefined;
}
