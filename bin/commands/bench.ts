// afterpass bench: how fast the kernels and methods are here, against this machine's limits and against other ways to do the same.
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import type { CommandModule } from 'yargs';
import { type Change, type Comparison, compare, keyOf, undecidedAgainst } from '../../src/bench/compare.js';
import { type Growth, growth } from '../../src/bench/growth.js';
import { report, time } from '../../src/bench/report.js';
import type { Row } from '../../src/bench/row.js';
import { passesFor, runCases } from '../../src/bench/run.js';
import { checkOneOf } from '../../src/core/check.js';
import { DomainError } from '../../src/core/errors.js';
import { caseFolder, findCases } from '../io/bench-cases.js';
import { processSampler } from '../io/bench-processes.js';
import { UnreachedError } from '../io/failure.js';
import { checkOutput, writeOutput } from '../io/output.js';
import { percent, progress, remark, table, write } from '../io/print.js';
import { choice, type GlobalArgs, list, number, text } from '../options.js';

export interface Args extends GlobalArgs {
  pattern: string | undefined;
  compare: string | undefined;
  report: string | undefined;
  growth: boolean;
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
      force: { type: 'boolean', default: false, describe: 'Replace an existing report' },
      seconds: number('seconds', 'Measuring time per row', { low: 0.01, high: 3600, initial: 1 }),
      builds: list('builds', 'Kernels to time: simd, relaxed, reference'),
      baselines: choice('baselines', 'Time the baselines too', ['yes', 'no'], 'yes'),
    }) as never,
  handler: async (args) => {
    for (const name of args.builds ?? []) checkOneOf('--builds', name, ['simd', 'relaxed', 'reference']);
    if (args.report) checkOutput(args.report, { force: args.force, name: '--report' });
    const before = args.compare ? readEarlier(args.compare) : undefined;
    const result = await measure(args, before);
    if (before) result.comparison = compare(before, result.cases);
    if (args.growth) result.growth = growth(result.cases);
    if (args.report) writeOutput(args.report, page(result));
    write(result, args, asText);
    const wrong = result.cases.flatMap((row) => row.warnings.filter((w) => w.includes('disagrees')).map((w) => `${keyOf(row)}: ${w}`));
    if (wrong.length) throw new UnreachedError(wrong.join('; '));
  },
};

async function measure(args: Args, before: readonly Row[] | undefined): Promise<Result> {
  const found = await findCases(args.pattern);
  if (!found.length) throw new DomainError(`pattern: expected part of a case's name, got '${args.pattern}'`);
  const { onProgress, stop } = progress(args);
  const processes = passesFor(args.seconds);
  const chosen = args.builds?.length ? { builds: args.builds } : {};
  try {
    const { limits, timer, cases, absent } = await runCases(found, {
      ...chosen,
      ...(processes > 1 && { sampler: processSampler(caseFolder) }),
      ...(before && { undecided: undecidedAgainst(before, processes), most: 4 }),
      seconds: args.seconds,
      baselines: args.baselines === 'yes',
      onProgress: (done, total) => onProgress({ done, total, phase: 'timing' }),
    });
    for (const { name, size } of absent) remark(`${name} ${size.join('×')}: absent, this machine lacks what it needs`, args);
    return { machine: { ...machine(), limits, timer }, cases, absent };
  } finally {
    stop();
  }
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

function asText(result: Result): string {
  const parts = [rowsText(result.cases)];
  for (const row of result.cases) for (const warning of row.warnings) parts.push(`${keyOf(row)}: ${warning}`);
  if (result.growth) parts.push(growthText(result.growth));
  if (result.comparison) parts.push(comparisonText(result.comparison));
  return parts.join('\n');
}

function rowsText(rows: readonly Row[]): string {
  const names = [...new Set(rows.flatMap(({ baselines }) => Object.keys(baselines)))];
  const several = new Set(rows.map(({ build }) => build)).size > 1;
  const whole = (share: number): string => `${Math.round(100 * share)} %`;
  return table(
    ['case', 'size', ...(several ? ['build'] : []), 'median', '±', 'rate', 'of limit', ...names.map((name) => `×${name}`)],
    rows.map((row) => [
      row.name,
      row.size.join('×'),
      ...(several ? [row.build] : []),
      time(row.median),
      whole(row.spread / row.median / 2),
      row.rate === null ? '' : `${row.rate.toFixed(1)} ${row.rateUnit}`,
      row.share === null ? '' : whole(row.share),
      ...names.map((name) => {
        const found = row.baselines[name];
        return found ? (found.absent ? 'absent' : `${(found.ratio as number).toFixed(2)}`) : '';
      }),
    ]),
  );
}

function growthText(fits: readonly Growth[]): string {
  return table(
    ['case', 'build', 'n', 'time grows as', 'work grows as'],
    fits.map(({ name, build, axis, exponent, workExponent }) => [
      name,
      build,
      axis,
      `n^${exponent.toFixed(2)}`,
      workExponent === null ? '' : `n^${workExponent.toFixed(2)}`,
    ]),
  );
}

function comparisonText({ changes, added, removed }: Comparison): string {
  const of = (...verdicts: string[]): Change[] => changes.filter(({ verdict }) => verdicts.includes(verdict));
  const lines = of('slower', 'faster').map(
    (c) =>
      `${c.verdict}: ${keyOf(c)} ${c.change > 0 ? '+' : ''}${percent(c.change)} (± ${percent(c.error)}, ${c.processes.join(' and ')} processes)`,
  );
  const same = of('same');
  if (same.length) {
    const blind = same.filter(({ detectable }) => detectable > 0.105).sort((a, b) => b.detectable - a.detectable);
    const clear = same.length - blind.length;
    if (clear) lines.push(`no significant change in ${clear} rows, where a slowdown of 10 % would have been seen 19 times of 20`);
    for (const c of blind) {
      lines.push(
        `no significant change: ${keyOf(c)} (${percent(c.change)}; only slowdowns of ${percent(c.detectable)} and more are seen 19 times of 20)`,
      );
    }
  }
  for (const c of of('unknown'))
    lines.push(`cannot be told: ${keyOf(c)} was measured in ${c.processes.join(' and ')} processes; 3 are needed, --seconds 0.1 or more`);
  if (added.length) lines.push(`only in this run: ${added.join(', ')}`);
  if (removed.length) lines.push(`only in the earlier run: ${removed.join(', ')}`);
  return lines.join('\n');
}
