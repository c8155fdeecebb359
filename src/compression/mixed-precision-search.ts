import { checkAborted } from '../core/batches.js';
import { checkArray, checkFunction, checkInteger, checkPositive, checkRange } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { LongOptions } from '../core/model-types.js';
import { Random } from '../core/random.js';
import { readLong } from '../core/stepper.js';

export interface MixedPrecisionSearchOptions extends LongOptions {
  /** Widths that every layer may take. */
  readonly choices: readonly number[];
  /** Weights of every layer: a configuration costs Σ size·bits. */
  readonly sizes: readonly number[];
  /** Most bits per weight, on average over all layers. */
  readonly budget: number;
  /** What to minimise, for the bits of every layer: a loss, or a prediction of one. */
  readonly evaluate: (bits: readonly number[]) => number | Promise<number>;
  /** Configurations kept (24), rounds (20), and the chance that a layer mutates (0.2). */
  readonly population?: number;
  readonly generations?: number;
  readonly mutation?: number;
  readonly seed?: number;
}

export interface MixedPrecisionSearchResult {
  readonly bits: number[];
  readonly value: number;
  /** Mean bits per weight. */
  readonly meanBits: number;
  /** Distinct configurations that were evaluated. */
  readonly evaluations: number;
}

/**
 * Bits of every layer under a budget, by a genetic search: the better half of the configurations stays, pairs of it are crossed layer by
 * layer and mutated, and what is over the budget gives bits back at random. No configuration is evaluated twice.
 *
 * @param options `choices`, `sizes`, `budget`, `evaluate`; `population` (24), `generations` (20), `mutation` (0.2), `seed` (0), `signal`, `onProgress`
 * @returns the best `bits` found, its `value`, `meanBits`, `evaluations`
 * @throws {DomainError} when an option is out of range or nothing fits the budget; {AbortError}
 * @see Xu et al. 2023 (EQ-Net), arXiv:2308.07650, §3.4
 */
export async function mixedPrecisionSearch(options: MixedPrecisionSearchOptions): Promise<MixedPrecisionSearchResult> {
  const {
    sizes: given,
    budget,
    evaluate,
    population = 24,
    generations = 20,
    mutation = 0.2,
    seed = 0,
    signal,
    onProgress,
  } = readLong(options, '{ choices, sizes, budget, evaluate }');
  checkArray('choices', options.choices);
  checkArray('sizes', given);
  const sizes = Array.from(given);
  checkFunction('evaluate', evaluate);
  const choices = [...options.choices].sort((a, b) => a - b);
  checkInteger('population', population, 2);
  checkInteger('generations', generations, 0);
  checkRange('mutation', mutation, 0, 1);
  checkPositive('budget', budget);
  if (choices.length === 0 || sizes.length === 0) throw new DomainError('choices: expected widths and layers, got none');
  if ((choices[0] as number) > budget) throw new DomainError(`budget: expected at least ${choices[0]} bits per weight, got ${budget}`);
  const total = sizes.reduce((a, b) => a + b, 0);
  const random = new Random(seed);
  const meanBits = (genes: readonly number[]): number =>
    genes.reduce((sum, g, i) => sum + (choices[g] as number) * (sizes[i] as number), 0) / total;
  /** Takes bits away at random layers until the budget is kept. */
  const repair = (genes: number[]): number[] => {
    while (meanBits(genes) > budget * (1 + 1e-12)) {
      const open = genes.flatMap((g, i) => (g > 0 ? [i] : []));
      const at = open[random.integer(open.length)] as number;
      genes[at] = (genes[at] as number) - 1;
    }
    return genes;
  };
  const known = new Map<string, { genes: number[]; value: number }>();
  const score = async (genes: number[]): Promise<void> => {
    const key = genes.join();
    if (known.has(key)) return;
    checkAborted(signal);
    const value = await evaluate(genes.map((g) => choices[g] as number));
    if (Number.isNaN(value)) throw new DomainError('evaluate: expected a number, got NaN');
    known.set(key, { genes, value });
  };
  const best = (): { genes: number[]; value: number }[] =>
    [...known.values()].sort((a, b) => a.value - b.value || meanBits(a.genes) - meanBits(b.genes)).slice(0, Math.max(2, population >> 1));

  for (const g of choices.keys()) await score(repair(sizes.map(() => g)));
  for (let i = 0; i < population; i++) await score(repair(sizes.map(() => random.integer(choices.length))));
  for (let round = 0; round < generations; round++) {
    const parents = best();
    for (let i = 0; i < population; i++) {
      const [a, b] = [parents[random.integer(parents.length)], parents[random.integer(parents.length)]];
      const child = sizes.map((_, l) => (random.uniform() < 0.5 ? a : b)?.genes[l] as number);
      for (let l = 0; l < child.length; l++) if (random.uniform() < mutation) child[l] = random.integer(choices.length);
      await score(repair(child));
    }
    onProgress?.({ done: round + 1, total: generations, phase: 'search' });
  }
  const [winner] = best() as [{ genes: number[]; value: number }];
  return {
    bits: winner.genes.map((g) => choices[g] as number),
    value: winner.value,
    meanBits: meanBits(winner.genes),
    evaluations: known.size,
  };
}
