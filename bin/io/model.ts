// Models from the options that every verb with a model shares.
import { type LossName, lossNames, type OnnxModel, type OpenOptions } from '../../src/onnx/index.js';
import { OnnxModel as Model } from '../../src/onnx/onnx-model.js';
import { choice, type GlobalArgs, integer, number, text } from '../options.js';
import { readInput } from './npy.js';

/** The options that say what a model's output means. */
export const modelOptions = {
  loss: choice('loss', 'Loss on the output', lossNames, 'cross-entropy'),
  output: text('output', 'Output with the logits (the first one)'),
  'ignore-index': integer('ignore-index', 'Labels of this value do not count'),
  'label-smoothing': number('label-smoothing', 'Share of the target spread over all classes', { low: 0, high: 1 }),
  'huber-delta': number('huber-delta', 'Where the Huber loss turns into a line (1)', { low: 0, open: true }),
};

export interface ModelArgs {
  model: string;
  loss: LossName;
  output: string | undefined;
  'ignore-index': number | undefined;
  'label-smoothing': number | undefined;
  'huber-delta': number | undefined;
}

/** How a model is opened by these options. */
export function openOptions(args: Omit<ModelArgs, 'model'> & Pick<GlobalArgs, 'threads'>): OpenOptions {
  const { loss, output, threads } = args;
  return {
    loss: {
      name: loss,
      ...(args['ignore-index'] !== undefined && { ignoreIndex: args['ignore-index'] }),
      ...(args['label-smoothing'] !== undefined && { labelSmoothing: args['label-smoothing'] }),
      ...(args['huber-delta'] !== undefined && { delta: args['huber-delta'] }),
    },
    ...(output !== undefined && { output }),
    ...(threads !== undefined && { threads }),
  };
}

let piped: Uint8Array | undefined;

/** The file of a model, or its bytes from stdin for `-` (yargs hands over an empty word for it), which can be read once. */
export function modelFile(path: string): string | Uint8Array {
  if (path !== '' && path !== '-') return path;
  piped ??= readInput('-');
  return piped;
}

/** Opens the model, gives it to the work and releases it. */
export async function withModel<R>(args: ModelArgs & Pick<GlobalArgs, 'threads'>, work: (model: OnnxModel) => Promise<R>): Promise<R> {
  const model = await Model.open(modelFile(args.model), openOptions(args));
  try {
    return await work(model);
  } finally {
    model.dispose();
  }
}
