// Channels of every group for a wanted speed: what each share costs the outputs, what it brings in time, and the allocation between them.

import { prunableGroups } from '../compression/channel-prune.js';
import { type ChannelPruneOptions, channelAllocation, channelPrune } from '../compression/index.js';
import { removals } from '../compression/prune-input.js';
import { DomainError } from '../core/errors.js';
import type { Inputs, LongOptions } from '../core/model-types.js';
import { square } from '../core/square.js';
import { watch } from '../core/stepper.js';
import type { Model } from '../onnx/graph.js';
import type { OnnxModel } from '../onnx/onnx-model.js';
import { fastest, LayerTimes } from './layer-times.js';

/** Milliseconds for which whole models are timed: long enough for the fastest run to be an undisturbed one. */
const quiet = 200;

export interface AllocateOptions extends LongOptions {
  /** Least share of all channels that goes. */
  readonly sparsity: number;
  /** How many times as fast the smaller model should be. */
  readonly speedup: number;
  /** Numbers of channels are multiples of this; 4, more in wide groups, if left out. */
  readonly multiple: number | undefined;
  /** How channels of one group are chosen. */
  readonly how: Omit<ChannelPruneOptions, 'sparsity' | 'multiple'>;
  /** Calibration inputs. */
  readonly x: Inputs;
  /** The batch that is timed. */
  readonly timed: Inputs;
}

/**
 * Shares of the channels that go from every group: least change of the logits, as the sum of what each group alone changes, among those that
 * remove enough channels and reach the speed by a table of layer times, checked on the whole model.
 */
export async function allocateChannels(model: OnnxModel, options: AllocateOptions): Promise<{ shares: number[]; speedup: number }> {
  const { sparsity, speedup, multiple, how, timed, signal, onProgress } = options;
  const whole = model.toModel();
  const sizes = prunableGroups(whole.graph).map(({ channels }) => channels);
  const levels = sizes.map((channels) => levelsOf(channels, multiple));
  const losses = await lossesOf(model, whole, sizes, levels, options);
  const all = sizes.reduce((a, b) => a + b, 0);
  const channels = Math.max(1, all - removals(sparsity, all));
  const times = await LayerTimes.of(model, timed);
  const dense = await times.total(sizes);
  const [run = 0] = await fastest([model], timed, quiet);
  const rest = Math.max(0, run - dense); // what no number of channels changes much
  const time = async (kept: readonly number[]): Promise<number> => {
    const known = times.size;
    const sum = rest + (await times.total(kept));
    if (times.size > known) onProgress?.({ done: times.size, phase: 'timing layers' });
    return sum;
  };
  const least = await time(levels.map(([fewest]) => fewest as number));
  const most = (rest + dense) / least;
  if (most < speedup)
    throw new DomainError(`speedup: expected one that fewer channels bring here, ${most.toFixed(2)} at most, got ${speedup}`);

  // The table leaves out reorders between layouts and holds chance: the whole model is timed, and more or less is asked of the table.
  let best: { shares: number[]; speedup: number; loss: number } | undefined;
  let [short, enough] = [0, Infinity];
  for (let tries = 0, wanted = speedup; tries < 6 && wanted <= most; tries++) {
    const limit = (rest + dense) / wanted;
    const { kept, loss } = await channelAllocation({ levels, losses, channels, time, limit, ...(signal && { signal }) });
    const shares = kept.map((count, g) => 1 - count / (sizes[g] as number));
    const small = await model.reopen(channelPrune(whole, { ...how, sparsity: shares }).model);
    const [before = 0, after = 1] = await fastest([model, small], timed, quiet);
    small.dispose();
    const reached = before / after;
    const better = reached >= speedup ? !best || best.speedup < speedup || loss < best.loss : !best || reached > best.speedup;
    if (better) best = { shares, speedup: reached, loss };
    if (reached >= speedup) enough = wanted;
    else short = wanted;
    if (reached >= speedup && reached < 1.02 * speedup) break;
    wanted = short && enough < Infinity ? (short + enough) / 2 : wanted * (1 + (short ? 1.1 : 1) * (speedup / reached - 1));
  }
  return best as { shares: number[]; speedup: number };
}

/** Multiples of `multiple` below all channels, and all of them. Without one: fours, as kernels compute blocks, and 16 levels at most. */
function levelsOf(channels: number, multiple: number | undefined): number[] {
  const step = multiple ?? (channels < 8 ? 1 : 4 * Math.ceil(channels / 64));
  const levels: number[] = [];
  for (let kept = step; kept < channels; kept += step) levels.push(kept);
  return [...levels, channels];
}

/** Relative squared change of the logits when one group alone keeps so many channels. */
async function lossesOf(
  model: OnnxModel,
  whole: Model,
  sizes: readonly number[],
  levels: readonly (readonly number[])[],
  { how, x, signal, onProgress }: AllocateOptions,
): Promise<number[][]> {
  const want = (await model.predict(x)).data as ArrayLike<number>;
  const look = watch(signal);
  const total = levels.reduce((sum, counts) => sum + counts.length, 0);
  let done = 0;
  const out: number[][] = [];
  for (const [g, counts] of levels.entries()) {
    const losses: number[] = [];
    for (const kept of counts) {
      await look();
      const shares = sizes.map((channels, i) => (i === g ? 1 - kept / channels : 0));
      const small = await model.reopen(channelPrune(whole, { ...how, sparsity: shares }).model);
      losses.push(change((await small.predict(x)).data as ArrayLike<number>, want));
      small.dispose();
      onProgress?.({ done: ++done, total, phase: 'one group at a time' });
    }
    out.push(losses);
  }
  return out;
}

function change(got: ArrayLike<number>, want: ArrayLike<number>): number {
  let [off, all] = [0, 0];
  for (let i = 0; i < want.length; i++) {
    off += square((got[i] as number) - (want[i] as number));
    all += square(want[i] as number);
  }
  return off / (all || 1);
}
