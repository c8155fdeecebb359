import { checkAborted } from '../core/batches.js';
import { checkFunction, checkNotEmpty, checkPositive, checkRange } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { LongOptions } from '../core/model-types.js';
import { readLong } from '../core/stepper.js';
import type { Model } from '../onnx/graph.js';
import { channelPrune } from './channel-prune.js';

export interface PerformanceAwareChannelPruneOptions extends LongOptions {
  /** Loss of every task on calibration data, > 0. */
  readonly losses: (model: Model) => readonly number[] | Promise<readonly number[]>;
  /** What pruning should save; the number of weights by default. */
  readonly cost?: (model: Model) => number;
  /** δ₀: allowed relative rise of the worst task loss by the first group (0.05). */
  readonly tolerance?: number;
  /** Δ: allowed factor of a task loss over all groups (5). */
  readonly budget?: number;
  /** Share of the accepted groups to keep pruned, those of least loss rise per saving first (1). */
  readonly portion?: number;
}

export interface PerformanceAwareChannelPruneResult {
  readonly model: Model;
  /** In the order visited: the first maker of the group, its share removed, and the worst task ratio L/L_base of that step. */
  readonly steps: readonly { readonly group: string; readonly sparsity: number; readonly ratio: number; readonly tolerance: number }[];
}

/** λ with Π_{i<n} (1 + δ₀λ^i) = Δ, by bisection; λ < 1 exactly when (1 + δ₀)^n > Δ. */
export function toleranceDecay(tolerance: number, budget: number, n: number): number {
  const product = (lambda: number): number => {
    let value = 1;
    for (let i = 0, power = 1; i < n; i++, power *= lambda) value *= 1 + tolerance * power;
    return value;
  };
  if (n < 2) return 1;
  let [low, high] = [0, 1];
  while (product(high) < budget) high *= 2;
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (product(middle) < budget) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * Channel pruning group by group under a bound on every task's loss: each group loses as large a share of its smallest filters
 * (0.05, 0.10 … 0.95) as keeps max_t L_t/L_base,t ≤ 1 + δ_i on the net as pruned so far; δ_{i+1} = λδ_i, and the base follows the loss.
 * Groups are visited by what a 30 % cut saves, largest first when λ ≤ 1.
 *
 * @param model a decoded model
 * @param options `losses`, `cost` (weights), `tolerance` (0.05), `budget` (5), `portion` (1), `signal`, `onProgress`
 * @returns `model`, `steps`
 * @throws {DomainError} when an option is out of range or a loss is not > 0; {AbortError}
 * @see Ye et al. 2023 (PAGCP), arXiv:2303.11923, §3
 */
export async function performanceAwareChannelPrune(
  model: Model,
  options: PerformanceAwareChannelPruneOptions,
): Promise<PerformanceAwareChannelPruneResult> {
  const { losses, cost = weightsOf, tolerance = 0.05, budget = 5, portion = 1, signal, onProgress } = readLong(options, '{ losses }');
  checkFunction('losses', losses);
  checkFunction('cost', cost);
  checkPositive('tolerance', tolerance);
  checkRange('budget', budget, 1, 1e6);
  checkRange('portion', portion, 0, 1);
  const measure = async (candidate: Model): Promise<readonly number[]> => {
    checkAborted(signal);
    const values = await losses(candidate);
    checkNotEmpty('losses', values);
    for (const value of values) checkPositive('losses', value);
    return values;
  };
  const groups = channelPrune(model, { sparsity: 0 }).groups.map(({ makers }) => makers[0] as string);
  const whole = cost(model);
  const saving = new Map(groups.map((group) => [group, whole - cost(cut(model, group, 0.3))]));
  const lambda = toleranceDecay(tolerance, budget, groups.length);
  const sign = lambda <= 1 ? 1 : -1;
  const order = [...groups].sort((a, b) => sign * ((saving.get(b) as number) - (saving.get(a) as number)));

  let current = model;
  let base = await measure(model);
  let allowed = tolerance;
  const steps: { group: string; sparsity: number; ratio: number; tolerance: number; rise: number }[] = [];
  for (const [i, group] of order.entries()) {
    let accepted: { model: Model; losses: readonly number[]; sparsity: number; ratio: number } | undefined;
    for (let share = 1; share <= 19; share++) {
      const candidate = cut(current, group, share / 20);
      const now = await measure(candidate);
      const ratio = Math.max(...now.map((value, t) => value / (base[t] as number)));
      if (ratio > 1 + allowed) break;
      accepted = { model: candidate, losses: now, sparsity: share / 20, ratio };
    }
    onProgress?.({ done: i + 1, total: order.length, phase: 'channels' });
    if (!accepted) continue;
    const saved = cost(current) - cost(accepted.model);
    if (saved > 0) {
      steps.push({ group, sparsity: accepted.sparsity, ratio: accepted.ratio, tolerance: allowed, rise: (accepted.ratio - 1) / saved });
      current = accepted.model;
      base = base.map((value, t) => Math.max(value, accepted.losses[t] as number));
      allowed *= lambda;
    }
  }
  const kept = portion === 1 ? steps : [...steps].sort((a, b) => a.rise - b.rise).slice(0, Math.floor(portion * steps.length));
  if (portion < 1) current = kept.reduce((pruned, { group, sparsity }) => cut(pruned, group, sparsity), model);
  return { model: current, steps: steps.filter((step) => kept.includes(step)).map(({ rise: _, ...step }) => step) };
}

/** The model with a share of one group removed; a group that has one channel left stays as it is. */
function cut(model: Model, maker: string, share: number): Model {
  const names = channelPrune(model, { sparsity: 0 }).groups.map(({ makers }) => makers[0]);
  const at = names.indexOf(maker);
  if (at < 0) throw new DomainError(`model: expected the group of '${maker}', got none`);
  return channelPrune(model, { sparsity: names.map((_, i) => (i === at ? share : 0)) }).model;
}

function weightsOf({ graph }: Model): number {
  let total = 0;
  for (const { data } of graph.initializers.values()) total += data.length;
  return total;
}
