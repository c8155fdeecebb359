// What a worker can do: every task of every area. Only the workers' scripts import this.
import { gemmTask } from '../linalg/parallel-gemm.js';
import { blocksTask, gramTask, whitenTask } from '../mfac/factorize-in-pool.js';
import { projectBlockTask, projectPieceTask } from '../mfac/project-in-pool.js';
import { sinkhornTask } from '../transport/parallel-sinkhorn-batch.js';
import type { Task } from './task.js';

/** All tasks. */
export const tasks: readonly Task<never, unknown>[] = [
  gemmTask,
  blocksTask,
  gramTask,
  whitenTask,
  projectBlockTask,
  projectPieceTask,
  sinkhornTask,
];
