// afterpass finetune MODEL --data D --epochs E --out P
import type { CommandModule } from 'yargs';
import { evaluate, type FitOptions, fit, optimizerNames } from '../../src/workflows/index.js';
import { type DataArgs, dataOptions, readData } from '../io/data.js';
import { interruptible } from '../io/interrupt.js';
import { type ModelArgs, modelOptions, withModel } from '../io/model.js';
import { checkOutput } from '../io/output.js';
import { percent, progress, short, table, write } from '../io/print.js';
import { choice, type GlobalArgs, integer, number, text } from '../options.js';

interface Args extends GlobalArgs, ModelArgs, DataArgs {
  optimizer: string;
  'learning-rate': number | undefined;
  momentum: number | undefined;
  'weight-decay': number | undefined;
  window: number | undefined;
  damping: number | undefined;
  rho: number | undefined;
  epochs: number;
  'batch-size': number | undefined;
  'keep-zeros': boolean;
  out: string;
  force: boolean;
}

/** The options of the rule that were given. */
function settingsOf({ momentum, window, damping, rho, ...args }: Args): NonNullable<FitOptions['settings']> {
  const given = { momentum, weightDecay: args['weight-decay'], window, damping, rho };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** `afterpass finetune`. */
export const finetune: CommandModule<GlobalArgs, Args> = {
  command: 'finetune <model>',
  describe: 'Train the weights of a model',
  builder: (yargs) =>
    yargs.positional('model', { type: 'string', describe: 'ONNX file, or - for stdin', demandOption: true }).options({
      ...dataOptions,
      out: { ...text('out', 'Trained ONNX file'), demandOption: true },
      optimizer: choice('optimizer', 'Rule of the steps', optimizerNames, 'adam'),
      'learning-rate': number('learning-rate', 'Size of the steps (1e-3 for adam and mfac, 1e-2 for sgd and sam)', { low: 0 }),
      momentum: number('momentum', 'sgd, sam, mfac: share of the last velocity that is kept', { low: 0, high: 1 }),
      'weight-decay': number('weight-decay', 'Pull of the weights towards zero (0)', { low: 0 }),
      window: integer('window', 'mfac: gradients kept (1024)', { low: 1 }),
      damping: number('damping', 'mfac: damping of the Fisher matrix (1e-5)', { low: 0, open: true }),
      rho: number('rho', 'sam: radius (0.05)', { low: 0, open: true }),
      epochs: integer('epochs', 'Passes over the data', { low: 1, initial: 1 }),
      'batch-size': integer('batch-size', 'Samples of one step (64)', { low: 1 }),
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
            seed: args.seed,
            ...(args['batch-size'] !== undefined && { batchSize: args['batch-size'] }),
            ...(rate !== undefined && { learningRate: rate }),
            settings: settingsOf(args),
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
