// Two runs side by side: only changes that the scatter of both runs cannot explain.
import type { Row } from './row.js';

/** A case in both runs. `change` is the new time over the old one minus 1, both held against the machine's limit at that moment. */
export interface Change {
  readonly name: string;
  readonly size: readonly number[];
  readonly build: string;
  readonly change: number;
  /** Standard error of `change`. */
  readonly error: number;
  readonly verdict: 'slower' | 'faster' | 'same';
}

export interface Comparison {
  readonly changes: readonly Change[];
  /** Rows that only one of the runs has. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/**
 * What is called a change: more than 5.5 % (runs of the same code were up to 4 % apart, by where code and data came to lie)
 * and more than 3 standard errors; 15 % where more than a quarter of a megabyte is read (processes with the same code were up to 14 % apart
 * on a matrix of 560 kB, each of them steady within 1 %). scripts/bench-compare-trial.mjs tries it.
 */
const leastOf = ({ bound, work }: Row): number => (bound === 'memory' && (work.bytes ?? 0) > 2 ** 18 ? 0.15 : 0.055);
const errors = 3;

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
    const gap = Math.log(row.relative.value / other.relative.value);
    const error = Math.hypot(row.relative.error, other.relative.error);
    const significant = Math.abs(gap) > Math.max(Math.log1p(leastOf(row)), errors * error);
    changes.push({
      name: row.name,
      size: row.size,
      build: row.build,
      change: Math.expm1(gap),
      error,
      verdict: significant ? (gap > 0 ? 'slower' : 'faster') : 'same',
    });
  }
  return { changes, added, removed: [...old.keys()] };
}
