// afterpass sort X
import type { CommandModule } from 'yargs';
import { DomainError } from '../../src/core/errors.js';
import { writeNpy } from '../../src/core/npy.js';
import type { Tensor } from '../../src/core/tensor.js';
import * as sorting from '../../src/sorting/index.js';
import { writeCsv } from '../io/csv.js';
import { readArray } from '../io/npy.js';
import { checkOutput, writeOutput } from '../io/output.js';
import { remark, short, table, write } from '../io/print.js';
import { choice, type GlobalArgs, integer, number, numbers, text } from '../options.js';

/** Arrays of one method, the first being what `--out` writes. */
type Results = Record<string, Tensor>;

interface Args extends GlobalArgs {
  file: string;
  method: keyof typeof methods;
  out: string | undefined;
  force: boolean;
  k: number | undefined;
  q: number[] | undefined;
  direction: 'ascending' | 'descending';
  ties: 'average' | 'min' | 'max' | 'dense' | 'ordinal';
  strength: number;
  units: 'absolute' | 'range';
  regularization: 'l2' | 'kl';
  steepness: number;
  network: sorting.NetworkName;
  distribution: sorting.Distribution;
  alpha: number;
}

/** Registry keys to what the verb does with them. */
const methods = {
  sort: (x: Tensor, { direction }: Args): Results => ({ values: sorting.sort(x, { direction }) }),
  argsort: (x: Tensor, { direction }: Args): Results => ({ indices: sorting.argsort(x, { direction }) }),
  rank: (x: Tensor, { direction, ties }: Args): Results => ({ ranks: sorting.rank(x, { direction, ties }) }),
  'top-k': (x: Tensor, args: Args): Results => ({ ...sorting.topK(x, { k: wantK(args), largest: args.direction === 'descending' }) }),
  quantile: (x: Tensor, { q = [0, 0.25, 0.5, 0.75, 1] }: Args): Results => ({ values: sorting.quantile(x, { q }) }),
  'soft-sort': (x: Tensor, { direction, strength, units, regularization }: Args): Results => ({
    values: sorting.softSort(x, { direction, strength, units, regularization }).values,
  }),
  'soft-rank': (x: Tensor, { direction, strength, units, regularization }: Args): Results => ({
    ranks: sorting.softRank(x, { direction, strength, units, regularization }).values,
  }),
  'soft-top-k': (x: Tensor, args: Args): Results => ({ values: sorting.softTopK(x, { k: wantK(args), alpha: args.alpha }).values }),
  'diff-sort': (x: Tensor, { direction, steepness, network, distribution }: Args): Results => ({
    values: sorting.diffSort(x, { direction, steepness, network, distribution }).sorted,
  }),
  sparsemax: (x: Tensor): Results => ({ values: sorting.sparsemax(x).values }),
  entmax15: (x: Tensor): Results => ({ values: sorting.entmax15(x).values }),
};

/** `afterpass sort`. */
export const sort: CommandModule<GlobalArgs, Args> = {
  command: 'sort <file>',
  describe: 'Rows in order, ranks, the k best, and their soft forms',
  builder: (yargs) =>
    yargs
      .positional('file', { type: 'string', describe: 'npy or csv, npz:key, or - for stdin; rows along the last axis', demandOption: true })
      .options({
        method: choice('method', 'What to compute', Object.keys(methods) as Args['method'][], 'sort'),
        direction: choice('direction', 'Order (descending for top-k unless given)', ['ascending', 'descending']),
        k: integer('k', 'How many, for top-k and soft-top-k', { low: 1 }),
        q: numbers('q', 'Probabilities, for quantile', { low: 0, high: 1 }),
        ties: choice('ties', 'Rank of equal elements', ['average', 'min', 'max', 'dense', 'ordinal'], 'average'),
        strength: number('strength', 'Softness of soft-sort and soft-rank; 0 is hard', { low: 0, initial: 1 }),
        units: choice('units', 'Unit of the strength', ['absolute', 'range'], 'absolute'),
        regularization: choice('regularization', 'Of soft-sort and soft-rank', ['l2', 'kl'], 'l2'),
        steepness: number('steepness', 'Of diff-sort', { low: 0, high: Infinity, open: true, initial: 10 }),
        network: choice('network', 'Of diff-sort', ['odd-even', 'bitonic'], 'bitonic'),
        distribution: choice(
          'distribution',
          'Of diff-sort',
          ['logistic', 'logistic-phi', 'gaussian', 'reciprocal', 'cauchy', 'optimal'],
          'cauchy',
        ),
        alpha: number('alpha', 'Inverse temperature of soft-top-k', { low: 0, high: Infinity, open: true, initial: 2 }),
        out: text('out', 'Write the result as npy or csv'),
        force: { type: 'boolean', default: false, describe: 'Replace an existing output' },
      }) as never,
  handler: (args) => {
    if (args.out !== undefined) checkOutput(args.out, args);
    const x = rowsOf(readArray(args.file || '-')); // the parser hands a lone - over as an empty word
    const start = performance.now();
    const direction = args.direction ?? (args.method === 'top-k' ? 'descending' : 'ascending');
    const results = methods[args.method](x, { ...args, direction });
    const seconds = (performance.now() - start) / 1000;
    const [main] = Object.values(results) as [Tensor];
    const summary = { method: args.method, shape: main.shape, seconds };
    if (args.out === undefined) {
      const arrays = Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data]));
      write({ ...summary, ...arrays }, args, () => printed(results));
      return;
    }
    writeOutput(args.out, /\.csv$/i.test(args.out) ? writeCsv(main) : writeNpy(main));
    write({ ...summary, out: args.out }, args, ({ method, shape, out }) =>
      table(['method', 'shape', 'file'], [[method, shape.join(' x '), out]]),
    );
    const others = Object.keys(results).slice(1);
    if (others.length) remark(`only ${Object.keys(results)[0]} were written; --json without --out prints ${others.join(', ')} too`, args);
  },
};

/** A table of one column is one row. */
function rowsOf({ data, shape }: Tensor): Tensor {
  const vector = shape.length === 2 && shape[1] === 1;
  return { data, shape: vector || shape.length === 0 ? [data.length] : shape };
}

function wantK({ k, method }: Args): number {
  if (k === undefined) throw new DomainError(`--k: expected a number of elements for ${method}, got none`);
  return k;
}

/** One row as lines of a table; several rows as rows, cut to what a screen holds. */
function printed(results: Results): string {
  const entries = Object.entries(results);
  const [, { data: first, shape }] = entries[0] as [string, Tensor];
  const n = shape[shape.length - 1] ?? 1;
  const rows = first.length / n;
  if (rows === 1) {
    const shown = Math.min(n, 40);
    const lines = Array.from({ length: shown }, (_, i) => [i, ...entries.map(([, { data }]) => Number(data[i]))]);
    const more = n > shown ? `\n… ${n - shown} more; --out writes all of them` : '';
    return table(['place', ...entries.map(([name]) => name)], lines) + more;
  }
  const shown = Math.min(rows, 20);
  const lines = Array.from({ length: shown }, (_, row) => [row, ...entries.map(([, { data }]) => preview(data, row, n))]);
  const more = rows > shown ? `\n… ${rows - shown} more rows; --out writes all of them` : '';
  return table(['row', ...entries.map(([name]) => name)], lines) + more;
}

function preview(data: Tensor['data'], row: number, n: number): string {
  const shown = Array.from({ length: Math.min(n, 8) }, (_, i) => short(Number(data[row * n + i])));
  return shown.join(' ') + (n > 8 ? ' …' : '');
}
