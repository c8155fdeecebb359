// One row of the table: a case at one size on one build, from passes spread over the whole run and over processes.
import { boundOf, footprintOf, limitUnits, readsBeside } from './bound.js';
import type { BenchCase, Size } from './case.js';
import { bandwidth, type Limits } from './limits.js';
import { limitName, type Pass } from './pass.js';
import { deviation, mean, median, repeatReach, standardDeviation, summarize } from './statistics.js';

/** A baseline of a row; `ratio` is its time over the subject's (above 1: the subject is faster), from paired samples. */
export interface BaselineResult {
  readonly median?: number;
  readonly ratio?: number;
  readonly error?: number;
  readonly absent?: true;
}

/** One row as printed and as written by `--json`; times are milliseconds per call. */
export interface Row {
  readonly name: string;
  readonly area: string;
  readonly size: Size;
  readonly axes: readonly string[];
  readonly build: string;
  readonly unit: 'ms';
  /** The median over processes of the median of each one's samples. */
  readonly median: number;
  /**
   * Where the median of another run lies 19 times of 20, by the scatter between the processes of this one and the paces that the limit loop
   * showed in them; the quartiles of the samples where there are fewer than three processes.
   */
  readonly interval: readonly [number, number];
  /** Width of `interval`. */
  readonly spread: number;
  /** Of all samples. */
  readonly quartiles: readonly [number, number];
  readonly outliers: number;
  readonly samples: number;
  /** Which limit binds, what the row reaches of it in its unit, and the share 0..1 from paired samples of both. */
  readonly bound: 'compute' | 'memory' | null;
  readonly rate: number | null;
  readonly rateUnit: 'GFLOP/s' | 'GB/s' | null;
  readonly share: number | null;
  readonly work: { readonly flops: number | null; readonly bytes: number | null };
  /**
   * Time in units of the limit loop timed beside it, which does not follow the machine's mood: what `--compare` compares. `centres` are the
   * logarithms' medians of each pass; `error` is the standard error of their mean, from the scatter between passes and within them.
   */
  readonly relative: { readonly value: number; readonly error: number; readonly centres: readonly number[] };
  readonly baselines: Readonly<Record<string, BaselineResult>>;
  readonly warnings: readonly string[];
}

/** What a row is of. */
export interface RowPlace {
  readonly area: string;
  readonly subject: BenchCase;
  readonly size: Size;
  readonly build: string;
}

/** The row that at least one pass makes. */
export function rowOf({ area, subject, size, build }: RowPlace, passes: readonly Pass[], limits: Limits, callOverhead: number): Row {
  const own = ownOf(passes);
  const flops = subject.flops?.(size) ?? null;
  const bytes = subject.bytes?.(size) ?? null;
  const bound = boundOf(subject, size, limits);
  const amount = bound === 'memory' ? bytes : bound === 'compute' ? flops : null;
  const relative = combine(passes.map(({ logs }) => logs));
  const units = limitUnits(subject, size, limits, (passes[0] as Pass).amount);
  return {
    name: subject.name,
    area,
    size,
    axes: subject.axes ?? size.map((_, i) => `n${i || ''}`),
    build,
    unit: 'ms',
    ...own,
    bound,
    rate: amount === null ? null : amount / own.median / 1e6,
    rateUnit: bound === 'memory' ? 'GB/s' : bound === 'compute' ? 'GFLOP/s' : null,
    share: units === null ? null : Math.min(1, units / relative.value),
    work: { flops, bytes },
    relative,
    baselines: baselinesOf(passes),
    warnings: [...warningsOf(subject, size, passes, limits, own, callOverhead), ...setAside(passes.length - relative.centres.length)],
  };
}

/** Median, interval and quartiles of the row's own times. */
function ownOf(passes: readonly Pass[]) {
  const { quartiles, outliers, samples } = summarize(gather(passes, 'times', ''));
  const logs = passes.map(({ times }) => Math.log(median(times[''] as readonly number[])));
  const middle = median(logs);
  const near = withoutWild(logs);
  const paces = passes.map(({ times }) => Math.log(median(times[limitName] as readonly number[])));
  const reach = repeatReach(near.length < 3 ? logs : near, withoutWild(paces)); // the limit loop tells the machine's pace
  const interval: [number, number] = Number.isNaN(reach) ? [...quartiles] : [Math.exp(middle - reach), Math.exp(middle + reach)];
  return { median: Math.exp(middle), interval, spread: interval[1] - interval[0], quartiles, outliers, samples };
}

/** The samples of one variant over all passes. */
function gather(passes: readonly Pass[], what: 'times' | 'ratios', name: string): number[] {
  return passes.flatMap((pass) => [...(pass[what][name] ?? [])]);
}

function baselinesOf(passes: readonly Pass[]): Record<string, BaselineResult> {
  const results: Record<string, BaselineResult> = {};
  const errors = checkedErrors(passes);
  for (const name of new Set(passes.flatMap(({ absent }) => absent))) results[name] = { absent: true };
  for (const name of new Set(passes.flatMap(({ times }) => Object.keys(times)))) {
    if (name === '' || name === limitName) continue;
    const error = errors[name];
    results[name] = {
      median: median(gather(passes, 'times', name)),
      ratio: median(gather(passes, 'ratios', name)),
      ...(error === undefined ? {} : { error }),
    };
  }
  return results;
}

const checkedErrors = (passes: readonly Pass[]): Record<string, number> => Object.assign({}, ...passes.map(({ errors }) => errors));

function warningsOf(
  subject: BenchCase,
  size: Size,
  passes: readonly Pass[],
  limits: Limits,
  own: ReturnType<typeof ownOf>,
  callOverhead: number,
): string[] {
  const warnings: string[] = [];
  const half = (own.quartiles[1] - own.quartiles[0]) / 2;
  if (half > 0.075 * own.median) warnings.push(`noisy: half of the samples lie within ±${percent(half / own.median)}`);
  if (own.samples >= 20 && own.outliers > own.samples / 10) warnings.push(`${own.outliers} of ${own.samples} samples are outliers`);
  if (own.median < 20 * callOverhead) warnings.push('close to the cost of a call: the timer overhead taken off is a large part');
  const full = readsBeside(subject, size, limits) ? bandwidth(limits, footprintOf(subject, size)) : limits[subject.precision ?? 'float32'];
  const now = (passes[0] as Pass).amount / median(gather(passes, 'times', limitName)) / 1e6;
  if (now < 0.8 * full) {
    const reason = 'a busy machine, or caches shared with the baselines';
    warnings.push(`the limit was ${percent(now / full)} of that measured at the start: ${reason}`);
  }
  for (const [name, error] of Object.entries(checkedErrors(passes))) {
    if (error > (subject.tolerance ?? 1e-3)) warnings.push(`${name} disagrees: relative difference ${error.toPrecision(2)}`);
  }
  return warnings;
}

const setAside = (count: number): string[] =>
  count > 0 ? [`${count} ${count > 1 ? 'passes' : 'pass'} set aside, more than a quarter away from the others`] : [];

const percent = (share: number): string => `${Math.round(share * 100)} %`;

/**
 * Mean of the passes' medians with its standard error: from the scatter within passes and that between them, the larger. Passes further than
 * `wild` from the middle one are set aside: there the subject or its limit loop ran as unoptimised code to the end, or something else did.
 */
function combine(passes: readonly (readonly number[])[]): Row['relative'] {
  const full = passes.filter((logs) => logs.length > 0);
  const centres = withoutWild(full.map(median));
  const within = full.map((logs) => deviation(logs) / Math.sqrt(logs.length));
  const inside = (1.2533 * median(within)) / Math.sqrt(centres.length);
  const between = centres.length > 2 ? standardDeviation(centres) / Math.sqrt(centres.length) : 0;
  return { value: Math.exp(mean(centres)), error: Math.max(inside, between), centres };
}

/** The logarithms of times no further than `wild` from the middle one. */
function withoutWild(logs: readonly number[]): number[] {
  const middle = median(logs);
  const reach = Math.max(wild, 5 * deviation(logs));
  return logs.filter((log) => Math.abs(log - middle) <= reach);
}

/** A quarter: processes with the same code differ by up to 15 %. */
const wild = 0.25;
