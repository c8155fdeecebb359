// Pruning without retraining: weights are removed in steps, and the others move to make up for them.

import { magnitudePrune, nmPrune, type ObsUpdate, type Pattern } from '../compression/index.js';
import { checkPattern } from '../compression/layer-obs.js';
import { removals } from '../compression/prune-input.js';
import { batchesOf, checkAborted } from '../core/batches.js';
import { checkInteger, checkMethods, checkNonNegative, checkOneOf, checkPositive, checkRange } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { Batch, Data, DifferentiableModel, LongOptions, ParameterSlot } from '../core/model-types.js';
import { readLong } from '../core/stepper.js';
import { sizeOf } from '../core/tensor.js';
import type { ThreadPool } from '../threads/pool.js';
import { type Evaluation, evaluate } from './evaluate.js';
import { removeByFisher } from './prune-fisher.js';
import { removeByLayers } from './prune-layers.js';
import { type Selection, selectionOf } from './prune-selection.js';
import { checkParameters, selectSlots } from './select.js';

export const pruneMethods = ['mfac', 'magnitude', 'block4', 'obc', 'sparsegpt', 'wanda', 'ecoflap'] as const;
export type PruneMethod = (typeof pruneMethods)[number];
const byFisher: readonly PruneMethod[] = ['mfac', 'block4'];
const withPattern: readonly PruneMethod[] = ['mfac', 'magnitude', 'obc', 'sparsegpt', 'wanda'];

export interface PruneModelOptions extends LongOptions {
  /** Share of the selected weights to remove, 0 … 1; or give `pattern`. */
  readonly sparsity?: number;
  /** Keep n of every m weights that lie side by side in a row (what one output reads): { n: 2, m: 4 }. */
  readonly pattern?: Pattern;
  /**
   * `mfac` (default): by the loss increase that the empirical Fisher matrix predicts; `block4`: the same for four neighbours at a time;
   * `magnitude`: the smallest. On an ONNX model also layer by layer on calibration inputs, every layer losing the same share:
   * `obc` weight by weight with exact updates, `sparsegpt` column by column, `wanda` by weight times input without updates,
   * `ecoflap` the same with shares by the importance of each layer.
   */
  readonly method?: PruneMethod;
  /** mfac, block4: how the kept weights move (`joint`). */
  readonly update?: ObsUpdate;
  /** mfac, block4: rounds of a cubic schedule, with the Fisher matrix recomputed on the survivors in each (10); with a pattern at most m − n. */
  readonly steps?: number;
  /** mfac, block4: single-sample gradients of one Fisher matrix (512), at most the samples there are. */
  readonly gradients?: number;
  /** mfac, block4: λ of F + λI (1e-6). */
  readonly damping?: number;
  /** mfac, block4: weights of one block of a block-diagonal Fisher matrix (all in one). */
  readonly blockSize?: number;
  /** mfac, block4: bytes of WebAssembly memory for the Fisher matrix (1 GiB); the rest of it takes the place of the gradients. */
  readonly memoryLimit?: number;
  /** magnitude: weights to keep in every tensor: a share below 1, a number from 1 on (0). */
  readonly minimumPerLayer?: number;
  /** obc, sparsegpt, wanda, ecoflap: calibration samples (256), at most those there are. */
  readonly samples?: number;
  /** Globs on names, nodes or operators in place of the weights of Conv, Gemm and MatMul. */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  /** Choice of the samples (0). */
  readonly seed?: number;
  /** mfac, block4: threads that share the work on the Fisher matrix; the result does not depend on them. */
  readonly pool?: ThreadPool | undefined;
}

export interface PrunedLayer {
  readonly name: string;
  readonly node: string;
  readonly opType: string;
  readonly parameters: number;
  readonly pruned: number;
  readonly sparsity: number;
}

export interface PruneModelResult {
  /** Share of the selected weights that is zero now. */
  readonly sparsity: number;
  /** Selected weights, and how many of them were removed. */
  readonly parameters: number;
  readonly pruned: number;
  readonly perLayer: PrunedLayer[];
  /** On the data given, before and after. */
  readonly before: Evaluation;
  readonly after: Evaluation;
  /** [d], 1 where a parameter is kept. */
  readonly mask: Uint8Array;
  readonly seconds: number;
}

/**
 * Prunes a model in place, without retraining. mfac and magnitude make exactly ⌊sparsity·n⌋ of the n selected weights zero, block4
 * whole groups of four, the others a share of every layer or row; a pattern leaves n of every m.
 * With M-FAC and several steps, step t of T removes up to sparsity·(1 − (1 − t/T)³), each by a Fisher matrix of the survivors.
 *
 * @param data labelled samples: their gradients make the Fisher matrix, and `before` and `after` are measured on them
 * @throws {DomainError} when options are out of range or exclude each other, or a glob matches nothing; {AbortError} by `signal`, with the parameters as they were
 * @see Frantar, Kurtic & Alistarh 2021, arXiv:2107.03356, §4.1; schedule: Zhu & Gupta 2017, arXiv:1710.01878; block4: arXiv:2203.07259;
 * obc: arXiv:2208.11580; sparsegpt: arXiv:2301.00774; wanda: arXiv:2306.11695; ecoflap: arXiv:2310.02998
 */
export async function pruneModel(model: DifferentiableModel, data: Data, options: PruneModelOptions): Promise<PruneModelResult> {
  const settings = readOptions(options);
  const { sparsity, method, pattern, signal, onProgress } = settings;
  checkMethods('model', model, 'a differentiable model', 'loss', 'predict', 'getParameters', 'setParameters');
  const slots = selectSlots(model.layout, options);
  checkParameters(model);
  const start = performance.now();
  const batches: Batch[] = [];
  for await (const batch of batchesOf(data)) batches.push(batch);
  const before = await evaluate(model, batches, { ...(signal && { signal }) });

  const original = model.getParameters();
  const target = (count: number): number => (method === 'block4' ? 4 * removals(sparsity, count >> 2) : removals(sparsity, count));
  const selection = selectionOf(
    model,
    slots,
    original.slice(),
    target,
    pattern !== undefined && (isFisher(method) || method === 'magnitude'),
  );
  const { alive, places, weights } = selection;
  try {
    if (method === 'magnitude') removeSmallest(selection, settings);
    else if (isFisher(method)) await removeByFisher(model, batches, slots, selection, { ...settings, group: method === 'block4' ? 4 : 1 });
    else await removeByLayers(model, batches, slots, selection, { ...settings, method });
    model.setParameters(weights);
    checkAborted(signal);
  } catch (error) {
    model.setParameters(original);
    throw error;
  }

  onProgress?.({ done: 1, total: 1, phase: 'evaluating' });
  const after = await evaluate(model, batches, { ...(signal && { signal }) });
  const mask = new Uint8Array(weights.length).fill(1);
  for (let k = 0; k < places.length; k++) mask[places[k] as number] = alive[k] as number;
  const pruned = alive.reduce((sum, kept) => sum + (kept ? 0 : 1), 0);
  record(model, settings);
  return {
    sparsity: pruned / places.length,
    parameters: places.length,
    pruned,
    perLayer: slots.map((slot) => layerOf(slot, mask)),
    before,
    after,
    mask,
    seconds: (performance.now() - start) / 1000,
  };
}

function isFisher(method: PruneMethod): method is 'mfac' | 'block4' {
  return byFisher.includes(method);
}

function removeSmallest({ places, alive, weights, layout }: Selection, { sparsity, pattern, minimumPerLayer }: Settings): void {
  const w = Float64Array.from(places, (place) => weights[place] as number);
  const { mask } = pattern ? nmPrune(w, { ...pattern, layout }) : magnitudePrune(w, { sparsity, layout, minimumPerLayer });
  alive.set(mask);
  for (let k = 0; k < places.length; k++) if (!mask[k]) weights[places[k] as number] = 0;
}

function layerOf({ name, node, opType, shape, offset }: ParameterSlot, mask: Uint8Array): PrunedLayer {
  const parameters = sizeOf(shape);
  let pruned = 0;
  for (let k = offset; k < offset + parameters; k++) if (!mask[k]) pruned++;
  return { name, node, opType, parameters, pruned, sparsity: pruned / parameters };
}

/** What was done, in the metadata of models that have some. */
function record(model: DifferentiableModel & { readonly metadata?: Map<string, string> }, settings: Settings): void {
  const { method, sparsity, pattern, update, steps, gradients, damping, blockSize, samples, seed, include, exclude } = settings;
  const fisher = { update, steps, gradients, damping, ...(blockSize !== Infinity && { blockSize }), seed };
  const how = isFisher(method) ? fisher : method === 'magnitude' ? {} : { samples, seed };
  const share = pattern ? { pattern: `${pattern.n}:${pattern.m}` } : { sparsity };
  model.metadata?.set('afterpass.prune', JSON.stringify({ method, ...share, ...how, include, exclude }));
}

type Settings = Required<Omit<PruneModelOptions, keyof LongOptions | 'include' | 'exclude' | 'pattern' | 'pool'>> &
  PruneModelOptions & { readonly pattern: Pattern | undefined };

/** Options with their defaults, each checked. */
function readOptions(options: PruneModelOptions): Settings {
  const {
    method = 'mfac',
    update = 'joint',
    steps = 10,
    gradients = 512,
    damping = 1e-6,
    blockSize = Infinity,
    seed = 0,
  } = readLong(options, '{ sparsity }');
  const { pattern, sparsity = 0, minimumPerLayer = 0, samples = 256, memoryLimit = 2 ** 30 } = options;
  checkOneOf('method', method, pruneMethods);
  if ((options.sparsity === undefined) === (pattern === undefined))
    throw new DomainError(`sparsity: expected either a sparsity or a pattern, got ${pattern ? 'both' : 'none'}`);
  checkRange('sparsity', sparsity, 0, 1);
  if (pattern) checkPattern(pattern);
  if (pattern && !withPattern.includes(method))
    throw new DomainError(`pattern: expected a method that knows patterns (${withPattern.join(', ')}), got ${method}`);
  checkOneOf('update', update, ['independent', 'joint', 'greedy']);
  if (update === 'greedy' && (pattern || method === 'block4'))
    throw new DomainError(`update: expected joint or independent for ${pattern ? 'a pattern' : 'block4'}, got greedy`);
  checkInteger('steps', steps, 1);
  checkInteger('gradients', gradients, 1);
  checkInteger('samples', samples, 1);
  checkPositive('damping', damping);
  checkPositive('memoryLimit', memoryLimit);
  if (blockSize !== Infinity) checkInteger('blockSize', blockSize, 1);
  if (blockSize !== Infinity && method === 'block4' && blockSize % 4)
    throw new DomainError(`blockSize: expected a multiple of 4 for block4, got ${blockSize}`);
  checkNonNegative('minimumPerLayer', minimumPerLayer);
  if (minimumPerLayer > 0 && (method !== 'magnitude' || pattern))
    throw new DomainError(`minimumPerLayer: expected method magnitude without a pattern, got ${pattern ? 'a pattern' : method}`);
  checkInteger('seed', seed);
  return {
    ...options,
    sparsity,
    pattern,
    method,
    update,
    steps,
    gradients,
    damping,
    blockSize,
    memoryLimit,
    minimumPerLayer,
    samples,
    seed,
  };
}
