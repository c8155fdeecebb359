// Two runs side by side: only changes that the scatter between processes cannot explain. The same code differs from one process to the next,
// by up to 15 % where data fill the second-level cache, and stays within 1 % inside each: so the sample is the process, not the call.

import { square } from '../core/square.js';
import type { Row } from './row.js';
import { standardDeviation, studentOf } from './statistics.js';

/** A case in both runs. `change` is the new time over the old one minus 1, both held against the machine's limit at that moment. */
export interface Change {
  readonly name: string;
  readonly size: readonly number[];
  readonly build: string;
  readonly change: number;
  /** Standard error of `change`, from the scatter between the processes of both runs. */
  readonly error: number;
  /** The least change that counts: 5 %, or what the scatter reaches by itself in one of a thousand comparisons. */
  readonly threshold: number;
  /** The slowdown that these two runs would have shown 19 times of 20. */
  readonly detectable: number;
  /** How many processes each run has of the row. */
  readonly processes: readonly [number, number];
  /** `unknown` where a run has fewer than three processes: their scatter cannot be told. */
  readonly verdict: 'slower' | 'faster' | 'same' | 'unknown';
}

export interface Comparison {
  readonly changes: readonly Change[];
  /** Rows that only one of the runs has. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** Changes below are not reported, whatever their error: what moves all processes of a run, a neighbour or a warm machine, is in no scatter. */
const least = Math.log1p(0.05);
/** Normal quantile of one in a thousand, on both sides. */
const rare = 3.29;
/** Normal quantile of 19 in 20. */
const likely = 1.645;
/** The slowdown that a comparison should be able to tell. */
const wanted = Math.log1p(0.1);

/** A row's place in both runs. */
export const keyOf = ({ name, size, build }: Pick<Row, 'name' | 'size' | 'build'>): string => `${name} ${size.join('×')} ${build}`;

/** Compares the rows of two runs of the same cases. */
export function compare(before: readonly Row[], after: readonly Row[]): Comparison {
  const old = new Map(before.map((row) => [keyOf(row), row]));
  const changes: Change[] = [];
  const added: string[] = [];
  for (const row of after) {
    const other = old.get(keyOf(row));
    if (!other) {
      added.push(keyOf(row));
      continue;
    }
    old.delete(keyOf(row));
    changes.push(changeOf(other, row));
  }
  return { changes, added, removed: [...old.keys()] };
}

/**
 * Which rows of a run need more processes before they can be called the same as before, or changed: those whose change looks like one but
 * has been seen in few processes, and those in which a slowdown of a tenth could still hide.
 */
export function undecidedAgainst(before: readonly Row[], processes: number): (row: Row) => boolean {
  const old = new Map(before.map((row) => [keyOf(row), row]));
  return (row) => {
    const other = old.get(keyOf(row));
    if (!other) return false;
    const { change, detectable, processes: counts, verdict } = changeOf(other, row);
    if (verdict === 'unknown') return false;
    const gap = Math.abs(Math.log1p(change));
    if (verdict === 'same') return Math.log1p(detectable) > wanted || gap > 0.75 * least;
    return counts[1] < 2 * processes; // an alarm is checked on as many new processes again
  };
}

function changeOf(other: Row, row: Row): Change {
  const gap = Math.log(row.relative.value / other.relative.value);
  const counts = [other.relative.centres.length, row.relative.centres.length] as const;
  const told = Math.min(...counts) >= 3;
  const error = Math.max(betweenOf(other, row), Math.hypot(insideOf(other), insideOf(row)));
  const freedom = Math.max(3, counts[0] + counts[1] - 2); // three at least, where the expansion of t still holds
  const threshold = Math.max(least, studentOf(rare, freedom) * error);
  const verdict = !told ? 'unknown' : Math.abs(gap) <= threshold ? 'same' : gap > 0 ? 'slower' : 'faster';
  return {
    name: row.name,
    size: row.size,
    build: row.build,
    change: Math.expm1(gap),
    error,
    threshold: Math.expm1(threshold),
    detectable: Math.expm1(threshold + studentOf(likely, freedom) * error),
    processes: counts,
    verdict,
  };
}

/**
 * Standard error of the difference by the scatter of all processes, each about the mean of its run. It is one for both runs: the case and the
 * machine are the same, and seven processes that happen to agree would make a row look steadier than it is.
 */
function betweenOf(one: Row, two: Row): number {
  const centres = [one.relative.centres, two.relative.centres];
  const [n, m] = centres.map(({ length }) => length) as [number, number];
  if (Math.min(n, m) < 2) return Math.hypot(one.relative.error, two.relative.error);
  const squares = centres.reduce((sum, values) => sum + (values.length - 1) * square(standardDeviation(values)), 0);
  return Math.sqrt((squares / (n + m - 2)) * (1 / n + 1 / m));
}

/** The scatter inside processes where it says more than that between them, else 0. */
function insideOf({ relative: { centres, error } }: Row): number {
  const between = centres.length > 1 ? standardDeviation(centres) / Math.sqrt(centres.length) : 0;
  return error > between ? error : 0;
}
