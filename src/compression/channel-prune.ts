import { asRecord, checkFinite, checkInteger, checkLength, checkNonNegative, checkOneOf, checkRange } from '../core/check.js';
import { GraphError } from '../core/errors.js';
import { sizeOf, type TensorLike, type TypedArray } from '../core/tensor.js';
import { checkDecoded, type Graph, type GraphTensor, type Model } from '../onnx/graph.js';
import { widen } from '../onnx/tensor-proto.js';
import { type ChannelGroup, channelGroups } from './channel-groups.js';
import { surgeon } from './channel-surgeon.js';
import { removals } from './prune-input.js';
import { maskSmallest } from './smallest.js';

export interface ChannelPruneOptions {
  /** Share of the channels of every group to remove, 0 … 1; or one share per group as `groups` lists them. At least one channel stays. */
  readonly sparsity: number | readonly number[];
  /** Size of the weights that make a channel (l1, the default, or l2). */
  readonly norm?: 'l1' | 'l2';
  /** Scores of the channels of every group, in place of the norm; with `activations` the readers still make up for what goes. */
  readonly scores?: readonly ArrayLike<number>[];
  /**
   * Calibration activations [n, channels, …] of the values that weights read (`channelValues` lists them). With them channels go by what
   * the readers' outputs lose, one after the other, and the readers' weights make up for each (Optimal Brain Surgeon over whole columns).
   */
  readonly activations?: Readonly<Record<string, TensorLike>>;
  /** With activations: λ as a share of the mean of the second moments (0.01). */
  readonly damping?: number;
  /** Groups keep a multiple of so many channels (1): 4 or 8 suits blocked kernels. */
  readonly multiple?: number;
}

export interface PrunedGroup {
  /** Initializers whose first use makes the channels. */
  readonly makers: readonly string[];
  readonly channels: number;
  /** Channels that stay, ascending. */
  readonly kept: Int32Array;
}

export interface ChannelPruneResult {
  /** A smaller model with the same inputs and outputs; the given one is left as it was. */
  readonly model: Model;
  /** Groups that may lose channels, in graph order. */
  readonly groups: readonly PrunedGroup[];
}

/**
 * Channel pruning that shrinks the graph: channels with the smallest filters go from the weights that make them, from everything that
 * carries them (sums, norms, depthwise convolutions), and from the weights that read them. What reaches an output, or an operator
 * that is not understood, stays whole. The result computes exactly
 * what the model computes when the readers' weights for those channels are zero (and, with `activations`, the others moved to make up).
 *
 * @param model a decoded model (decodeModel)
 * @param options `sparsity`, `norm` (l1), `scores` (the norm) or `activations` with `damping` (0.01), `multiple` (1)
 * @returns `model`, `groups`
 * @throws {GraphError} when no channel can be removed; {ShapeError | DomainError} when an option does not fit
 * @see Li et al. 2017, arXiv:1608.08710; with activations: Frantar & Alistarh 2022, arXiv:2208.11580, §4, on columns; groups across residual sums: Fang et al. 2023 (DepGraph), arXiv:2301.12900
 */
export function channelPrune(model: Model, options: ChannelPruneOptions): ChannelPruneResult {
  const { norm = 'l1', multiple = 1, scores, sparsity, activations, damping = 0.01 } = asRecord('options', options, '{ sparsity }');
  checkOneOf('norm', norm, ['l1', 'l2']);
  checkInteger('multiple', multiple, 1);
  checkNonNegative('damping', damping);
  checkDecoded('model', model);
  const graph = model.graph.clone();
  const groups = prunableGroups(graph);
  if (groups.length === 0) throw new GraphError('model: expected channels that can be removed, got none');
  const shares = typeof sparsity === 'number' ? groups.map(() => sparsity) : sparsity;
  checkLength('sparsity', shares, groups.length);
  if (scores) checkLength('scores', scores, groups.length);
  const cut: PrunedGroup[] = [];
  for (const [g, group] of groups.entries()) {
    checkRange('sparsity', shares[g], 0, 1);
    const keep = keptCount(group.channels, shares[g] as number, multiple);
    if (scores?.[g]) {
      checkLength(`scores[${g}]`, scores[g], group.channels);
      checkFinite(`scores[${g}]`, scores[g]);
    }
    if (activations) {
      const kept = surgeon(graph, group, activations, keep, damping, scores?.[g]);
      cut.push({ makers: makersOf(group), channels: group.channels, kept });
      continue;
    }
    const score = scores?.[g] ? Float64Array.from(scores[g] as ArrayLike<number>) : filterNorms(graph, group, norm);
    cut.push({ makers: makersOf(group), channels: group.channels, kept: choose(score, keep) });
  }
  removeChannels(
    graph,
    groups.map((group, g) => ({ group, kept: (cut[g] as PrunedGroup).kept })),
  );
  graph.values.clear(); // declared shapes of inner values no longer hold
  return { model: { ...model, metadata: new Map(model.metadata), graph }, groups: cut };
}

/** Values whose activations `channelPrune` can use: what weights read, in channels that may go. */
export function channelValues(model: Model): string[] {
  checkDecoded('model', model);
  const values = prunableGroups(model.graph).flatMap(({ slices }) => slices.flatMap(({ value }) => (value ? [value] : [])));
  return [...new Set(values)];
}

/** Groups of a graph that may lose channels. */
export function prunableGroups(graph: Graph): ChannelGroup[] {
  return channelGroups(graph).filter(
    ({ fixed, channels, slices }) => !fixed && channels > 1 && slices.some(({ role }) => role === 'makes'),
  );
}

function makersOf({ slices }: ChannelGroup): string[] {
  return slices.filter(({ role }) => role === 'makes').map(({ initializer }) => initializer);
}

/** Σ|w| or √Σw² of the weights that make each channel, over all makers of the group. */
export function filterNorms(graph: Graph, { channels, slices }: ChannelGroup, norm: 'l1' | 'l2'): Float64Array {
  const sums = new Float64Array(channels);
  for (const { initializer, axis, offset, repeat } of slices.filter(({ role }) => role === 'makes')) {
    const { data, shape } = widen(graph.initializers.get(initializer) as GraphTensor);
    const inner = sizeOf(shape.slice(axis + 1));
    const extent = shape[axis] as number;
    for (let k = 0; k < data.length; k++) {
      const c = ((Math.floor(k / inner) % extent) - offset) / repeat;
      const v = Number(data[k]);
      if (c >= 0 && c < channels) sums[Math.floor(c)]! += norm === 'l1' ? Math.abs(v) : v * v;
    }
  }
  return norm === 'l1' ? sums : sums.map(Math.sqrt);
}

function keptCount(channels: number, share: number, multiple: number): number {
  const wanted = Math.max(1, channels - removals(share, channels));
  return Math.min(channels, Math.ceil(wanted / multiple) * multiple);
}

function choose(scores: Float64Array, keep: number): Int32Array {
  const mask = maskSmallest(scores, scores.length - keep);
  return Int32Array.from(Array.from(mask.keys()).filter((c) => mask[c]));
}

/** Cuts every slice of the groups to the channels that stay. */
export function removeChannels(graph: Graph, cuts: readonly { readonly group: ChannelGroup; readonly kept: Int32Array }[]): void {
  const slices = cuts.flatMap(({ group, kept }) =>
    kept.length === group.channels ? [] : group.slices.map((slice) => ({ ...slice, kept, channels: group.channels })),
  );
  // Slices of one initializer along one axis move the offsets of those behind them: cut from the back.
  for (const { initializer, axis, offset, repeat, kept, channels } of slices.sort((a, b) => b.offset - a.offset)) {
    const tensor = cutAxis(graph.initializers.get(initializer) as GraphTensor, axis, offset, offset + channels * repeat, kept, repeat);
    graph.initializers.set(initializer, tensor);
    graph.sparse.delete(initializer);
    graph.inputs = graph.inputs.map((input) => (input.name === initializer ? { ...input, shape: tensor.shape } : input));
  }
  for (const { group, kept } of cuts) {
    for (const node of group.depthwise) node.attributes = { ...node.attributes, group: { type: 'int', value: kept.length } };
  }
}

function cutAxis(tensor: GraphTensor, axis: number, from: number, to: number, kept: Int32Array, repeat: number): GraphTensor {
  const { data, shape } = tensor;
  const extent = shape[axis] as number;
  const places: number[] = [];
  for (let i = 0; i < from; i++) places.push(i);
  for (const c of kept) for (let r = 0; r < repeat; r++) places.push(from + c * repeat + r);
  for (let i = to; i < extent; i++) places.push(i);
  const inner = sizeOf(shape.slice(axis + 1));
  const outer = sizeOf(shape.slice(0, axis));
  const out = data.slice(0, outer * places.length * inner) as TypedArray;
  for (let o = 0; o < outer; o++) {
    for (const [at, place] of places.entries()) {
      const start = (o * extent + place) * inner;
      (out as Float32Array).set((data as Float32Array).subarray(start, start + inner), (o * places.length + at) * inner);
    }
  }
  return { ...tensor, data: out, shape: shape.map((e, a) => (a === axis ? places.length : e)) };
}
