// afterpass finetune MODEL --data D --epochs E --out P
import type { CommandModule } from 'yargs';
import { evaluate, fit, optimizerNames } from '../../src/workflows/index.js';
import { type DataArgs, dataOptions, readData } from '../io/data.js';
import { interruptible } from '../io/interrupt.js';
import { type ModelArgs, modelOptions, withModel } from '../io/model.js';
import { checkOutput } from '../io/output.js';
import { percent, progress, short, table, write } from '../io/print.js';
import { choice, type GlobalArgs, integer, number, text } from '../options.js';

interface Args extends GlobalArgs, ModelArgs, DataArgs {
  optimizer: (typeof optimizerNames)[number];
  'learning-rate': number | undefined;
  epochs: number;
  'batch-size': number;
  'keep-zeros': boolean;
  out: string;
  force: boolean;
}

/** `afterpass finetune`. */
export const finetune: CommandModule<GlobalArgs, Args> = {
  command: 'finetune <model>',
  describe: 'Train the weights of a model',
  builder: (yargs) =>
    yargs.positional('model', { type: 'string', describe: 'ONNX file', demandOption: true }).options({
      ...dataOptions,
      out: { ...text('out', 'Trained ONNX file'), demandOption: true },
      optimizer: choice('optimizer', 'Rule of the steps', optimizerNames, 'adam'),
      'learning-rate': number('learning-rate', 'Size of the steps (1e-3 for adam, 1e-2 for sgd)', { low: 0 }),
      epochs: integer('epochs', 'Passes over the data', { low: 1, initial: 1 }),
      'batch-size': integer('batch-size', 'Samples of one step', { low: 1, initial: 64 }),
      'keep-zeros': { type: 'boolean', default: false, describe: 'Weights that are zero stay zero: for pruned models' },
      force: { type: 'boolean', default: false, describe: 'Replace an existing output' },
      ...modelOptions,
    }) as never,
  handler: (args) =>
    interruptible(async (signal) => {
      checkOutput(args.out, args);
      const data = readData(args);
      const bar = progress(args);
      try {
        const result = await withModel(args, async (model) => {
          const before = await evaluate(model, data, { signal });
          const rate = args['learning-rate'];
          const mask = Uint8Array.from(model.getParameters(), (w) => (w === 0 ? 0 : 1));
          const { history, steps, seconds } = await fit(model, data, {
            optimizer: args.optimizer,
            epochs: args.epochs,
            batchSize: args['batch-size'],
            seed: args.seed,
            ...(rate !== undefined && { learningRate: rate }),
            ...(args['keep-zeros'] && { mask }),
            signal,
            onProgress: bar.onProgress,
          });
          const after = await evaluate(model, data, { signal });
          await model.save(args.out);
          return { history, steps, before, after, out: args.out, seconds };
        });
        bar.stop();
        write(result, args, ({ history, before, after, out }) =>
          [
            table(
              ['epoch', 'loss'],
              history.map(({ epoch, loss }) => [epoch, short(loss)]),
            ),
            table(
              ['', 'loss', 'accuracy'],
              [['before', before] as const, ['after', after] as const].map(([name, { loss, accuracy }]) => [
                name,
                short(loss),
                accuracy === null ? 'no labels' : percent(accuracy),
              ]),
            ),
            out,
          ].join('\n'),
        );
      } finally {
        bar.stop();
      }
    }),
};
