// afterpass quantize MODEL --data D --out Q.onnx
import { statSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { CommandModule } from 'yargs';
import { compactModel } from '../../src/onnx/compact.js';
import { encodeModel } from '../../src/onnx/model.js';
import { type QuantizeModelOptions, type QuantizeModelResult, quantizeModel } from '../../src/workflows/index.js';
import { type DataArgs, dataOptions, readData } from '../io/data.js';
import { interruptible } from '../io/interrupt.js';
import { type ModelArgs, modelFile, modelOptions, withModel } from '../io/model.js';
import { checkOutput, writeOutput } from '../io/output.js';
import { percent, progress, short, size, table, write } from '../io/print.js';
import { choice, type GlobalArgs, integer, list, number, text } from '../options.js';

interface Args extends GlobalArgs, ModelArgs, DataArgs {
  method: NonNullable<QuantizeModelOptions['rounding']>;
  weights: NonNullable<QuantizeModelOptions['weightType']>;
  asymmetric: boolean;
  'per-tensor': boolean;
  bits: number | undefined;
  budget: number | undefined;
  activations: NonNullable<QuantizeModelOptions['activations']>;
  'symmetric-activations': boolean;
  calibration: NonNullable<QuantizeModelOptions['calibration']>;
  percentile: number;
  samples: number;
  include?: string[];
  exclude?: string[];
  out: string;
  compact: boolean;
  force: boolean;
}

type Run = Omit<QuantizeModelResult, 'model'> & { method: string; originalBytes: number; bytes: number; gzipBytes: number; out: string };

/** `afterpass quantize`. */
export const quantize: CommandModule<GlobalArgs, Args> = {
  command: 'quantize <model>',
  describe: 'Write a model in 8-bit integers (QDQ)',
  builder: (yargs) =>
    yargs
      .positional('model', { type: 'string', describe: 'ONNX file, or - for stdin', demandOption: true })
      .options({
        ...dataOptions,
        out: { ...text('out', 'Quantised ONNX file'), demandOption: true },
        method: choice('method', 'How weights are rounded', ['minmax', 'mse', 'discrete'], 'mse'),
        weights: choice('weights', 'Integers that hold weights', ['int8', 'uint8'], 'int8'),
        asymmetric: { type: 'boolean', default: false, describe: 'Weights with a zero point, not around zero' },
        'per-tensor': { type: 'boolean', default: false, describe: 'One scale per tensor, not one per output channel' },
        bits: integer('bits', 'Bits of every weight, in bytes (8)', { low: 2, high: 8 }),
        budget: number('budget', 'Most bits per weight on average; widths per layer are searched for', { low: 2, high: 8 }),
        activations: choice('activations', 'Integers for activations', ['uint8', 'int8', 'none'], 'uint8'),
        'symmetric-activations': { type: 'boolean', default: false, describe: 'Activations around zero, without a zero point' },
        calibration: choice('calibration', 'Ranges of activations', ['minmax', 'percentile', 'mse'], 'minmax'),
        percentile: number('percentile', 'percentile: share of an activation inside its range', { low: 50, high: 100, initial: 99.99 }),
        samples: integer('samples', 'Calibration samples', { low: 1, initial: 256 }),
        include: list('include', 'Globs on names, nodes or operators: weights to quantise (repeat)'),
        exclude: list('exclude', 'Globs on names, nodes or operators to leave as floats (repeat)'),
        compact: { type: 'boolean', default: false, describe: 'Store zeros as one bit each: smaller files from pruned models' },
        force: { type: 'boolean', default: false, describe: 'Replace an existing output' },
        ...modelOptions,
      })
      .example('$0 quantize model.onnx --data d.npz --calibration percentile --out q.onnx', '') as never,
  handler: (args) =>
    interruptible(async (signal) => {
      checkOutput(args.out, args);
      const data = readData(args);
      const bar = progress(args);
      try {
        const { model, ...result } = await withModel(args, (opened) => {
          if (args.compact) compactModel(opened.toModel()); // refuses what it cannot write before the work
          return quantizeModel(opened, data, { ...optionsOf(args), signal, onProgress: bar.onProgress });
        });
        bar.stop();
        const bytes = encodeModel(args.compact ? compactModel(model).model : model);
        writeOutput(args.out, bytes);
        const file = modelFile(args.model);
        const run = {
          ...result,
          method: args.method,
          originalBytes: typeof file === 'string' ? statSync(file).size : file.length,
          bytes: bytes.length,
          gzipBytes: gzipSync(bytes, { level: 9 }).length,
          out: args.out,
        };
        write(run, args, (r) => `${layers(r)}\n${summary(r)}`);
      } finally {
        bar.stop();
      }
    }),
};

function optionsOf(args: Args): QuantizeModelOptions {
  const {
    method,
    weights,
    asymmetric,
    bits,
    budget,
    activations,
    calibration,
    percentile,
    samples,
    include = [],
    exclude = [],
    seed,
  } = args;
  return {
    rounding: method,
    weightType: weights,
    weightSymmetric: !asymmetric,
    perChannel: !args['per-tensor'],
    ...(bits !== undefined && { bits }),
    ...(budget !== undefined && { budget }),
    activations,
    activationSymmetric: args['symmetric-activations'],
    calibration,
    percentile,
    samples,
    include,
    exclude,
    seed,
  };
}

function layers({ perLayer }: Run): string {
  return table(
    ['layer', 'operator', 'weights', 'bits', 'rms error'],
    perLayer.map(({ name, opType, parameters, bits, error }) => [name, opType, parameters, bits, short(Math.sqrt(error))]),
  );
}

function summary({ before, after, originalBytes, bytes, gzipBytes, meanBits, out }: Run): string {
  const accuracy = (value: number | null): string => (value === null ? 'no labels' : percent(value));
  return table(
    ['', 'bits', 'loss', 'accuracy', 'bytes', 'gzip', 'file'],
    [
      ['floats', 32, short(before.loss), accuracy(before.accuracy), size(originalBytes), '', ''],
      ['integers', meanBits, short(after.loss), accuracy(after.accuracy), size(bytes), size(gzipBytes), out],
    ],
  );
}
