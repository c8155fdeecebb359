// afterpass evaluate MODEL --data D
import type { CommandModule } from 'yargs';
import { evaluate as run } from '../../src/workflows/index.js';
import { type DataArgs, dataOptions, readData } from '../io/data.js';
import { interruptible } from '../io/interrupt.js';
import { type ModelArgs, modelOptions, withModel } from '../io/model.js';
import { percent, progress, short, table, write } from '../io/print.js';
import type { GlobalArgs } from '../options.js';

type Args = GlobalArgs & ModelArgs & DataArgs;

/** `afterpass evaluate`. */
export const evaluate: CommandModule<GlobalArgs, Args> = {
  command: 'evaluate <model>',
  describe: 'Loss and accuracy of a model on labelled data',
  builder: (yargs) =>
    yargs
      .positional('model', { type: 'string', describe: 'ONNX file, or - for stdin', demandOption: true })
      .options({ ...dataOptions, ...modelOptions }) as never,
  handler: (args) =>
    interruptible(async (signal) => {
      const bar = progress(args);
      try {
        const data = readData(args);
        const result = await withModel(args, (model) => run(model, data, { signal, onProgress: bar.onProgress }));
        write(result, args, ({ examples, loss, accuracy }) =>
          table(['examples', 'loss', 'accuracy'], [[examples, short(loss), accuracy === null ? 'no labels' : percent(accuracy)]]),
        );
      } finally {
        bar.stop();
      }
    }),
};
