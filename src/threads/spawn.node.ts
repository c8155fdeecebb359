// Threads as worker threads of Node (and Bun).
import type { Listener, Thread } from './spawn.js';
import type { Reply } from './task.js';

/** Starts a worker thread on the package's script, or on `script`; undefined where the script cannot be found. */
export function spawn({ reply, fail }: Listener, script?: URL | string): Thread | undefined {
  const { Worker } = process.getBuiltinModule('node:worker_threads');
  const worker = new Worker(new URL(script ?? import.meta.resolve('#worker')), { name: 'afterpass', execArgv: [] });
  worker.on('message', (message: Reply) => reply(message));
  worker.on('error', (error: Error) => fail(error.message));
  worker.on('messageerror', (error: Error) => fail(error.message));
  worker.on('exit', (code) => fail(`exit ${code}`));
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    busy: (value) => (value ? worker.ref() : worker.unref()),
    end: () => {
      worker.removeAllListeners('exit');
      void worker.terminate();
    },
  };
}
