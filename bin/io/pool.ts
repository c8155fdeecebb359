// Threads from the option that every verb has.
import { ThreadPool } from '../../src/threads/index.js';
import type { GlobalArgs } from '../options.js';

/** A pool of `--threads` threads; undefined for one, or where the option is left out. */
export async function poolFor({ threads }: Pick<GlobalArgs, 'threads'>, signal?: AbortSignal): Promise<ThreadPool | undefined> {
  if (threads === undefined || threads === 1) return undefined;
  return ThreadPool.open({ threads, ...(signal && { signal }) });
}
