import { asRecord, checkFiniteNumber, checkNonNegative, checkRange } from '../core/check.js';

export type PruneRegime = 'I' | 'II-A' | 'II-B';

export interface PruneRegimeOptions {
  /** Connectivity below minus this is a barrier (0.01: one point of error). */
  readonly barrier?: number;
  /** Similarity from which outputs count as alike (0.9). */
  readonly alike?: number;
}

/**
 * Which of three regimes a pruned network is in, and what to change before pruning it again. Temperature is what makes training noisy: few
 * epochs, small batches, a large learning rate.
 *   I: a barrier between retrainings — raise the temperature; II-A: connected but unlike — lower it; II-B: connected and alike — well set.
 *
 * @param connectivity mean of `modeConnectivity` over pairs of retrainings of the pruned network
 * @param similarity mean `linearCka` of their outputs, 0 … 1
 * @param options `barrier` (0.01), `alike` (0.9): thresholds chosen here, the paper draws its borders by eye
 * @returns `regime`, and `temperature`: raise, lower or keep
 * @throws {DomainError} when a value is out of range
 * @see Zhou et al. 2023, arXiv:2305.18383, Figure 1
 */
export function pruneRegime(
  connectivity: number,
  similarity: number,
  options: PruneRegimeOptions = {},
): { regime: PruneRegime; temperature: 'raise' | 'lower' | 'keep' } {
  const { barrier = 0.01, alike = 0.9 } = asRecord('options', options);
  checkFiniteNumber('connectivity', connectivity);
  checkRange('similarity', similarity, 0, 1);
  checkNonNegative('barrier', barrier);
  checkRange('alike', alike, 0, 1);
  if (connectivity < -barrier) return { regime: 'I', temperature: 'raise' };
  return similarity < alike ? { regime: 'II-A', temperature: 'lower' } : { regime: 'II-B', temperature: 'keep' };
}
