/** Threads for work that splits: one pool for many calls. */

export { type RunOptions, ThreadPool, type ThreadPoolOptions } from './pool.js';
export type { Task } from './task.js';
