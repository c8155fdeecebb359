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

/** What it answers, task by task: a pass, null where the machine lacks what the case needs, or why it stopped. */
export type Answer = { readonly pass: Pass | null } | { readonly failure: string };

const script = fileURLToPath(new URL('./bench-process.js', import.meta.url));

/** Makes all passes of a round in a new process that finds the cases in `folder`. */
export function processSampler(folder: string): Sampler {
  return (tasks, made, signal) => {
    const order = { folder, tasks: tasks.map(sendable) };
    return new Promise((resolve, reject) => {
      const child = fork(script, { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
      const stop = (): unknown => child.kill('SIGKILL');
      signal?.addEventListener('abort', stop);
      let answers = 0;
      let failure: string | undefined;
      child.on('error', reject);
      child.on('message', (answer: Answer) => {
        if ('failure' in answer) failure = answer.failure;
        else if (!signal?.aborted) {
          answers++;
          made(answer.pass ?? undefined);
        }
      });
      child.on('exit', (code, by) => {
        signal?.removeEventListener('abort', stop);
        if (signal?.aborted || answers === tasks.length) resolve();
        else reject(new Error(failure ?? `a measuring process ended without an answer (${by ?? `exit ${code}`})`));
      });
      child.send(order);
    });
  };
}

function sendable({ file, subject, size, settings }: Task): Order['tasks'][number] {
  if (file === undefined) throw new DomainError(`${subject.name}: expected a case of a file, got one made in this process`);
  return { file, name: subject.name, size, settings };
}
