// Timing by turns. The core of mitata or tinybench measures one function after the other and (mitata) builds its loops with
// `new Function`; ratios on a shared machine need samples of all variants within milliseconds of each other, so the loop is here.
import type { Work } from './case.js';

/** One way to do the work, with the samples taken of it: milliseconds per call. */
export interface Variant {
  readonly name: string;
  readonly work: Work;
  /** Runs synchronous samples with the instance that holds the variant's data. */
  readonly within: <R>(samples: () => R) => R;
  readonly asynchronous: boolean;
  /** Calls per sample. */
  calls: number;
  readonly samples: number[];
}

/** Keeps results alive, so that no engine drops the call that made them. */
let sink: unknown;
/** The last result; reading it is what keeps the calls. */
export const lastResult = (): unknown => sink;

const clock = (): number => performance.now();

/** Milliseconds that one sample of one empty call costs: the clock read twice and the loop around the call. */
export function timerOverhead(): { sample: number; call: number } {
  const empty: Work = () => undefined;
  const batches: number[] = [];
  const singles: number[] = [];
  for (let i = 0; i < 200; i++) {
    singles.push(timeCalls(empty, 1));
    batches.push(timeCalls(empty, 1000) / 1000);
  }
  const middle = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] as number;
  return { sample: middle(singles), call: middle(batches) };
}

function timeCalls(work: Work, calls: number): number {
  const start = clock();
  for (let i = 0; i < calls; i++) sink = work();
  return clock() - start;
}

async function timeAsync(work: Work, calls: number): Promise<number> {
  const start = clock();
  for (let i = 0; i < calls; i++) sink = await work();
  return clock() - start;
}

/** Milliseconds of `calls` calls. */
export function elapsed(variant: Variant, calls: number): number | Promise<number> {
  if (variant.asynchronous) return timeAsync(variant.work, calls);
  return variant.within(() => timeCalls(variant.work, calls));
}

/**
 * Warms a variant up until no sample has been a twentieth faster than all before it for `warm` ms, or six times as long: engines replace code
 * once it has run for some 50 ms. Then chooses calls per sample so that a sample takes about `target` ms.
 */
export async function calibrate(variant: Variant, warm: number, target: number): Promise<void> {
  let calls = 1;
  let spent = 0;
  let improved = 0;
  let last = 0;
  let best = Infinity;
  do {
    last = await elapsed(variant, calls);
    spent += last;
    if (last < 0.95 * best * calls && best < Infinity) improved = spent;
    best = Math.min(best, last / calls);
    if (last < target) calls *= 2;
  } while (spent - improved < warm && spent < 6 * warm);
  variant.calls = Math.max(1, Math.round(target / Math.max(best, 1e-6)));
}

/**
 * Takes samples of all variants by turns (A B C, C B A, …) until `budget` ms are spent and `least` rounds are done, or four times
 * the budget. A variant is left out of a round while it has used more than its share. Calls `after` with the per-call times of a round.
 */
export async function takeTurns(
  variants: readonly Variant[],
  budget: number,
  least: number,
  overhead: { sample: number; call: number },
  after: (times: ReadonlyMap<string, number>) => void,
): Promise<void> {
  const used = new Map<Variant, number>();
  let spent = 0;
  for (let round = 0; (spent < budget || round < least) && (spent < 4 * budget || round < 2); round++) {
    const times = new Map<string, number>();
    const order = round % 2 ? [...variants].reverse() : variants;
    for (const variant of order) {
      const share = (2 * budget) / variants.length;
      if (round >= 3 && variant !== variants[0] && (used.get(variant) ?? 0) > share) continue;
      if (variant.calls > 1) await elapsed(variant, Math.ceil(variant.calls / 8)); // the others have emptied the caches
      const total = await elapsed(variant, variant.calls);
      const perCall = Math.max((total - overhead.sample) / variant.calls - overhead.call, 1e-9);
      used.set(variant, (used.get(variant) ?? 0) + total);
      spent += total;
      variant.samples.push(perCall);
      times.set(variant.name, perCall);
    }
    after(times);
  }
}
