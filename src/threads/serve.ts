// The worker's side: takes one request after the other, answers each.
import { DomainError } from '../core/errors.js';
import { use } from '../runtime/instance.js';
import { toPlain } from './plain-error.js';
import { buffersOf, type Reply, type Request, type Task } from './task.js';

/** The end of a channel as a worker sees it. */
export interface Port {
  readonly post: (reply: Reply, transfer: ArrayBuffer[]) => void;
  readonly listen: (receive: (request: Request) => void) => void;
}

/** Answers requests for the tasks in the table, in the order they come. */
export function serve({ post, listen }: Port, tasks: readonly Task<never, unknown>[]): void {
  const byName = new Map(tasks.map((task) => [task.name, task]));
  let before: Promise<void> = Promise.resolve();
  listen((request) => {
    if (!('task' in request)) {
      if (request.module) use(request.module, request.build);
      return;
    }
    const { id, task, input } = request;
    before = before.then(async () => {
      try {
        const known = byName.get(task);
        if (!known) throw new DomainError(`task: expected one of ${[...byName.keys()].join(', ')}, got '${task}'`);
        const result = await known.run(input as never);
        post({ id, result }, [...buffersOf(result)]);
      } catch (error) {
        post({ id, error: toPlain(error) }, []);
      }
    });
  });
  post({ id: -1 }, []);
}
