// The tables and remarks that `bench` prints.
import { type Change, type Comparison, keyOf } from '../../src/bench/compare.js';
import type { Growth } from '../../src/bench/growth.js';
import { time } from '../../src/bench/report.js';
import type { Row } from '../../src/bench/row.js';
import { percent, table } from './print.js';

/** What a run gave, as far as it is printed. */
export interface Printed {
  readonly cases: readonly Row[];
  readonly growth?: readonly Growth[];
  readonly comparison?: Comparison;
}

/** The whole text. */
export function asText(result: Printed): string {
  const parts = [rowsText(result.cases)];
  if (result.cases.some(({ relative }) => relative.centres.length > 2)) parts.push(legend);
  for (const row of result.cases) for (const warning of row.warnings) parts.push(`${keyOf(row)}: ${warning}`);
  if (result.growth) parts.push(growthText(result.growth));
  if (result.comparison) parts.push(comparisonText(result.comparison));
  return parts.join('\n');
}

const legend = `±: the median of another run lies so near 19 times of 20, by the scatter between processes and that of the machine's pace
IQR: the middle half of all samples; ×name: the time of that way over ours`;

function rowsText(rows: readonly Row[]): string {
  const names = [...new Set(rows.flatMap(({ baselines }) => Object.keys(baselines)))];
  const several = new Set(rows.map(({ build }) => build)).size > 1;
  const whole = (share: number): string => `${Math.round(100 * share)} %`;
  const fine = (share: number): string => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
  return table(
    ['case', 'size', ...(several ? ['build'] : []), 'median', '±', 'IQR', 'rate', 'of limit', ...names.map((name) => `×${name}`)],
    rows.map((row) => [
      row.name,
      row.size.join('×'),
      ...(several ? [row.build] : []),
      time(row.median),
      row.relative.centres.length > 2 ? fine(row.spread / row.median / 2) : '',
      fine((row.quartiles[1] - row.quartiles[0]) / row.median),
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
