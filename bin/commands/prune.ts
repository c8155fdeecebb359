// afterpass prune MODEL --data D --sparsity S --out P
import { gzipSync } from 'node:zlib';
import type { CommandModule } from 'yargs';
import type { OnnxModel } from '../../src/onnx/index.js';
import { type PruneModelOptions, type PruneModelResult, pruneMethods, pruneModel } from '../../src/workflows/index.js';
import { type DataArgs, dataOptions, readData } from '../io/data.js';
import { interruptible } from '../io/interrupt.js';
import { type ModelArgs, modelOptions, withModel } from '../io/model.js';
import { checkOutput, writeOutput } from '../io/output.js';
import { poolFor } from '../io/pool.js';
import { percent, progress, short, size, table, write } from '../io/print.js';
import { choice, type GlobalArgs, integer, list, number, numbers, text } from '../options.js';

interface Args extends GlobalArgs, ModelArgs, DataArgs {
  sparsity: number[];
  method: PruneModelOptions['method'] & string;
  update: NonNullable<PruneModelOptions['update']>;
  steps: number;
  gradients: number;
  damping: number;
  'block-size': number | undefined;
  include?: string[];
  exclude?: string[];
  out: string;
  compress: boolean;
  force: boolean;
}

type Run = Omit<PruneModelResult, 'mask'> & { method: string; bytes: number; gzipBytes: number; out: string };

/** `afterpass prune`. */
export const prune: CommandModule<GlobalArgs, Args> = {
  command: 'prune <model>',
  describe: 'Remove weights without retraining',
  builder: (yargs) =>
    yargs
      .positional('model', { type: 'string', describe: 'ONNX file', demandOption: true })
      .options({
        ...dataOptions,
        sparsity: {
          ...numbers('sparsity', 'Share of the weights to remove, 0 to 1; several by commas make several files', { low: 0, high: 1 }),
          demandOption: true,
        },
        out: { ...text('out', 'Pruned ONNX file'), demandOption: true },
        method: choice('method', 'How weights are chosen', pruneMethods, 'mfac'),
        update: choice('update', 'mfac: how the kept weights move', ['joint', 'independent', 'greedy'], 'joint'),
        steps: integer('steps', 'mfac: rounds, each with a new Fisher matrix of the survivors', { low: 1, initial: 10 }),
        gradients: integer('gradients', 'mfac: single-sample gradients of one Fisher matrix', { low: 1, initial: 512 }),
        damping: number('damping', 'mfac: added to the diagonal of the Fisher matrix', { low: 0, open: true, initial: 1e-6 }),
        'block-size': integer('block-size', 'mfac: weights of one block of the Fisher matrix (all in one)', { low: 1 }),
        include: list('include', 'Globs on names, nodes or operators in place of Conv, Gemm and MatMul (repeat)'),
        exclude: list('exclude', 'Globs on names, nodes or operators to leave alone (repeat)'),
        compress: { type: 'boolean', default: false, describe: 'Store weights that are mostly zero sparsely (sparse_initializer)' },
        force: { type: 'boolean', default: false, describe: 'Replace an existing output' },
        ...modelOptions,
      })
      .example('$0 prune model.onnx --data d.npz --sparsity 0.9 --steps 10 --out p.onnx', '') as never,
  handler: (args) =>
    interruptible(async (signal) => {
      const places = args.sparsity.map((share) => (args.sparsity.length > 1 ? placeFor(args.out, share) : args.out));
      for (const place of places) checkOutput(place, args);
      const data = readData(args);
      const bar = progress(args);
      const pool = await poolFor(args, signal);
      try {
        const runs = await withModel(args, async (model) => {
          const dense = model.getParameters();
          const done: Run[] = [];
          for (const [i, sparsity] of args.sparsity.entries()) {
            model.setParameters(dense);
            const { mask: _, ...result } = await pruneModel(model, data, {
              ...optionsOf(args),
              pool,
              sparsity,
              signal,
              onProgress: bar.onProgress,
            });
            done.push(await saved(model, { ...result, method: args.method, out: places[i] as string }, args.compress));
          }
          return done;
        });
        bar.stop();
        if (runs.length === 1) write(runs[0] as Run, args, (run) => `${layers(run)}\n${summary([run])}`);
        else write({ runs }, args, ({ runs }) => summary(runs));
      } finally {
        pool?.close();
        bar.stop();
      }
    }),
};

function optionsOf(args: Args): Omit<PruneModelOptions, 'sparsity'> {
  const { method, update, steps, gradients, damping, include = [], exclude = [], seed } = args;
  const blockSize = args['block-size'];
  return { method, update, steps, gradients, damping, include, exclude, seed, ...(blockSize !== undefined && { blockSize }) };
}

async function saved(model: OnnxModel, run: Omit<Run, 'bytes' | 'gzipBytes'>, sparse: boolean): Promise<Run> {
  const bytes = await model.save(undefined, { sparse });
  writeOutput(run.out, bytes);
  return { ...run, bytes: bytes.length, gzipBytes: gzipSync(bytes, { level: 9 }).length };
}

/** `p.onnx` and 0.8 make `p-0.8.onnx`. */
function placeFor(out: string, sparsity: number): string {
  return /\.onnx$/i.test(out) ? out.replace(/(\.onnx)$/i, `-${sparsity}$1`) : `${out}-${sparsity}`;
}

function layers({ perLayer }: Run): string {
  return table(
    ['layer', 'operator', 'weights', 'removed', 'sparsity'],
    perLayer.map(({ name, opType, parameters, pruned, sparsity }) => [name, opType, parameters, pruned, percent(sparsity)]),
  );
}

function summary(runs: readonly Run[]): string {
  const accuracy = (value: number | null): string => (value === null ? 'no labels' : percent(value));
  const [{ before }] = runs as [Run];
  return table(
    ['', 'sparsity', 'loss', 'accuracy', 'bytes', 'gzip', 'file'],
    [
      ['dense', '', short(before.loss), accuracy(before.accuracy), '', '', ''],
      ...runs.map(({ method, sparsity, after, bytes, gzipBytes, out }) => [
        method,
        percent(sparsity),
        short(after.loss),
        accuracy(after.accuracy),
        size(bytes),
        size(gzipBytes),
        out,
      ]),
    ],
  );
}
