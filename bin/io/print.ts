// What a verb prints: one JSON object, or tables; progress with the time left on a terminal.
import { MultiBar, type SingleBar } from 'cli-progress';
import Table from 'cli-table3';
import type { LongOptions } from '../../src/core/model-types.js';
import { isTypedArray } from '../../src/core/tensor.js';
import type { GlobalArgs } from '../options.js';

/** Prints the result: the object itself with `--json`, otherwise the text made from it. */
export function write<R extends object>(result: R, { json }: Pick<GlobalArgs, 'json'>, text: (result: R) => string): void {
  process.stdout.write(`${json ? JSON.stringify(result, plain) : text(result)}\n`);
}

/** Typed arrays as lists, 64-bit integers as numbers; JSON has no NaN and writes null. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  return isTypedArray(value) ? Array.from(value as ArrayLike<number | bigint>, Number) : value;
}

/** A table with one line per row; numbers on the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number | undefined)[])[]): string {
  const numeric = head.map((_, column) => rows.some((row) => typeof row[column] === 'number'));
  const out = new Table({
    head: [...head],
    colAligns: numeric.map((n) => (n ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) out.push(row.map((cell) => (cell === undefined ? '' : typeof cell === 'number' ? short(cell) : cell)));
  return out.toString();
}

/** A number with the digits a reader wants: four significant ones, integers whole. */
export function short(value: number): string {
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e5 ? String(Number(value.toPrecision(4))) : value.toExponential(3);
}

/** A share as a percentage. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** Bytes in the unit that fits. */
export function size(bytes: number): string {
  return bytes < 1e4 ? `${bytes} B` : bytes < 1e7 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** A remark on stderr, unless `--quiet`. */
export function remark(text: string, { quiet }: Pick<GlobalArgs, 'quiet'>): void {
  if (!quiet) process.stderr.write(`${text}\n`);
}

/**
 * Progress of long work on stderr: a bar with the time left, on a terminal only, and only for work of more than a second.
 * Call `stop` when the work has ended, however it ended.
 */
export function progress({ quiet }: Pick<GlobalArgs, 'quiet'>): { onProgress: NonNullable<LongOptions['onProgress']>; stop(): void } {
  if (quiet || !process.stderr.isTTY) return { onProgress: () => {}, stop: () => {} };
  let bars: MultiBar | undefined;
  let bar: SingleBar | undefined;
  let phase = '';
  let start = Date.now();
  return {
    onProgress: ({ done, total, phase: now = 'working' }) => {
      if (now !== phase) {
        bar?.stop();
        if (bar) bars?.remove(bar);
        bar = undefined;
        phase = now;
        start = Date.now();
      }
      if (total === undefined || total <= 0) return;
      const elapsed = (Date.now() - start) / 1000;
      const left = done > 0 ? (elapsed / done) * (total - done) : 0;
      if (!bar && elapsed + left < 1) return;
      bars ??= new MultiBar({
        format: '{phase} [{bar}] {percentage} %, {left} left',
        hideCursor: true,
        clearOnComplete: true,
        stream: process.stderr,
      });
      bar ??= bars.create(total, 0);
      bar.update(done, { phase, left: left < 90 ? `${Math.ceil(left)} s` : `${Math.round(left / 60)} min` });
    },
    stop: () => bars?.stop(),
  };
}
