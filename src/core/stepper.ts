import { checkAborted } from './batches.js';
import type { LongOptions } from './model-types.js';

/** Runs one step of a long call: it looks at the signal first and reports afterwards. */
export type Step = <R>(work: () => R | Promise<R>) => Promise<R>;

/** Steps of one long call, `total` of them where that is known. @throws {AbortError} by `signal`, before a step */
export function stepper({ signal, onProgress }: LongOptions, total?: number): Step {
  let done = 0;
  return async (work) => {
    checkAborted(signal);
    const result = await work();
    onProgress?.({ done: ++done, ...(total !== undefined && { total }) });
    return result;
  };
}
