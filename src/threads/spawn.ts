// Threads as Web Workers: browsers, Deno.
import type { Reply } from './task.js';

/** A running worker. */
export interface Thread {
  post(message: unknown, transfer: ArrayBuffer[]): void;
  /** While busy it keeps the process alive, where there is a process to keep. */
  busy(value: boolean): void;
  end(): void;
}

/** What becomes of a worker: its answers, and the reason when it ends by itself. */
export interface Listener {
  readonly reply: (reply: Reply) => void;
  readonly fail: (reason: string) => void;
}

interface Scope {
  readonly Worker?: new (url: URL | string, options: { type: 'module'; name: string }) => WorkerLike;
}
interface WorkerLike {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  terminate(): void;
  onmessage: ((event: { data: Reply }) => void) | null;
  onerror: ((event: { message?: string; preventDefault?: () => void }) => void) | null;
  onmessageerror: (() => void) | null;
}

/** Starts a worker on the package's script, or on `script`; undefined where there are none. */
export function spawn({ reply, fail }: Listener, script?: URL | string): Thread | undefined {
  if (typeof (globalThis as Scope).Worker !== 'function') return undefined;
  // Bundlers find the script by exactly this expression.
  const worker = (script === undefined
    ? new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'afterpass' })
    : new Worker(script, { type: 'module', name: 'afterpass' })) as unknown as WorkerLike;
  worker.onmessage = ({ data }) => reply(data);
  worker.onerror = (event) => {
    event.preventDefault?.();
    fail(event.message || 'its script could not be loaded');
  };
  worker.onmessageerror = () => fail('a message could not be read');
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    busy: () => {},
    end: () => worker.terminate(),
  };
}
