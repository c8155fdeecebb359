import { checkAborted } from './batches.js';
import { asRecord, checkFunction } from './check.js';
import { DomainError } from './errors.js';
import type { LongOptions } from './model-types.js';
import { describe } from './tensor.js';

/** Milliseconds of work without a break after which timers get their turn, where there is a signal that one of them may fire. */
const breath = 10;

/** A look at the signal, to be awaited before each step of a long call. @throws {AbortError} */
export function watch(signal: AbortSignal | undefined): () => Promise<void> {
  let last = Date.now();
  return async () => {
    checkAborted(signal);
    if (!signal || Date.now() - last < breath) return;
    await new Promise((resolve) => setTimeout(resolve));
    last = Date.now();
    checkAborted(signal);
  };
}

/** The options of a long call, checked. @throws {DomainError} when the signal is no AbortSignal or onProgress no function */
export function readLong<T extends LongOptions>(options: T, fields?: string): T {
  const { signal, onProgress } = asRecord('options', options, fields);
  if (signal && typeof signal.aborted !== 'boolean') throw new DomainError(`signal: expected an AbortSignal, got ${describe(signal)}`);
  if (onProgress) checkFunction('onProgress', onProgress);
  return options;
}

/** Runs one step of a long call: it looks at the signal first and reports afterwards. */
export type Step = <R>(work: () => R | Promise<R>) => Promise<R>;

/** Steps of one long call, `total` of them where that is known. @throws {AbortError} by `signal`, before a step */
export function stepper(options: LongOptions, total?: number): Step {
  const { signal, onProgress } = readLong(options);
  const look = watch(signal);
  let done = 0;
  return async (work) => {
    await look();
    const result = await work();
    onProgress?.({ done: ++done, ...(total !== undefined && { total }) });
    return result;
  };
}

/** The items as they come, each a step of a long call: it ends when the next one is asked for. @throws {AbortError} by `signal` */
export async function* watched<T>(items: AsyncIterable<T>, options: LongOptions): AsyncGenerator<T> {
  const { signal, onProgress } = readLong(options);
  const look = watch(signal);
  let done = 0;
  await look();
  for await (const item of items) {
    if (done > 0) await look();
    yield item;
    done++;
    onProgress?.({ done });
  }
}
