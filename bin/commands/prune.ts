// afterpass prune MODEL --data D --sparsity S --out P
import { gzipSync } from 'node:zlib';
import type { CommandModule } from 'yargs';
import { DomainError } from '../../src/core/errors.js';
import { compactModel } from '../../src/onnx/compact.js';
import type { Model } from '../../src/onnx/graph.js';
import { encodeModel } from '../../src/onnx/model.js';
import { type PruneModelOptions, type PruneModelResult, pruneChannels, pruneMethods, pruneModel } from '../../src/workflows/index.js';
import { type DataArgs, dataOptions, readData } from '../io/data.js';
import { interruptible } from '../io/interrupt.js';
import { type ModelArgs, modelOptions, withModel } from '../io/model.js';
import { checkOutput, writeOutput } from '../io/output.js';
import { poolFor } from '../io/pool.js';
import { percent, progress, short, size, table, write } from '../io/print.js';
import { choice, type GlobalArgs, integer, list, number, numbers, text } from '../options.js';

interface Args extends GlobalArgs, ModelArgs, DataArgs {
  sparsity: number[] | undefined;
  speedup: number | undefined;
  'batch-size': number;
  pattern: string | undefined;
  method: NonNullable<PruneModelOptions['method']> | 'channel';
  update: NonNullable<PruneModelOptions['update']>;
  steps: number;
  gradients: number;
  damping: number;
  'block-size': number | undefined;
  'min-per-layer': number;
  samples: number;
  include?: string[];
  exclude?: string[];
  out: string;
  compress: boolean;
  compact: boolean;
  force: boolean;
}

type Run = Omit<PruneModelResult, 'mask' | 'perLayer'> & {
  perLayer: readonly PruneModelResult['perLayer'][number][];
  method: string;
  speedup?: number;
  bytes: number;
  gzipBytes: number;
  out: string;
};

/** `afterpass prune`. */
export const prune: CommandModule<GlobalArgs, Args> = {
  command: 'prune <model>',
  describe: 'Remove weights without retraining',
  builder: (yargs) =>
    yargs
      .positional('model', { type: 'string', describe: 'ONNX file, or - for stdin', demandOption: true })
      .options({
        ...dataOptions,
        sparsity: numbers('sparsity', 'Share of the weights (of the channels) to remove, 0 to 1; several by commas make several files', {
          low: 0,
          high: 1,
        }),
        pattern: text('pattern', 'n:m in place of a sparsity: n of every m neighbours stay, such as 2:4'),
        speedup: number(
          'speedup',
          'channel: times as fast as before; layers are timed here, and slow channels go where they matter least',
          {
            low: 1,
            high: 1000,
          },
        ),
        'batch-size': integer('batch-size', 'speedup: samples in the batch that is timed', { low: 1, initial: 64 }),
        out: { ...text('out', 'Pruned ONNX file'), demandOption: true },
        method: choice('method', 'How weights are chosen', [...pruneMethods, 'channel'], 'mfac'),
        update: choice('update', 'mfac, block4: how the kept weights move', ['joint', 'independent', 'greedy'], 'joint'),
        steps: integer('steps', 'mfac, block4: rounds, each with a new Fisher matrix of the survivors', { low: 1, initial: 10 }),
        gradients: integer('gradients', 'mfac, block4: single-sample gradients of one Fisher matrix', { low: 1, initial: 512 }),
        damping: number('damping', 'mfac, block4: added to the diagonal of the Fisher matrix', { low: 0, open: true, initial: 1e-6 }),
        'block-size': integer('block-size', 'mfac, block4: weights of one block of the Fisher matrix (all in one)', { low: 1 }),
        'min-per-layer': number('min-per-layer', 'magnitude: weights to keep in every tensor, a share below 1 or a number', {
          low: 0,
          initial: 0,
        }),
        samples: integer('samples', 'obc, sparsegpt, wanda, ecoflap, channel: calibration samples', { low: 1, initial: 256 }),
        include: list('include', 'Globs on names, nodes or operators in place of Conv, Gemm and MatMul (repeat)'),
        exclude: list('exclude', 'Globs on names, nodes or operators to leave alone (repeat)'),
        compress: { type: 'boolean', default: false, describe: 'Store weights that are mostly zero sparsely (sparse_initializer)' },
        compact: { type: 'boolean', default: false, describe: 'Store zeros as one bit each: a smaller file, the same speed and results' },
        force: { type: 'boolean', default: false, describe: 'Replace an existing output' },
        ...modelOptions,
      })
      .example('$0 prune model.onnx --data d.npz --sparsity 0.9 --steps 10 --out p.onnx', '') as never,
  handler: (args) =>
    interruptible(async (signal) => {
      const targets = targetsOf(args);
      const places = targets.map(({ sparsity = 0 }) => (targets.length > 1 ? placeFor(args.out, sparsity) : args.out));
      for (const place of places) checkOutput(place, args);
      const data = readData(args);
      const bar = progress(args);
      const pool = await poolFor(args, signal);
      try {
        const runs = await withModel(args, async (model) => {
          if (args.compact) compactModel(model.toModel()); // refuses what it cannot write before the work
          const dense = model.getParameters();
          const done: Run[] = [];
          for (const [i, target] of targets.entries()) {
            if (i > 0) model.setParameters(dense);
            const out = places[i] as string;
            const how = { ...target, signal, onProgress: bar.onProgress };
            if (args.method === 'channel') {
              const { sparsity = 0 } = target;
              const { samples, seed } = args;
              const { model: smaller, ...result } = await pruneChannels(model, data, {
                ...how,
                sparsity,
                samples,
                seed,
                batchSize: args['batch-size'],
                ...(args.speedup !== undefined && { speedup: args.speedup }),
              });
              done.push(written(encodeModel(packed(smaller, args)), { ...result, method: args.method, out }));
              continue;
            }
            const { mask: _, ...result } = await pruneModel(model, data, { ...optionsOf(args), pool, method: args.method, ...how });
            const file = packed(model.toModel({ sparse: args.compress }), args);
            done.push(written(encodeModel(file), { ...result, method: args.method, out }));
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

/** One file for every sparsity, or one for the pattern. */
function targetsOf({
  sparsity,
  speedup,
  pattern,
  method,
  include,
  exclude,
  compress,
  compact,
}: Args): Pick<PruneModelOptions, 'sparsity' | 'pattern'>[] {
  if (speedup !== undefined && method !== 'channel') throw new DomainError(`--speedup: expected method channel, got ${method}`);
  if (speedup !== undefined && sparsity === undefined && pattern === undefined) return [{ sparsity: 0 }];
  if ((sparsity === undefined) === (pattern === undefined))
    throw new DomainError(`--sparsity: expected either a sparsity or a pattern, got ${pattern ? 'both' : 'none'}`);
  if (compress && compact) throw new DomainError('--compact: expected either --compress or --compact, got both');
  if (method === 'channel' && (include ?? exclude))
    throw new DomainError(
      '--include: expected no choice of weights with method channel, got one; every group of channels loses the same share',
    );
  if (sparsity) return sparsity.map((share) => ({ sparsity: share }));
  const [, n, m] = /^(\d+):(\d+)$/.exec(pattern as string) ?? [];
  if (!n || !m || Number(n) > Number(m) || Number(n) < 1)
    throw new DomainError(`--pattern: expected n:m with 1 <= n <= m, such as 2:4, got '${pattern}'`);
  if (method === 'channel') throw new DomainError('--pattern: expected a method that prunes weights, got channel');
  return [{ pattern: { n: Number(n), m: Number(m) } }];
}

function optionsOf(args: Args): PruneModelOptions {
  const { update, steps, gradients, damping, samples, include = [], exclude = [], seed } = args;
  const blockSize = args['block-size'];
  return {
    update,
    steps,
    gradients,
    damping,
    minimumPerLayer: args['min-per-layer'],
    samples,
    include,
    exclude,
    seed,
    ...(blockSize !== undefined && { blockSize }),
  };
}

function packed(model: Model, { compact }: Args): Model {
  return compact ? compactModel(model).model : model;
}

function written(bytes: Uint8Array, run: Omit<Run, 'bytes' | 'gzipBytes'>): Run {
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
  const [{ before, speedup: timed }] = runs as [Run];
  const speed = (text: string): string[] => (timed === undefined ? [] : [text]);
  return table(
    ['', 'sparsity', 'loss', 'accuracy', ...speed('speed'), 'bytes', 'gzip', 'file'],
    [
      ['dense', '', short(before.loss), accuracy(before.accuracy), ...speed(''), '', '', ''],
      ...runs.map(({ method, sparsity, after, speedup, bytes, gzipBytes, out }) => [
        method,
        percent(sparsity),
        short(after.loss),
        accuracy(after.accuracy),
        ...speed(`${speedup?.toFixed(2)}x`),
        size(bytes),
        size(gzipBytes),
        out,
      ]),
    ],
  );
}
