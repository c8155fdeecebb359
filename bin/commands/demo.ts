// afterpass demo: the README's table from nothing.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { findOrt } from '../../src/onnx/ort.node.js';
import { brokenPromise, type DemoRow, runDemo } from '../demo/run.js';
import { UnreachedError } from '../io/failure.js';
import { interruptible } from '../io/interrupt.js';
import { checkOutput, writeOutput } from '../io/output.js';
import { percent, progress, remark, short, size, table, write } from '../io/print.js';
import { type GlobalArgs, text } from '../options.js';

interface Args extends GlobalArgs {
  out: string;
  force: boolean;
}

const names = ['dense.onnx', 'magnitude.onnx', 'mfac.onnx', 'digits.npz'];

/** `afterpass demo`. */
export const demo: CommandModule<GlobalArgs, Args> = {
  command: 'demo',
  describe: 'Draw digits, train a network on them, prune it to 90 % in two ways, compare',
  builder: (yargs) =>
    yargs.options({
      out: text('out', 'Folder for the models and the data', 'afterpass-demo'),
      force: { type: 'boolean', default: false, describe: 'Replace existing files' },
    }) as never,
  handler: (args) =>
    interruptible(async (signal) => {
      await findOrt(); // before anything is announced or written
      mkdirSync(args.out, { recursive: true });
      for (const name of names) checkOutput(join(args.out, name), args);
      remark('drawing 4000 digits, training a network on 3000 of them, pruning it to 90 % ...', args);
      const bar = progress(args);
      try {
        const { files: contents, ...result } = await runDemo({
          seed: args.seed,
          threads: args.threads,
          signal,
          onProgress: bar.onProgress,
        });
        bar.stop();
        const broken = brokenPromise({ ...result, files: contents });
        const files = Object.entries(contents).map(([name, bytes]) => {
          writeOutput(join(args.out, name), bytes);
          return join(args.out, name);
        });
        write({ ...result, files }, args, () =>
          [
            table(
              ['model', 'zero weights', 'accuracy', 'loss', 'size', 'size, gzip'],
              [row('dense', result.dense), row('magnitude', result.magnitude), row('M-FAC', result.mfac)],
            ),
            `Accuracy and loss on 1000 digits set aside; ${result.parameters} parameters; ${result.seconds.toFixed(0)} s in all.`,
            `Files: ${files.join(' ')}`,
          ].join('\n'),
        );
        if (broken) throw new UnreachedError(broken);
      } finally {
        bar.stop();
      }
    }),
};

function row(name: string, { sparsity, accuracy, loss, bytes, gzipBytes }: DemoRow): string[] {
  return [name, percent(sparsity), percent(accuracy ?? 0), short(loss), size(bytes), size(gzipBytes)];
}
