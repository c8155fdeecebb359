// Pruning without retraining: weights are removed in steps, and the others move to make up for them.

import { magnitudePrune, type ObsUpdate, obsPrune, parallelObsPrune } from '../compression/index.js';
import { removals } from '../compression/prune-input.js';
import { batchesOf, checkAborted, samplesOf, takeSamples } from '../core/batches.js';
import { checkInteger, checkOneOf, checkPositive, checkRange } from '../core/check.js';
import type { Batch, Data, DifferentiableModel, LongOptions, ParameterSlot } from '../core/model-types.js';
import { Random } from '../core/random.js';
import { type FloatArray, floats, sizeOf } from '../core/tensor.js';
import { StaticMfac } from '../mfac/index.js';
import type { ThreadPool } from '../threads/pool.js';
import { type Evaluation, evaluate } from './evaluate.js';
import { selectSlots } from './select.js';

export const pruneMethods = ['mfac', 'magnitude'] as const;
export type PruneMethod = (typeof pruneMethods)[number];

export interface PruneModelOptions extends LongOptions {
  /** Share of the selected weights to remove, 0 … 1. */
  readonly sparsity: number;
  /** `mfac` (default): by the loss increase that the empirical Fisher matrix predicts; `magnitude`: the smallest. */
  readonly method?: PruneMethod;
  /** mfac: how the kept weights move (`joint`). */
  readonly update?: ObsUpdate;
  /** mfac: rounds of a cubic schedule, with the Fisher matrix recomputed on the survivors in each (10). */
  readonly steps?: number;
  /** mfac: single-sample gradients of one Fisher matrix (512), at most the samples there are. */
  readonly gradients?: number;
  /** mfac: λ of F + λI (1e-6). */
  readonly damping?: number;
  /** mfac: weights of one block of a block-diagonal Fisher matrix (all in one). */
  readonly blockSize?: number;
  /** Globs on names, nodes or operators in place of the weights of Conv, Gemm and MatMul. */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  /** Choice of the samples (0). */
  readonly seed?: number;
  /** mfac: threads that share the work on the Fisher matrix; the result does not depend on them. */
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
 * Prunes a model in place, without retraining: exactly ⌊sparsity·n⌋ of the n selected weights become zero.
 * With M-FAC and several steps, step t of T removes up to sparsity·(1 − (1 − t/T)³), each by a Fisher matrix of the survivors.
 *
 * @param data labelled samples: their gradients make the Fisher matrix, and `before` and `after` are measured on them
 * @throws {DomainError} when an option is out of range or a glob matches nothing; {AbortError} by `signal`, with the parameters as they were
 * @see Frantar, Kurtic & Alistarh 2021, arXiv:2107.03356, §4.1; schedule: Zhu & Gupta 2017, arXiv:1710.01878
 */
export async function pruneModel(model: DifferentiableModel, data: Data, options: PruneModelOptions): Promise<PruneModelResult> {
  const settings = readOptions(options);
  const { sparsity, method, signal, onProgress } = settings;
  const slots = selectSlots(model.layout, options);
  const start = performance.now();
  const batches: Batch[] = [];
  for await (const batch of batchesOf(data)) batches.push(batch);
  const before = await evaluate(model, batches, { ...(signal && { signal }) });

  const places = placesOf(slots);
  const original = model.getParameters();
  const weights = original.slice();
  const alive = new Uint8Array(places.length).fill(1);
  const target = removals(sparsity, places.length);
  try {
    if (method === 'magnitude') removeSmallest(weights, places, alive, sparsity);
    else await removeByFisher(model, batches, slots, { places, alive, weights, target }, settings);
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
  record(model, settings);
  return {
    sparsity: target / places.length,
    parameters: places.length,
    pruned: target,
    perLayer: slots.map((slot) => layerOf(slot, mask)),
    before,
    after,
    mask,
    seconds: (performance.now() - start) / 1000,
  };
}

interface Progress {
  /** Places of the selected weights in the flat vector, and which of them are kept. */
  readonly places: Int32Array;
  readonly alive: Uint8Array;
  readonly weights: FloatArray;
  readonly target: number;
}

async function removeByFisher(
  model: DifferentiableModel,
  batches: readonly Batch[],
  slots: readonly ParameterSlot[],
  progress: Progress,
  settings: Settings,
): Promise<void> {
  const { update, steps, gradients, damping, blockSize, seed, signal, onProgress, pool } = settings;
  const { places, alive, weights, target } = progress;
  const random = new Random(seed);
  const samples = batches.reduce((sum, batch) => sum + samplesOf(batch), 0);
  const count = Math.min(gradients, samples);
  let removed = 0;
  for (let step = 1; step <= steps; step++) {
    const left = 1 - step / steps;
    const goal = step === steps ? target : Math.floor(target * (1 - left * left * left));
    if (goal === removed) continue;
    const kept = keptOf(alive);
    const report = (share: number): void => onProgress?.({ done: step - 1 + share, total: steps, phase: 'pruning' });
    const rows = gradientRows(model, draw(batches, count, random), slots, kept, (done) => report((0.8 * done) / count));
    const fisher = await StaticMfac.build(rows, { damping, blockSize, pool, ...(signal && { signal }) });
    try {
      report(0.9);
      const w = floats(model.precision, kept.length);
      for (let k = 0; k < kept.length; k++) w[k] = weights[places[kept[k] as number] as number] as number;
      const choice = { sparsity: (goal - removed) / kept.length, update };
      const result = pool ? await parallelObsPrune(w, fisher, { ...choice, pool, ...(signal && { signal }) }) : obsPrune(w, fisher, choice);
      for (let k = 0; k < kept.length; k++) {
        const place = kept[k] as number;
        alive[place] = result.mask[k] as number;
        weights[places[place] as number] = result.weights[k] as number;
      }
    } finally {
      fisher.dispose();
    }
    removed = goal;
    model.setParameters(weights);
    checkAborted(signal);
  }
}

function removeSmallest(weights: FloatArray, places: Int32Array, alive: Uint8Array, sparsity: number): void {
  const w = Float64Array.from(places, (place) => weights[place] as number);
  const { mask } = magnitudePrune(w, { sparsity });
  alive.set(mask);
  for (let k = 0; k < places.length; k++) if (!mask[k]) weights[places[k] as number] = 0;
}

/** Gradients of single samples at the model's parameters, kept columns only. */
async function* gradientRows(
  model: DifferentiableModel,
  batches: readonly Batch[],
  slots: readonly ParameterSlot[],
  kept: Int32Array,
  report: (done: number) => void,
): AsyncGenerator<FloatArray> {
  const names = slots.map(({ name }) => name);
  let done = 0;
  for (const batch of batches) {
    const { data, shape } = await model.perSampleGradients(batch, { slots: names });
    const [samples, width] = shape as [number, number];
    for (let i = 0; i < samples; i++) {
      const row = floats(model.precision, kept.length);
      for (let k = 0; k < kept.length; k++) row[k] = (data as FloatArray)[i * width + (kept[k] as number)] as number;
      yield row;
    }
    done += samples;
    report(done);
  }
}

/** `count` different samples drawn from all batches, in small batches of their own. */
function draw(batches: readonly Batch[], count: number, random: Random): Batch[] {
  const ends: number[] = [];
  for (const batch of batches) ends.push((ends.at(-1) ?? 0) + samplesOf(batch));
  const chosen: number[][] = batches.map(() => []);
  for (const sample of random.permutation(ends.at(-1) ?? 0).subarray(0, count)) {
    const b = ends.findIndex((end) => sample < end);
    chosen[b]?.push(sample - (ends[b - 1] ?? 0));
  }
  const size = 32; // so that progress and aborts come often
  return batches.flatMap((batch, b) => {
    const own = chosen[b] as number[];
    return Array.from({ length: Math.ceil(own.length / size) }, (_, i) => takeSamples(batch, own.slice(i * size, (i + 1) * size)));
  });
}

function placesOf(slots: readonly ParameterSlot[]): Int32Array {
  return Int32Array.from(slots.flatMap(({ offset, shape }) => Array.from({ length: sizeOf(shape) }, (_, k) => offset + k)));
}

function keptOf(alive: Uint8Array): Int32Array {
  const kept: number[] = [];
  for (let k = 0; k < alive.length; k++) if (alive[k]) kept.push(k);
  return Int32Array.from(kept);
}

function layerOf({ name, node, opType, shape, offset }: ParameterSlot, mask: Uint8Array): PrunedLayer {
  const parameters = sizeOf(shape);
  let pruned = 0;
  for (let k = offset; k < offset + parameters; k++) if (!mask[k]) pruned++;
  return { name, node, opType, parameters, pruned, sparsity: pruned / parameters };
}

/** What was done, in the metadata of models that have some. */
function record(model: DifferentiableModel & { readonly metadata?: Map<string, string> }, settings: Settings): void {
  const { method, sparsity, update, steps, gradients, damping, blockSize, seed, include, exclude } = settings;
  const how = method === 'mfac' ? { update, steps, gradients, damping, ...(blockSize !== Infinity && { blockSize }), seed } : {};
  model.metadata?.set('afterpass.prune', JSON.stringify({ method, sparsity, ...how, include, exclude }));
}

type Settings = Required<Omit<PruneModelOptions, keyof LongOptions | 'include' | 'exclude' | 'pool'>> & PruneModelOptions;

/** Options with their defaults, each checked. */
function readOptions(options: PruneModelOptions): Settings {
  const { method = 'mfac', update = 'joint', steps = 10, gradients = 512, damping = 1e-6, blockSize = Infinity, seed = 0 } = options;
  checkRange('sparsity', options.sparsity, 0, 1);
  checkOneOf('method', method, pruneMethods);
  checkOneOf('update', update, ['independent', 'joint', 'greedy']);
  checkInteger('steps', steps, 1);
  checkInteger('gradients', gradients, 1);
  checkPositive('damping', damping);
  if (blockSize !== Infinity) checkInteger('blockSize', blockSize, 1);
  checkInteger('seed', seed);
  return { ...options, method, update, steps, gradients, damping, blockSize, seed };
}
