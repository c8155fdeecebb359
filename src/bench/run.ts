// Runs cases: limits first, then every row in several passes over the whole list, so that a slow minute meets all rows alike.
import type { BenchCase } from './case.js';
import { type Limits, measureLimits } from './limits.js';
import { timerOverhead } from './measure.js';
import { type Bench, type Row, RowTimer } from './row.js';
import { instanceOf, loadTiers, switchTo } from './tiers.js';

/** A case and the folder its file lies in (kernels, transport, …). */
export interface FoundCase {
  readonly area: string;
  readonly subject: BenchCase;
}

export interface RunOptions {
  /** Builds to time; by default simd (or the one AFTERPASS_BUILD names) and relaxed where the engine has it. */
  readonly builds?: readonly string[];
  /** Seconds per row; 1 by default. */
  readonly seconds?: number;
  /** False leaves the baselines out. */
  readonly baselines?: boolean;
  readonly onProgress?: (done: number, all: number, what: string) => void;
}

/** What the machine can do on each build, and the rows. */
export interface BenchResult {
  readonly limits: Readonly<Record<string, Limits>>;
  readonly timer: { readonly sample: number; readonly call: number };
  readonly cases: Row[];
  /** Rows this machine cannot run. */
  readonly absent: { readonly name: string; readonly size: readonly number[] }[];
}

/** Enough to tell the scatter between openings; a smoke test wants one. */
const passesFor = (seconds: number): number => (seconds < 0.1 ? 1 : 7);

/** Times the cases. */
export async function runCases(found: readonly FoundCase[], options: RunOptions = {}): Promise<BenchResult> {
  const { seconds = 1, baselines = true, onProgress } = options;
  const passes = passesFor(seconds);
  const tiers = loadTiers();
  const [standard] = tiers.keys() as Iterable<string> as [string];
  const builds = options.builds ?? [standard, ...(standard === 'simd' && tiers.has('relaxed') ? ['relaxed'] : [])];
  const limits = new Map<string, Limits>();
  for (const build of builds)
    limits.set(
      build,
      measureLimits(() => instanceOf(tiers, build)),
    );
  const overhead = timerOverhead();
  const bench: Bench = { tiers, limits, overhead, budget: seconds * 1000, passes, baselines };
  const timers = builds.flatMap((build) =>
    found.flatMap(({ area, subject }) => subject.sizes.map((size) => new RowTimer(bench, area, subject, size, build))),
  );
  try {
    let done = 0;
    for (let pass = 0; pass < passes; pass++) {
      for (const timer of timers) {
        if (pass === 0 || !timer.onePass) await timer.pass();
        onProgress?.(++done, passes * timers.length, `${timer.subject.name} ${timer.size.join('×')}`);
      }
    }
  } finally {
    switchTo(tiers, standard);
  }
  const cases: Row[] = [];
  const absent: { name: string; size: readonly number[] }[] = [];
  for (const timer of timers) {
    const row = timer.result();
    if (row) cases.push(row);
    else absent.push({ name: timer.subject.name, size: timer.size });
  }
  return { limits: Object.fromEntries(limits), timer: overhead, cases, absent };
}
