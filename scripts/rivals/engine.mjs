// Times one problem: ours and the rivals by turns, after their results were found to agree.
import { disagreement, numbersOf } from '../../build/src/bench/agreement.js';
import { computeLoop, readLoop } from '../../build/src/bench/limits.js';
import { median, summarize } from '../../build/src/bench/statistics.js';
import { Instance } from '../../build/src/runtime/instance.js';

/** A function as something to sample; awaits its result when that is a promise. */
export function fromFunction(work, result) {
  return {
    result,
    sample: async (calls) => {
      // CPU time of this process, as in the Python driver: what other processes take from a shared machine is not counted.
      const start = process.cpuUsage();
      for (let i = 0; i < calls; i++) {
        const value = work();
        if (typeof value?.then === 'function') await value;
      }
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1000;
    },
    close: () => {},
  };
}

/** Calls of a kernel on an instance that is entered once a sample: what is timed is the kernel. */
export function within(instance, work) {
  const sample = async (calls) => {
    const start = process.cpuUsage();
    instance.run(() => {
      for (let i = 0; i < calls; i++) work();
    });
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  };
  return { sample, close: () => {} };
}

/** Two works as one whose time is that of the first less that of the second: what a longer run takes more. */
export function difference(longer, shorter) {
  const failed = [longer, shorter].find(({ absent, error }) => absent ?? error);
  if (failed) return failed;
  return {
    result: longer.result,
    sample: async (calls) => (await longer.sample(calls)) - (await shorter.sample(calls)),
    close: async () => {
      await longer.close?.();
      await shorter.close?.();
    },
  };
}

/** A loop at one of the machine's limits for `amount` of work: as long a sample as that of the work it is held against. */
function pace(instance, loop, amount) {
  const { sample } = within(instance, loop.work);
  return {
    sample: async (calls) => {
      const loops = (calls * amount) / loop.amount;
      const whole = Math.max(1, Math.round(loops));
      return ((await sample(whole)) * loops) / whole;
    },
    close: () => {},
  };
}

/** Plain reading of a problem's bytes, `times` over; what it reads lies beside them, as large up to 256 MB. */
function reading({ bytes, times }) {
  const instance = new Instance();
  return pace(instance, readLoop(instance, bytes), bytes * times);
}

/** The matrix tile on panels in L1, for so many flop: by turns with the work, it has the clock speed that the work has. */
function tile(flops) {
  const instance = new Instance();
  return pace(instance, computeLoop(instance, 'float32'), flops);
}

const limit = 'limit'; // among the variants
const target = 20; // milliseconds a sample: long against the microsecond that CPU time is counted in

/**
 * Opens, compares and times. `problem.ours()` and each of `problem.rivals` give `{ result, sample, close }`, or `{ absent }`. With
 * `problem.reading`, `{ bytes, times }`, the share is of plain reading of so many bytes, with `problem.tile`, flop, of the tile loop, sampled
 * by turns with the rest.
 */
export async function measure(problem, seconds) {
  const { name, size, tolerance = 1e-3, work, aim } = problem;
  const row = { name, size, aim, flops: work?.flops, bytes: work?.bytes, rivals: {} };
  const variants = [];
  const ours = await open(problem.ours);
  if (ours.absent || ours.error) return { ...row, absent: ours.absent ?? ours.error };
  const want = numbersOf(ours.result, undefined);
  variants.push({ name: 'afterpass', ...ours, samples: [] });
  for (const [rival, make] of Object.entries(problem.rivals ?? {})) {
    const opened = await open(make);
    if (opened.absent || opened.error) {
      row.rivals[rival] = { absent: opened.absent ?? opened.error };
      continue;
    }
    const numbers = opened.result === undefined ? [] : numbersOf(opened.result, undefined);
    const difference = numbers.length ? disagreement(numbers, want) : undefined;
    row.rivals[rival] = { difference };
    if (difference > tolerance) row.rivals[rival].disagrees = true;
    variants.push({ name: rival, ...opened, samples: [] });
  }
  // Next to ours in both directions of the turn: what ran before has left the same clock speed to both.
  if (problem.reading) variants.splice(1, 0, { name: limit, ...reading(problem.reading), samples: [] });
  if (problem.tile) variants.splice(1, 0, { name: limit, ...tile(problem.tile), samples: [] });
  for (const variant of variants) {
    const once = await variant.sample(1);
    if (once > 1000) {
      variant.samples.push(once); // seconds a call: one sample says enough
      continue;
    }
    const start = performance.now();
    const again = once > 200 ? once : await variant.sample(1);
    // A difference of two runs can come out as nothing; the time it took to find out bounds the calls all the same.
    const least = once > 200 ? 0 : (performance.now() - start) / 20;
    variant.calls = Math.max(1, Math.round(target / Math.max(again, least, 1e-4)));
    if (again < 5) await variant.sample(variant.calls * 3);
  }
  const end = performance.now() + seconds * 1000 * Math.sqrt(variants.length);
  for (let round = 0; round < 3 || (performance.now() < end && round < 200); round++) {
    const turn = variants.filter(({ calls }) => calls);
    if (!turn.length) break;
    for (const variant of round % 2 ? [...turn].reverse() : turn)
      variant.samples.push((await variant.sample(variant.calls)) / variant.calls);
  }
  for (const variant of variants) await variant.close?.();
  const own = variants[0].samples;
  Object.assign(row, summarize(own));
  for (const { name: rival, samples } of variants.slice(1)) {
    const ratios = samples.map((time, i) => time / (samples.length === own.length ? own[i] : median(own)));
    if (rival === limit) {
      const { bytes, times } = problem.reading ?? {};
      const rate = (bytes ? bytes * times : problem.tile) / median(samples) / 1e6;
      Object.assign(row, { share: Math.min(1, median(ratios)), [bytes ? 'reading' : 'tile']: rate });
      continue;
    }
    Object.assign(row.rivals[rival], { median: median(samples), ratio: median(ratios) });
  }
  return row;
}

async function open(make) {
  try {
    return await make();
  } catch (error) {
    return {
      error: String(error?.message ?? error)
        .split('\n')[0]
        .slice(0, 160),
    };
  }
}
