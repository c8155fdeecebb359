// One row of the table: a case at one size on one build, timed in several passes spread over the whole run.
import type { Instance } from '../runtime/instance.js';
import { disagreement, numbersOf } from './agreement.js';
import type { BenchCase, Size, Work } from './case.js';
import { bandwidth, computeLoop, type Limits, readLoop } from './limits.js';
import { calibrate, takeTurns, type Variant } from './measure.js';
import { median, summarize } from './statistics.js';
import { instanceOf, switchTo, type Tiers } from './tiers.js';

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
  readonly median: number;
  readonly spread: number;
  readonly quartiles: readonly [number, number];
  readonly outliers: number;
  readonly samples: number;
  /** Which limit binds, what the row reaches of it in its unit, and the share 0..1 from paired samples of both. */
  readonly bound: 'compute' | 'memory' | null;
  readonly rate: number | null;
  readonly rateUnit: 'GFLOP/s' | 'GB/s' | null;
  readonly share: number | null;
  readonly work: { readonly flops: number | null; readonly bytes: number | null };
  /** Time in units of the limit loop timed beside it: what `--compare` compares, since it does not follow the machine's mood. */
  readonly relative: { readonly value: number; readonly error: number };
  readonly baselines: Readonly<Record<string, BaselineResult>>;
  readonly warnings: readonly string[];
}

/** What every row needs to know. */
export interface Bench {
  readonly tiers: Tiers;
  readonly limits: ReadonlyMap<string, Limits>;
  readonly overhead: { sample: number; call: number };
  /** Milliseconds a row may take in all, and in how many passes. */
  readonly budget: number;
  readonly passes: number;
  readonly baselines: boolean;
}

const limitName = 'limit';

/** The timer of one row: `pass` as often as wanted, then `result`. */
export class RowTimer {
  readonly subject: BenchCase;
  readonly size: Size;
  readonly build: string;
  readonly #bench: Bench;
  readonly #area: string;
  readonly #times = new Map<string, number[]>();
  readonly #ratios = new Map<string, number[]>();
  readonly #errors = new Map<string, number>();
  readonly #absent = new Set<string>();
  readonly #relative: number[][] = [];
  #amount = 1;
  #subjectAbsent = false;
  /** Set once an opening has taken so long that further passes would cost more than they tell. */
  onePass = false;

  constructor(bench: Bench, area: string, subject: BenchCase, size: Size, build: string) {
    this.#bench = bench;
    this.#area = area;
    this.subject = subject;
    this.size = size;
    this.build = build;
  }

  /** The limit that binds this row, from the declared work and the limits measured at the start. */
  get bound(): 'compute' | 'memory' | null {
    const { flops, bytes, precision = 'float32' } = this.subject;
    const limits = this.#bench.limits.get(this.build);
    if (!limits || (!flops && !bytes)) return null;
    const compute = (flops?.(this.size) ?? 0) / limits[precision];
    const memory = (bytes?.(this.size) ?? 0) / bandwidth(limits, this.#footprint());
    return compute >= memory ? 'compute' : 'memory';
  }

  /**
   * The loop timed beside the subject. Clock speed is all that varies while data stay in the core's own caches: there the tile loop is
   * the steadier pace, and the reading limit is that of the start; beyond them other cores share the memory, and reading is the pace.
   */
  get #reads(): boolean {
    const limits = this.#bench.limits.get(this.build);
    return this.bound === 'memory' && limits !== undefined && bandwidth(limits, this.#footprint()) < 0.7 * bandwidth(limits, 2 ** 17);
  }

  /** The work of the row in units of what its limit loop does per call. */
  #limitUnits(): number | null {
    const { flops, bytes, precision = 'float32' } = this.subject;
    const limits = this.#bench.limits.get(this.build);
    if (!limits || this.bound === null) return null;
    if (this.bound === 'compute') return (flops as (size: Size) => number)(this.size) / this.#amount;
    const needed = (bytes as (size: Size) => number)(this.size);
    if (this.#reads) return needed / this.#amount;
    return (needed / bandwidth(limits, this.#footprint())) * (limits[precision] / this.#amount);
  }

  #footprint(): number {
    return this.subject.footprint?.(this.size) ?? this.subject.bytes?.(this.size) ?? 2 ** 15;
  }

  /** Opens the case anew, checks agreement the first time, and takes samples by turns. */
  async pass(): Promise<void> {
    const { budget, passes, overhead, tiers } = this.#bench;
    const first = this.#relative.length === 0;
    const opened = performance.now();
    switchTo(tiers, this.build);
    const variants = await this.#open(first);
    if (!variants) return;
    const slowOpening = performance.now() - opened > budget / 4;
    this.onePass ||= slowOpening;
    const logs: number[] = [];
    const share = this.onePass && first ? budget : budget / passes;
    for (const variant of variants) await calibrate(variant, first ? 20 : 5, 1);
    await takeTurns(variants, share, 8, overhead, (times) => {
      const own = times.get('') as number;
      for (const [name, time] of times) {
        if (name === limitName) logs.push(Math.log(own / time));
        if (name !== '') push(this.#ratios, name, time / own);
      }
    });
    for (const { name, samples } of variants) for (const time of samples) push(this.#times, name, time);
    this.#relative.push(logs);
  }

  async #open(check: boolean): Promise<Variant[] | undefined> {
    const { subject, size } = this;
    const { tiers, baselines } = this.#bench;
    const instance = instanceOf(tiers, this.build);
    const own = subject.setup ? instance.keep((arena) => subject.setup(arena, size)) : await subject.open(size);
    if (!own) {
      this.#subjectAbsent = true;
      return undefined;
    }
    const variants = [await this.#variant('', own, instance, check)];
    const want = check ? this.#numbers : [];
    const add = async (name: string, work: Work | undefined, holder: Instance): Promise<void> => {
      if (!work) {
        this.#absent.add(name);
        return;
      }
      variants.push(await this.#variant(name, work, holder, check));
      if (check) this.#errors.set(name, disagreement(want, this.#numbers));
    };
    if (baselines && subject.setup && subject.baseline === 'reference') {
      if (tiers.has('reference')) {
        const twin = instanceOf(tiers, 'reference');
        switchTo(tiers, 'reference');
        const work = twin.keep((arena) => subject.setup(arena, size));
        switchTo(tiers, this.build);
        await add('reference', work, twin);
      } else this.#absent.add('reference');
    }
    if (baselines) for (const [name, open] of Object.entries(subject.baselines ?? {})) await add(name, await open(size), instance);

    const loop = this.#reads ? readLoop(instance, this.#footprint()) : computeLoop(instance, subject.precision ?? 'float32');
    this.#amount = loop.amount;
    variants.splice(1, 0, await this.#variant(limitName, loop.work, instance, false));
    return variants;
  }

  #numbers: number[] = [];

  async #variant(name: string, work: Work, instance: Instance, check: boolean): Promise<Variant> {
    // The first call tells whether the work is asynchronous, and its result is what must agree.
    const within = <R>(samples: () => R): R => instance.run(samples);
    let result: unknown;
    let promised: Promise<unknown> | undefined;
    within(() => {
      result = work();
      if (typeof (result as { then?: unknown } | null)?.then === 'function') promised = result as Promise<unknown>;
    });
    if (promised) result = await promised;
    if (check) this.#numbers = numbersOf(result, instance.arena);
    return { name, work, within, asynchronous: promised !== undefined, calls: 1, samples: [] };
  }

  /** The row, or undefined when this machine lacks what the case needs. */
  result(): Row | undefined {
    if (this.#subjectAbsent) return undefined;
    const { subject, size } = this;
    const own = summarize(this.#times.get('') ?? []);
    const flops = subject.flops?.(size) ?? null;
    const bytes = subject.bytes?.(size) ?? null;
    const { bound } = this;
    const amount = bound === 'memory' ? bytes : bound === 'compute' ? flops : null;
    const relative = combine(this.#relative);
    const units = this.#limitUnits();
    return {
      name: subject.name,
      area: this.#area,
      size,
      axes: subject.axes ?? size.map((_, i) => `n${i || ''}`),
      build: this.build,
      unit: 'ms',
      ...own,
      bound,
      rate: amount === null ? null : amount / own.median / 1e6,
      rateUnit: bound === 'memory' ? 'GB/s' : bound === 'compute' ? 'GFLOP/s' : null,
      share: units === null ? null : Math.min(1, units / relative.value),
      work: { flops, bytes },
      relative,
      baselines: this.#baselineResults(),
      warnings: this.#warnings(own),
    };
  }

  #baselineResults(): Record<string, BaselineResult> {
    const results: Record<string, BaselineResult> = {};
    for (const name of this.#absent) results[name] = { absent: true };
    for (const [name, times] of this.#times) {
      if (name === '' || name === limitName) continue;
      const error = this.#errors.get(name);
      results[name] = { median: median(times), ratio: median(this.#ratios.get(name) ?? []), ...(error === undefined ? {} : { error }) };
    }
    return results;
  }

  #warnings(own: ReturnType<typeof summarize>): string[] {
    const warnings: string[] = [];
    const limit = this.#times.get(limitName) ?? [];
    const atStart = this.#bench.limits.get(this.build);
    if (own.spread > 0.15 * own.median) warnings.push(`noisy: half of the samples lie within ±${percent(own.spread / own.median / 2)}`);
    if (own.samples >= 20 && own.outliers > own.samples / 10) warnings.push(`${own.outliers} of ${own.samples} samples are outliers`);
    if (own.median < 20 * this.#bench.overhead.call)
      warnings.push('close to the cost of a call: the timer overhead taken off is a large part');
    if (atStart && limit.length) {
      const full = this.#reads ? bandwidth(atStart, this.#footprint()) : atStart[this.subject.precision ?? 'float32'];
      const now = this.#amount / median(limit) / 1e6;
      if (now < 0.8 * full)
        warnings.push(
          `the limit was ${percent(now / full)} of that measured at the start: a busy machine, or caches shared with the baselines`,
        );
    }
    for (const [name, error] of this.#errors) {
      if (error > (this.subject.tolerance ?? 1e-3)) warnings.push(`${name} disagrees: relative difference ${error.toPrecision(2)}`);
    }
    return warnings;
  }
}

function push(map: Map<string, number[]>, name: string, value: number): void {
  const list = map.get(name);
  if (list) list.push(value);
  else map.set(name, [value]);
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;

/** Median of the passes' medians with its standard error: from the scatter within passes and that between them, the larger. */
function combine(passes: readonly (readonly number[])[]): { value: number; error: number } {
  const full = passes.filter((logs) => logs.length > 0);
  const centres = full.map(median);
  const centre = median(centres);
  const within = full.map((logs) => deviation(logs) / Math.sqrt(logs.length));
  const inside = (1.2533 * median(within)) / Math.sqrt(full.length);
  const between = full.length > 2 ? (1.2533 * deviation(centres)) / Math.sqrt(full.length) : 0;
  return { value: Math.exp(centre), error: Math.max(inside, between) };
}

/** A standard deviation that ignores outliers: 1.4826 · median |x − median|. */
function deviation(values: readonly number[]): number {
  const centre = median(values);
  return 1.4826 * median(values.map((value) => Math.abs(value - centre)));
}
