// One opening of a case, timed by turns with its limit loop and its baselines. What comes of it is plain data: passes are made in processes
// of their own, since where code and pages come to lie differs from one process to the next and not within one.
import type { Instance } from '../runtime/instance.js';
import { disagreement, numbersOf } from './agreement.js';
import { footprintOf, readsBeside } from './bound.js';
import type { BenchCase, Size, Work } from './case.js';
import { computeLoop, type Limits, readLoop } from './limits.js';
import { calibrate, takeTurns, type Variant } from './measure.js';
import { median } from './statistics.js';
import { instanceOf, switchTo, type Tiers } from './tiers.js';

/** Name of the limit loop among the variants; the subject's is the empty one. */
export const limitName = 'limit';

/** Everything a pass needs beside the case; can be sent to another process. */
export interface PassSettings {
  readonly build: string;
  readonly limits: Limits;
  readonly overhead: { readonly sample: number; readonly call: number };
  /** Milliseconds of samples. */
  readonly budget: number;
  /** Milliseconds to warm each variant up. */
  readonly warm: number;
  readonly baselines: boolean;
  /** Whether results are compared with those of the baselines. */
  readonly check: boolean;
}

/** What one opening gave. Times are milliseconds per call, by variant. */
export interface Pass {
  readonly times: Readonly<Record<string, readonly number[]>>;
  /** Times of the baselines over those of the subject in the same round. */
  readonly ratios: Readonly<Record<string, readonly number[]>>;
  /** log(time / time of the limit loop in the same round). */
  readonly logs: readonly number[];
  /** What one call of the limit loop does, in flop or bytes. */
  readonly amount: number;
  /** Relative differences to the baselines, where they were checked. */
  readonly errors: Readonly<Record<string, number>>;
  readonly absent: readonly string[];
  /** True when opening or one call takes so long that many passes would cost more than they tell. */
  readonly slow: boolean;
}

interface Opened {
  readonly variants: Variant[];
  readonly errors: Record<string, number>;
  readonly absent: string[];
  readonly amount: number;
}

/** Opens the case and takes samples; undefined where this machine lacks what the case needs. */
export async function timePass(tiers: Tiers, subject: BenchCase, size: Size, settings: PassSettings): Promise<Pass | undefined> {
  const start = performance.now();
  switchTo(tiers, settings.build);
  const opened = await open(tiers, subject, size, settings);
  if (!opened) return undefined;
  const { variants, errors, absent, amount } = opened;
  const slow = performance.now() - start > 1.75 * settings.budget;
  const ratios: Record<string, number[]> = {};
  const logs: number[] = [];
  for (const variant of variants) await calibrate(variant, variant.name === limitName ? settings.warm / 4 : settings.warm, 1);
  const record = (times: ReadonlyMap<string, number>): void => {
    const own = times.get('') as number;
    for (const [name, time] of times) {
      if (name === limitName) logs.push(Math.log(own / time));
      if (name !== '') (ratios[name] ??= []).push(time / own);
    }
  };
  const turns = (some: readonly Variant[]): Promise<void> =>
    takeTurns(some, (settings.budget * some.length) / variants.length, 8, settings.overhead, record);
  const [first, limit, ...others] = variants as [Variant, Variant, ...Variant[]];
  if (others.length > 0 && readsBeside(subject, size, settings.limits)) {
    await turns([first, limit]);
    await turns([{ ...first, samples: [] }, ...others]); // the arrays of the baselines would push the subject's out of the shared cache
  } else await turns(variants);
  const times = Object.fromEntries(variants.map(({ name, samples }) => [name, samples]));
  return { times, ratios, logs, amount, errors, absent, slow: slow || median(times[''] as number[]) > 1.75 * settings.budget };
}

async function open(tiers: Tiers, subject: BenchCase, size: Size, settings: PassSettings): Promise<Opened | undefined> {
  const { build, limits, baselines, check } = settings;
  const instance = instanceOf(tiers, build);
  const from = instance.arena.mark();
  const own = subject.setup ? instance.keep((arena) => subject.setup(arena, size)) : await subject.open(size);
  if (!own) return undefined;
  const footprint = footprintOf(subject, size);
  const there = instance.arena.mark() - from >= footprint;
  const errors: Record<string, number> = {};
  const absent: string[] = [];
  const { variant, numbers: want } = await variantOf('', own, instance, check);
  const variants = [variant];
  const add = async (name: string, work: Work | undefined, holder: Instance): Promise<void> => {
    if (!work) {
      absent.push(name);
      return;
    }
    const other = await variantOf(name, work, holder, check);
    variants.push(other.variant);
    if (check) errors[name] = disagreement(want, other.numbers);
  };
  if (baselines && subject.setup && subject.baseline === 'reference') {
    if (tiers.has('reference')) {
      const twin = instanceOf(tiers, 'reference');
      switchTo(tiers, 'reference');
      const work = twin.keep((arena) => subject.setup(arena, size));
      switchTo(tiers, build);
      await add('reference', work, twin);
    } else absent.push('reference');
  }
  if (baselines) for (const [name, begin] of Object.entries(subject.baselines ?? {})) await add(name, await begin(size), instance);

  const loop = readsBeside(subject, size, limits)
    ? readLoop(instance, footprint, there ? from : undefined) // the subject's own bytes, where they lie in this instance
    : computeLoop(instance, subject.precision ?? 'float32');
  variants.splice(1, 0, (await variantOf(limitName, loop.work, instance, false)).variant);
  return { variants, errors, absent, amount: loop.amount };
}

/** The first call tells whether the work is asynchronous, and its result is what must agree. */
async function variantOf(name: string, work: Work, instance: Instance, check: boolean): Promise<{ variant: Variant; numbers: number[] }> {
  const within = <R>(samples: () => R): R => instance.run(samples);
  let result: unknown;
  let promised: Promise<unknown> | undefined;
  within(() => {
    result = work();
    if (typeof (result as { then?: unknown } | null)?.then === 'function') promised = result as Promise<unknown>;
  });
  if (promised) result = await promised;
  const numbers = check ? numbersOf(result, instance.arena) : [];
  return { variant: { name, work, within, asynchronous: promised !== undefined, calls: 1, samples: [] }, numbers };
}
