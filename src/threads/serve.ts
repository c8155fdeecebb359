// The worker's side: takes one request after the other, answers each.
import { DomainError } from '../core/errors.js';
import { type Instance, use } from '../runtime/instance.js';
import { toPlain } from './plain-error.js';
import { attach } from './shared-memory.js';
import { buffersOf, type Reply, type Request, type Task, type WorkRequest } from './task.js';

/** The end of a channel as a worker sees it. */
export interface Port {
  readonly post: (reply: Reply, transfer: ArrayBuffer[]) => void;
  readonly listen: (receive: (request: Request) => void) => void;
}

/** Answers requests for the tasks in the table, in the order they come. */
export function serve({ post, listen }: Port, tasks: readonly Task<never, unknown>[]): void {
  const byName = new Map(tasks.map((task) => [task.name, task]));
  const memories = new Map<number, Instance>();
  let before: Promise<void> = Promise.resolve();
  listen((request) => {
    if ('attach' in request) memories.set(request.attach.id, attach(request.attach));
    else if ('detach' in request) memories.delete(request.detach);
    else if ('module' in request) {
      if (request.module) use(request.module, request.build);
    } else work(request);
  });
  function work({ id, task, input, place }: WorkRequest): void {
    before = before.then(async () => {
      try {
        const known = byName.get(task);
        if (!known) throw new DomainError(`task: expected one of ${[...byName.keys()].join(', ')}, got '${task}'`);
        const result = place ? inMemory(place, () => known.run(input as never)) : await known.run(input as never);
        post({ id, result }, [...buffersOf(result)]);
      } catch (error) {
        post({ id, error: toPlain(error) }, []);
      }
    });
  }
  /** Runs synchronous work on the instance of this thread in a shared memory. */
  function inMemory<R>({ memory, bytes }: NonNullable<WorkRequest['place']>, run: () => R): R {
    const instance = memories.get(memory);
    if (!instance) throw new DomainError('memory: expected one in use, got one that was detached');
    const handle = instance.arena.memory;
    if (handle.buffer.byteLength < bytes) handle.grow(0); // an engine may not have seen yet how another thread made it longer
    return instance.run(run);
  }
  post({ id: -1 }, []);
}
