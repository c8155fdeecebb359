// What a worker can do: every task of every area. Only the workers' scripts import this.
import { samplesTask } from '../dense/per-sample.js';
import { gemmBlocksTask, gemmTask } from '../linalg/parallel-gemm.js';
import { blocksInPlaceTask, gramInPlaceTask, whitenInPlaceTask } from '../mfac/factorize-in-place.js';
import { blocksTask, gramTask, whitenTask } from '../mfac/factorize-in-pool.js';
import { projectBlockTask, projectPieceTask } from '../mfac/project-in-pool.js';
import { sinkhornTask } from '../transport/parallel-sinkhorn-batch.js';
import type { Task } from './task.js';

/** All tasks. */
export const tasks: readonly Task<never, unknown>[] = [
  gemmTask,
  gemmBlocksTask,
  blocksTask,
  gramTask,
  whitenTask,
  gramInPlaceTask,
  whitenInPlaceTask,
  blocksInPlaceTask,
  projectBlockTask,
  projectPieceTask,
  sinkhornTask,
  samplesTask,
];
