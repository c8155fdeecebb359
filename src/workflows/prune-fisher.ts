// Pruning by the empirical Fisher matrix of the survivors, recomputed in every round.
import { groupPrune, nmPrune, type ObsUpdate, obsPrune, type Pattern, parallelObsPrune } from '../compression/index.js';
import { checkAborted, chooseSamples, pieces, samplesOf } from '../core/batches.js';
import type { Batch, DifferentiableModel, LongOptions, ParameterSlot } from '../core/model-types.js';
import { Random } from '../core/random.js';
import { type FloatArray, floats } from '../core/tensor.js';
import { StaticMfac } from '../mfac/index.js';
import type { ThreadPool } from '../threads/pool.js';
import type { Selection } from './prune-selection.js';

export interface FisherSettings extends LongOptions {
  readonly update: ObsUpdate;
  readonly steps: number;
  readonly gradients: number;
  readonly damping: number;
  readonly blockSize: number;
  readonly memoryLimit: number;
  readonly seed: number;
  /** Neighbours that go together; 1 for single weights. */
  readonly group: number;
  readonly pattern: Pattern | undefined;
  readonly pool?: ThreadPool | undefined;
}

interface Removed {
  readonly mask: Uint8Array;
  readonly weights: FloatArray;
}
type Removal = (w: FloatArray, fisher: StaticMfac, kept: number) => Removed | Promise<Removed>;

/** One round: how far it goes, and what it removes from the weights that it is given. */
interface Round {
  readonly candidates: Int32Array;
  readonly remove: Removal;
}

/** Rounds that remove `target` weights on a cubic schedule, or take weights one by one from every group of a pattern. */
export async function removeByFisher(
  model: DifferentiableModel,
  batches: readonly Batch[],
  slots: readonly ParameterSlot[],
  selection: Selection,
  settings: FisherSettings,
): Promise<void> {
  const { steps, gradients, damping, blockSize, memoryLimit, seed, pattern, signal, onProgress, pool } = settings;
  const { places, columns, alive, weights } = selection;
  const random = new Random(seed);
  const samples = batches.reduce((sum, batch) => sum + samplesOf(batch), 0);
  const count = Math.min(gradients, samples);
  const rounds = pattern ? Math.min(steps, pattern.m - pattern.n) : steps;
  let removed = 0;
  for (let step = 1; step <= rounds; step++) {
    const left = 1 - step / rounds;
    const goal = pattern
      ? step
      : step === rounds
        ? selection.target
        : wholeGroups(selection.target * (1 - left * left * left), settings.group);
    if (goal === removed) continue;
    const { candidates: kept, remove } = pattern
      ? patternRound(selection, pattern, step / rounds, settings.update)
      : shareRound(alive, goal - removed, settings);
    const report = (share: number): void => onProgress?.({ done: step - 1 + share, total: rounds, phase: 'pruning' });
    const wanted = Int32Array.from(kept, (k) => columns[k] as number);
    const rows = gradientRows(model, draw(batches, count, random), slots, wanted, (done) => report((0.8 * done) / count));
    const fisher = await StaticMfac.build(rows, { damping, blockSize, memoryLimit, overwrite: true, pool, ...(signal && { signal }) });
    try {
      report(0.9);
      const w = floats(model.precision, kept.length);
      for (let k = 0; k < kept.length; k++) w[k] = weights[places[kept[k] as number] as number] as number;
      const result = await remove(w, fisher, kept.length);
      for (let k = 0; k < kept.length; k++) {
        const at = kept[k] as number;
        alive[at] = result.mask[k] as number;
        weights[places[at] as number] = result.weights[k] as number;
      }
    } finally {
      fisher.dispose();
    }
    removed = goal;
    model.setParameters(weights);
    checkAborted(signal);
  }
}

function wholeGroups(count: number, group: number): number {
  return group * Math.floor(count / group);
}

function shareRound(alive: Uint8Array, count: number, { group, update, pool, signal }: FisherSettings): Round {
  const candidates = keptOf(alive);
  const remove: Removal = (w, fisher, kept) => {
    const choice = { sparsity: count / kept, update };
    if (group === 1)
      return pool ? parallelObsPrune(w, fisher, { ...choice, pool, ...(signal && { signal }) }) : obsPrune(w, fisher, choice);
    const groups = fisher.blocks.reduce((sum, { width }) => sum + Math.floor(width / group), 0);
    return groupPrune(w, fisher, { sparsity: Math.min(1, count / group / groups), size: group, update: update as 'joint' });
  };
  return { candidates, remove };
}

/** All weights stay candidates: a group may take back what an earlier round left out, as long as n of m stay in the end. */
function patternRound({ alive, layout }: Selection, { n, m }: Pattern, share: number, update: ObsUpdate): Round {
  const keep = m - Math.round(share * (m - n));
  const candidates = Int32Array.from(alive, (_, k) => k);
  return { candidates, remove: (w, mfac) => nmPrune(w, { n: keep, m, layout, mfac, update: update as 'joint' }) };
}

/** Gradients of single samples at the model's parameters, wanted columns only. */
async function* gradientRows(
  model: DifferentiableModel,
  batches: readonly Batch[],
  slots: readonly ParameterSlot[],
  wanted: Int32Array,
  report: (done: number) => void,
): AsyncGenerator<FloatArray> {
  const names = slots.map(({ name }) => name);
  let done = 0;
  for (const batch of batches) {
    const { data, shape } = await model.perSampleGradients(batch, { slots: names });
    const [samples, width] = shape as [number, number];
    for (let i = 0; i < samples; i++) {
      const row = floats(model.precision, wanted.length);
      for (let k = 0; k < wanted.length; k++) row[k] = (data as FloatArray)[i * width + (wanted[k] as number)] as number;
      yield row;
    }
    done += samples;
    report(done);
  }
}

/** `count` different samples drawn from all batches, in small batches of their own, so that progress and aborts come often. */
function draw(batches: readonly Batch[], count: number, random: Random): Batch[] {
  const samples = batches.reduce((sum, batch) => sum + samplesOf(batch), 0);
  const parts = chooseSamples(batches, random.permutation(samples).subarray(0, count));
  return parts.flatMap((part) => [...pieces(part, 32)]);
}

function keptOf(alive: Uint8Array): Int32Array {
  let count = 0;
  for (let k = 0; k < alive.length; k++) if (alive[k]) count++;
  const kept = new Int32Array(count);
  for (let k = 0, at = 0; k < alive.length; k++) if (alive[k]) kept[at++] = k;
  return kept;
}
