// afterpass embed MODEL --data D --out F.npy
import type { CommandModule } from 'yargs';
import { writeNpy } from '../../src/core/npy.js';
import { readModel } from '../../src/onnx/index.js';
import { OnnxModel } from '../../src/onnx/onnx-model.js';
import { cutAt } from '../../src/workflows/index.js';
import { writeCsv } from '../io/csv.js';
import { type DataArgs, dataOptions, readInputsOf } from '../io/data.js';
import { modelFile } from '../io/model.js';
import { checkOutput, writeOutput } from '../io/output.js';
import { table, write } from '../io/print.js';
import { type GlobalArgs, text } from '../options.js';

interface Args extends GlobalArgs, DataArgs {
  model: string;
  layer: string | undefined;
  out: string;
  force: boolean;
}

const { y: _, ...inputOptions } = dataOptions;

/** `afterpass embed`. */
export const embed: CommandModule<GlobalArgs, Args> = {
  command: 'embed <model>',
  describe: 'Features of data from inside a model',
  builder: (yargs) =>
    yargs.positional('model', { type: 'string', describe: 'ONNX file, or - for stdin', demandOption: true }).options({
      ...inputOptions,
      out: { ...text('out', 'Features as npy or csv'), demandOption: true },
      layer: text('layer', 'Node or value to take (what the last Gemm or MatMul reads)'),
      force: { type: 'boolean', default: false, describe: 'Replace an existing output' },
    }) as never,
  handler: async (args) => {
    checkOutput(args.out, args);
    const cut = cutAt(readModel(modelFile(args.model)), args.layer);
    const x = readInputsOf(args);
    const model = await OnnxModel.open(cut, { ...(args.threads !== undefined && { threads: args.threads }) });
    try {
      const features = await model.predict(x);
      writeOutput(args.out, /\.csv$/i.test(args.out) ? writeCsv(features) : writeNpy(features));
      const result = { shape: features.shape, layer: cut.graph.outputs[0]?.name, out: args.out };
      write(result, args, ({ shape, layer, out }) => table(['layer', 'shape', 'file'], [[layer, shape.join(' x '), out]]));
    } finally {
      model.dispose();
    }
  },
};
