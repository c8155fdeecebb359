import { asRecord, checkArray, checkFinite, checkFunction, checkLength } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { LongOptions } from '../core/model-types.js';
import { readLong, watch } from '../core/stepper.js';

export interface ChannelAllocationOptions extends LongOptions {
  /** For every group the numbers of channels it may keep. */
  readonly levels: readonly (readonly number[])[];
  /** What each of them costs in accuracy, for one group at a time: the sum over groups is minimised. */
  readonly losses: readonly (readonly number[])[];
  /** Most channels of all groups together (no limit if left out). */
  readonly channels?: number;
  /** Time of the whole network with so many channels in every group, measured or modelled. */
  readonly time?: (kept: readonly number[]) => number | Promise<number>;
  /** Most time (no limit if left out). */
  readonly limit?: number;
}

export interface ChannelAllocationResult {
  /** Channels that every group keeps. */
  readonly kept: number[];
  /** Sum of their losses. */
  readonly loss: number;
  /** Their time; 0 without `time`. */
  readonly time: number;
  readonly channels: number;
}

interface State {
  /** Place of every group in its levels. */
  readonly at: readonly number[];
  readonly loss: number;
  readonly channels: number;
  readonly time: number;
}

/**
 * How many channels every group keeps: least loss under a budget of channels, of time, or both. Channels go where they cost least for what
 * they bring towards the limits; then single groups, and pairs of them against each other, move while that lowers the loss within the limits.
 * Time may be any function of all groups (a convolution's depends on two of them, and in the steps of a kernel's blocks).
 *
 * @param options `levels`, `losses`; `channels` (no limit); `time` and `limit` (none)
 * @returns `kept`, and its `loss`, `time` and `channels`; a local optimum
 * @throws {DomainError} when an option does not fit, or not even the smallest levels keep the limits; {AbortError}
 * @see Shen et al. 2022 (HALP: a knapsack of saliency against a table of latencies), arXiv:2210.06659, §3; moves in place of their dynamic program, which takes layers one at a time
 */
export async function channelAllocation(options: ChannelAllocationOptions): Promise<ChannelAllocationResult> {
  const { groups, channels, limit, timeOf, signal, onProgress } = read(options);
  const levelAt = (g: number, l: number): Level => (groups[g] as Level[])[l] as Level;
  const look = watch(signal);
  const measure = async (at: readonly number[]): Promise<number> => {
    await look();
    const time = await timeOf(at.map((l, g) => levelAt(g, l).kept));
    if (!(time >= 0)) throw new DomainError(`time: expected a number >= 0, got ${time}`);
    return time;
  };
  const sum = (at: readonly number[], key: keyof Level): number => at.reduce((total, l, g) => total + levelAt(g, l)[key], 0);
  const stateAt = async (at: readonly number[]): Promise<State> => {
    return { at, loss: sum(at, 'loss'), channels: sum(at, 'kept'), time: await measure(at) };
  };
  const fits = (state: Pick<State, 'channels' | 'time'>): boolean => state.channels <= channels && state.time <= limit;
  const moved = (at: readonly number[], g: number, l: number): number[] => at.map((old, i) => (i === g ? l : old));

  let state = await stateAt(groups.map((levels) => levels.length - 1));
  const [tooMany, tooLong] = [state.channels - channels, state.time - limit];
  while (!fits(state)) {
    let [best, lowest] = [undefined as State | undefined, Infinity];
    for (const [g, top] of state.at.entries()) {
      for (let l = 0; l < top; l++) {
        const next = await stateAt(moved(state.at, g, l));
        const fewer = tooMany > 0 ? Math.min(state.channels - next.channels, Math.max(0, state.channels - channels)) / tooMany : 0;
        const faster = tooLong > 0 ? Math.min(state.time - next.time, Math.max(0, state.time - limit)) / tooLong : 0;
        const price = (next.loss - state.loss) / (fewer + faster);
        if (fewer + faster > 0 && price < lowest) [best, lowest] = [next, price];
      }
    }
    if (!best) {
      const smallest = await stateAt(groups.map(() => 0));
      if (!fits(smallest))
        throw new DomainError(
          `limit: expected limits that the smallest levels keep (${smallest.channels} channels, time ${smallest.time}), got ${channels} and ${limit}`,
        );
      best = smallest;
    }
    state = best;
    onProgress?.({ done: state.at.filter((l, g) => l < (groups[g] as Level[]).length - 1).length, phase: 'allocating' });
  }
  return exchange(state);

  /** Moves of one group, or of one up and another down, while any of them lowers the loss. */
  async function exchange(from: State): Promise<ChannelAllocationResult> {
    for (let better: State | undefined = from; better; ) {
      state = better;
      better = undefined;
      for (const at of neighbours(state.at, groups)) {
        if (sum(at, 'loss') >= (better ?? state).loss || sum(at, 'kept') > channels) continue;
        const next = await stateAt(at);
        if (fits(next)) better = next;
      }
    }
    const { at, loss, time } = state;
    return { kept: at.map((l, g) => levelAt(g, l).kept), loss, time, channels: state.channels };
  }
}

interface Level {
  readonly kept: number;
  readonly loss: number;
}

function* neighbours(at: readonly number[], groups: readonly (readonly Level[])[]): Generator<number[]> {
  for (const [g, levels] of groups.entries()) {
    for (let l = 0; l < levels.length; l++) {
      if (l === at[g]) continue;
      const one = at.map((old, i) => (i === g ? l : old));
      yield one;
      if (l < (at[g] as number)) continue;
      for (const [h, place] of at.entries()) {
        for (let lower = 0; h !== g && lower < place; lower++) yield one.map((old, i) => (i === h ? lower : old));
      }
    }
  }
}

function read(options: ChannelAllocationOptions) {
  const { levels, losses, channels = Infinity, time = () => 0, limit = Infinity } = asRecord('options', options, '{ levels, losses }');
  checkArray('levels', levels);
  checkArray('losses', losses);
  checkLength('losses', losses, levels.length);
  if (levels.length === 0) throw new DomainError('levels: expected at least one group, got none');
  checkFunction('time', time);
  for (const [name, value] of [
    ['channels', channels],
    ['limit', limit],
  ] as const)
    if (!(value > 0)) throw new DomainError(`${name}: expected a number > 0, got ${value}`);
  if (limit < Infinity && !options.time) throw new DomainError('time: expected a function with a limit, got none');
  const groups = levels.map((counts, g) => {
    checkArray(`levels[${g}]`, counts);
    checkArray(`losses[${g}]`, losses[g]);
    checkLength(`losses[${g}]`, losses[g] as readonly number[], counts.length);
    if (counts.length === 0) throw new DomainError(`levels[${g}]: expected at least one number of channels, got none`);
    checkFinite(`levels[${g}]`, counts);
    checkFinite(`losses[${g}]`, losses[g] as readonly number[]);
    return counts.map((kept, l): Level => ({ kept, loss: losses[g]?.[l] as number })).sort((a, b) => a.kept - b.kept);
  });
  return { groups, channels, limit, timeOf: time, ...readLong(options) };
}
