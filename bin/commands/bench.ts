// afterpass bench: how fast the kernels and methods are here, against this machine's limits and against other ways to do the same.
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import type { CommandModule } from 'yargs';
import { type Comparison, compare, keyOf, undecidedAgainst } from '../../src/bench/compare.js';
import { type Growth, growth } from '../../src/bench/growth.js';
import { report } from '../../src/bench/report.js';
import type { Row } from '../../src/bench/row.js';
import { type FoundCase, passesFor, runCases } from '../../src/bench/run.js';
import { checkOneOf } from '../../src/core/check.js';
import { AbortError, DomainError } from '../../src/core/errors.js';
import { caseFolder, findCases } from '../io/bench-cases.js';
import { processSampler } from '../io/bench-processes.js';
import { asText } from '../io/bench-text.js';
import { UnreachedError } from '../io/failure.js';
import { interruptible } from '../io/interrupt.js';
import { checkOutput, writeOutput } from '../io/output.js';
import { progress, remark, table, write } from '../io/print.js';
import { choice, type GlobalArgs, list, number, text } from '../options.js';

export interface Args extends GlobalArgs {
  pattern: string | undefined;
  compare: string | undefined;
  report: string | undefined;
  growth: boolean;
  list: boolean;
  quick: boolean;
  smallest: boolean;
  force: boolean;
  seconds: number;
  builds: string[] | undefined;
  baselines: 'yes' | 'no';
}

interface Result {
  machine: Record<string, unknown>;
  cases: Row[];
  absent: readonly { name: string; size: readonly number[] }[];
  growth?: Growth[];
  comparison?: Comparison;
}

/** `afterpass bench [pattern]`. */
export const bench: CommandModule<GlobalArgs, Args> = {
  command: 'bench [pattern]',
  describe: "Time kernels and methods against this machine's limits and other ways to do the same",
  builder: (yargs) =>
    yargs.positional('pattern', { type: 'string', describe: 'Part of an area, file or case name' }).options({
      compare: text('compare', 'Earlier --json output; only significant changes are shown'),
      report: text('report', 'Write an HTML page with roofline and bars'),
      growth: { type: 'boolean', default: false, describe: 'Fit how time grows over the sizes of a case' },
      list: { type: 'boolean', default: false, describe: 'Name the cases and their sizes, and time nothing' },
      quick: { type: 'boolean', default: false, describe: 'A first look: one process, 0.05 seconds per row, no ±' },
      smallest: { type: 'boolean', default: false, describe: 'Only the smallest size of each case' },
      force: { type: 'boolean', default: false, describe: 'Replace an existing report' },
      seconds: number('seconds', 'Measuring time per row', { low: 0.01, high: 3600, initial: 1 }),
      builds: list('builds', 'Kernels to time: simd, relaxed, reference'),
      baselines: choice('baselines', 'Time the baselines too', ['yes', 'no'], 'yes'),
    }) as never,
  handler: async (args) => {
    for (const name of args.builds ?? []) checkOneOf('--builds', name, ['simd', 'relaxed', 'reference']);
    if (args.report) checkOutput(args.report, { force: args.force, name: '--report' });
    const before = args.compare ? readEarlier(args.compare) : undefined;
    const every = await findCases(args.pattern);
    const found = args.smallest ? every.map(onlySmallest) : every;
    if (!found.length)
      throw new DomainError(`pattern: expected part of an area, file or case (bench --list names them), got '${args.pattern}'`);
    if (args.list) return write({ cases: found.map(listed) }, args, listText);
    const { result, unfinished } = await measure(args, found, before);
    if (before) result.comparison = compare(before, result.cases);
    if (args.growth) result.growth = growth(result.cases);
    if (args.report) writeOutput(args.report, page(result));
    write(result, args, asText);
    const wrong = result.cases.flatMap((row) => row.warnings.filter((w) => w.includes('disagrees')).map((w) => `${keyOf(row)}: ${w}`));
    if (wrong.length) throw new UnreachedError(wrong.join('; '));
    if (unfinished) {
      remark(`interrupted: ${unfinished} rows have fewer samples than asked for, or none`, args);
      throw new AbortError();
    }
  },
};

const onlySmallest = (one: FoundCase): FoundCase => ({ ...one, subject: { ...one.subject, sizes: one.subject.sizes.slice(0, 1) } });

const listed = ({ area, subject }: FoundCase) => ({ area, name: subject.name, axes: subject.axes ?? [], sizes: subject.sizes });

function listText({ cases }: { cases: readonly ReturnType<typeof listed>[] }): string {
  return table(
    ['area', 'case', 'of', 'sizes'],
    cases.map(({ area, name, axes, sizes }) => [area, name, axes.join(' × '), sizes.map((size) => size.join('×')).join(', ')]),
  );
}

async function measure(args: Args, found: readonly FoundCase[], before: readonly Row[] | undefined) {
  const { onProgress, stop } = progress(args);
  const seconds = args.quick ? 0.05 : args.seconds;
  const processes = passesFor(seconds);
  const chosen = args.builds?.length ? { builds: args.builds } : {};
  try {
    const { limits, timer, cases, absent, unfinished } = await interruptible((signal) => {
      announce(args, found, seconds);
      return runCases(found, {
        ...chosen,
        ...(processes > 1 && { sampler: processSampler(caseFolder) }),
        ...(before && { undecided: undecidedAgainst(before, processes), most: 4 }),
        seconds,
        baselines: args.baselines === 'yes',
        signal,
        onProgress: (done, total) => onProgress({ done, total, phase: 'timing' }),
      });
    });
    for (const { name, size } of absent) remark(`${name} ${size.join('×')}: absent, this machine lacks what it needs`, args);
    const result: Result = { machine: { ...machine(), limits, timer }, cases, absent };
    return { result, unfinished };
  } finally {
    stop();
  }
}

/** How long many rows will take: samples, warming up and opening, and the further passes that some of them get. */
function announce(args: Args, found: readonly FoundCase[], seconds: number): void {
  const rows = found.reduce((sum, { subject }) => sum + subject.sizes.length, 0);
  if (rows < 20) return;
  const minutes = Math.ceil((rows * (args.quick ? 0.6 : 2 * seconds + 2)) / 60);
  const shorter = args.quick ? '' : ', --quick takes a first look';
  remark(`${rows} rows on each build, some ${minutes} min; Ctrl-C prints what there is by then${shorter}`, args);
}

function machine(): Record<string, unknown> {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string };
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    platform: `${process.platform}-${process.arch}`,
    runtime: `node ${process.versions.node}`,
    afterpass: version,
    date: new Date().toISOString(),
  };
}

function readEarlier(path: string): Row[] {
  let earlier: { cases?: Row[] };
  try {
    earlier = JSON.parse(readFileSync(path, 'utf8')) as { cases?: Row[] };
  } catch (cause) {
    throw new DomainError(`--compare: expected the JSON of an earlier bench, got '${path}' (${(cause as Error).message})`, { cause });
  }
  if (!Array.isArray(earlier.cases) || !earlier.cases.every((row) => row?.relative?.centres && row.size)) {
    throw new DomainError(`--compare: expected the JSON of an earlier bench of this version, got '${path}' without such cases`);
  }
  return earlier.cases;
}

function page({ machine: { limits, timer: _timer, ...facts }, cases }: Result): string {
  return report({ title: 'afterpass bench', machine: facts, limits: limits as never, cases });
}
