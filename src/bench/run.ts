// Runs cases: limits first, then every row in several passes over the whole list, so that a slow minute meets all rows alike.
import type { BenchCase } from './case.js';
import { type Limits, measureLimits } from './limits.js';
import { timerOverhead } from './measure.js';
import { type Pass, type PassSettings, timePass } from './pass.js';
import { type Row, type RowPlace, rowOf } from './row.js';
import { instanceOf, loadTiers, switchTo, type Tiers } from './tiers.js';

/** A case and where it lies: its area (kernels, transport, …) and its file in the folder of cases. */
export interface FoundCase {
  readonly area: string;
  readonly file?: string;
  readonly subject: BenchCase;
}

/** One pass to be made. */
export interface Task extends RowPlace {
  readonly file: string | undefined;
  readonly settings: PassSettings;
}

/**
 * Makes passes, in this process or another: one for each task, in order, told as it is made; undefined where the machine lacks what the case
 * needs. It ends early, without a failure, when the signal says so.
 */
export type Sampler = (tasks: readonly Task[], made: (pass: Pass | undefined) => void, signal?: AbortSignal) => Promise<void>;

export interface RunOptions {
  /** Builds to time; by default simd (or the one AFTERPASS_BUILD names) and relaxed where the engine has it. */
  readonly builds?: readonly string[];
  /** Seconds per row; 1 by default. Rows whose passes scatter take up to three times as long. */
  readonly seconds?: number;
  /** False leaves the baselines out. */
  readonly baselines?: boolean;
  /** Makes the passes; by default this process makes all of them, and what differs between processes stays unseen. */
  readonly sampler?: Sampler;
  /** Whether a row needs more passes, asked after the first seven and after every further one, up to `most` passes. */
  readonly undecided?: (row: Row) => boolean;
  /** Most passes of a row as a multiple of the first ones; 3 by default. */
  readonly most?: number;
  /** Ends the run early: its rows are then those that have a pass, `unfinished` counts those that wanted more. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, all: number, what: string) => void;
}

/** What the machine can do on each build, and the rows. */
export interface BenchResult {
  readonly limits: Readonly<Record<string, Limits>>;
  readonly timer: { readonly sample: number; readonly call: number };
  readonly cases: Row[];
  /** Rows this machine cannot run. */
  readonly absent: { readonly name: string; readonly size: readonly number[] }[];
  /** Rows that a signal cut short or left out. */
  readonly unfinished: number;
}

/** Enough to tell the scatter between openings; a smoke test wants one. */
export const passesFor = (seconds: number): number => (seconds < 0.1 ? 1 : 7);
/** Passes of a row that takes long to open or to call once. */
const slowPasses = 3;
/** A standard error that lets two runs be told apart when they differ by a tenth: see compare.ts. */
export const steady = 0.014;

interface Progress extends RowPlace {
  readonly file: string | undefined;
  readonly passes: Pass[];
  absent: boolean;
}

/** Times the cases. */
export async function runCases(found: readonly FoundCase[], options: RunOptions = {}): Promise<BenchResult> {
  const { seconds = 1, baselines = true, undecided = ({ relative }) => relative.error > steady, most = 3, signal, onProgress } = options;
  const tiers = loadTiers();
  const sampler = options.sampler ?? inProcess(tiers);
  const [standard] = tiers.keys() as Iterable<string> as [string];
  const builds = options.builds ?? [standard, ...(standard === 'simd' && tiers.has('relaxed') ? ['relaxed'] : [])];
  const limits = Object.fromEntries(
    builds.map((build) => [build, measureLimits(() => instanceOf(tiers, build), Math.min(40, 80 * seconds))]),
  );
  const timer = timerOverhead();
  const rows: Progress[] = builds.flatMap((build) =>
    found.flatMap(({ area, file, subject }) =>
      subject.sizes.map((size) => ({ area, file, subject, size, build, passes: [], absent: false })),
    ),
  );
  const summary = (row: Progress): Row => rowOf(row, row.passes, limits[row.build] as Limits, timer.call);
  const least = passesFor(seconds);
  const needed = ({ passes }: Progress): number => (passes.some(({ slow }) => slow) ? Math.min(slowPasses, least) : least);
  const settings = (row: Progress): PassSettings => ({
    build: row.build,
    limits: limits[row.build] as Limits,
    overhead: timer,
    budget: (seconds * 1000) / needed(row),
    warm: options.sampler ? 60 : 10,
    baselines,
    check: row.passes.length === 0,
  });
  const due = (row: Progress): boolean => {
    if (row.absent) return false;
    const first = needed(row);
    if (row.passes.length < first) return true;
    return first > 1 && row.passes.length < most * first && undecided(summary(row));
  };
  const left = (): number => rows.reduce((sum, row) => sum + (row.absent ? 0 : Math.max(0, needed(row) - row.passes.length)), 0);
  let done = 0;
  try {
    for (let round = 0, now = rows.filter(due); now.length > 0 && !signal?.aborted; round++, now = rows.filter(due)) {
      const turned = [...now.slice(round % now.length), ...now.slice(0, round % now.length)]; // no row always follows the same one
      let next = 0;
      const made = (pass: Pass | undefined): void => {
        const row = turned[next++] as Progress;
        if (pass) row.passes.push(pass);
        else row.absent = true;
        done++;
        onProgress?.(done, done + Math.max(left(), turned.length - next), 'timing');
      };
      const tasks = turned.map((row) => ({ ...row, settings: settings(row) }));
      await sampler(tasks, made, signal);
    }
  } finally {
    switchTo(tiers, standard);
  }
  return {
    limits,
    timer,
    cases: rows.filter(({ passes }) => passes.length > 0).map(summary),
    absent: rows.filter(({ absent }) => absent).map(({ subject, size }) => ({ name: subject.name, size })),
    unfinished: signal?.aborted ? rows.filter(due).length : 0,
  };
}

/** Makes the passes in this process, one after the other. */
export function inProcess(tiers: Tiers): Sampler {
  return async (tasks, made, signal) => {
    for (const { subject, size, settings } of tasks) {
      if (signal?.aborted) return;
      made(await timePass(tiers, subject, size, settings));
      await new Promise((turn) => setTimeout(turn)); // signals of the system arrive between passes
    }
  };
}
