// Passes of a benchmark in processes of their own, one for each round over the rows.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Pass, PassSettings } from '../../src/bench/pass.js';
import type { Sampler, Task } from '../../src/bench/run.js';
import { DomainError } from '../../src/core/errors.js';

/** What a process is asked to do: cases by file and name, since functions cannot be sent. */
export interface Order {
  readonly folder: string;
  readonly tasks: readonly {
    readonly file: string;
    readonly name: string;
    readonly size: readonly number[];
    readonly settings: PassSettings;
  }[];
}

/** What it answers: the passes, or why there are none. */
export type Answer = { readonly passes: readonly (Pass | null)[] } | { readonly failure: string };

const script = fileURLToPath(new URL('./bench-process.js', import.meta.url));

/** Makes all passes of a round in a new process that finds the cases in `folder`. */
export function processSampler(folder: string): Sampler {
  return async (tasks) => {
    const answer = await ask({ folder, tasks: tasks.map(sendable) });
    if ('failure' in answer) throw new Error(answer.failure);
    return answer.passes.map((pass) => pass ?? undefined);
  };
}

function sendable({ file, subject, size, settings }: Task): Order['tasks'][number] {
  if (file === undefined) throw new DomainError(`${subject.name}: expected a case of a file, got one made in this process`);
  return { file, name: subject.name, size, settings };
}

function ask(order: Order): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = fork(script, { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    let answer: Answer | undefined;
    child.on('error', reject);
    child.on('message', (message: Answer) => {
      answer = message;
    });
    child.on('exit', (code, signal) => {
      if (answer) resolve(answer);
      else reject(new Error(`a measuring process ended without an answer (${signal ?? `exit ${code}`})`));
    });
    child.send(order);
  });
}
