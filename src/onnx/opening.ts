// How a model is opened: the file, the loss, the output and the parameters, each checked by name.
import { readBeside, readBytes } from '#files';
import { findOrt } from '#ort';
import { asRecord, checkArray, checkInteger, checkOneOf, checkPositive } from '../core/check.js';
import { GraphError } from '../core/errors.js';
import type { ParameterSlot } from '../core/model-types.js';
import { sizeOf } from '../core/tensor.js';
import { expandModel } from './compact.js';
import type { Model } from './graph.js';
import { type LossName, type LossSpec, lossNames } from './losses.js';
import { decodeModel } from './model.js';
import type { LoadedOrt, Ort } from './ort-types.js';
import { parameterSlots } from './parameters.js';
import { isHalf, widened } from './precision.js';
import type { WeightForm } from './program.js';

export interface OpenOptions {
  /** `'cross-entropy'` by default; with `ignoreIndex`, `labelSmoothing`, `classWeights` (cross-entropy), `delta` (huber) as an object. */
  readonly loss?: LossName | LossSpec;
  /** `'all'` float initializers, or names, in place of the parameters found by rule. */
  readonly wrt?: 'all' | readonly string[];
  /** How weights enter derived graphs; by the pattern of calls if left out. */
  readonly weights?: WeightForm;
  /** The output that holds the logits; the first one by default. */
  readonly output?: string;
  /** An ONNX Runtime module, where none can be found or another one is wanted. */
  readonly ort?: Ort;
  /** Threads of one operator; ONNX Runtime's own choice by default. */
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

/** An opened model's fixed parts. */
export interface Parts {
  /** As it was read: what `save` writes back. */
  readonly file: Model;
  /** As it is computed: in float32 where the file has half precision. */
  readonly model: Model;
  readonly ort: LoadedOrt;
  readonly loss: LossSpec;
  readonly output: string;
  readonly layout: readonly ParameterSlot[];
  readonly form: WeightForm | undefined;
  readonly threads: number | undefined;
}

/** Reads a model and the options it is opened with. @throws {GraphError | DomainError | RuntimeLoadError} as `OnnxModel.open` */
export async function openParts(source: string | Uint8Array | Model, options: OpenOptions): Promise<Parts> {
  const { weights, threads } = asRecord('options', options);
  if (weights !== undefined) checkOneOf('weights', weights, ['baked', 'live']);
  if (threads !== undefined) checkInteger('threads', threads, 1);
  const loss = readLoss(options.loss);
  const file = typeof source === 'object' && source !== null && 'graph' in source ? expandModel(source) : readModel(source);
  const model = isHalf(file.graph) ? widened(file) : file;
  const output = outputOf(model, options.output);
  const layout = slotsOf(model, output, options.wrt);
  const ort = options.ort ? { ort: options.ort, name: 'caller', version: undefined } : await findOrt();
  return { file, model, ort, loss, output, layout, form: weights, threads };
}

/** A model from the bytes of a file, or from a path with the external data beside it; a compact one is expanded. @throws {GraphError | DomainError} */
export function readModel(source: string | Uint8Array): Model {
  if (typeof source !== 'string') return expandModel(decodeModel(source));
  try {
    const external = (location: string, offset: number, length: number | undefined) => readBeside(source, location, offset, length);
    return expandModel(decodeModel(readBytes(source), { external }));
  } catch (error) {
    if (error instanceof GraphError) throw new GraphError(`${source}: ${error.message}`, error, { cause: error });
    throw error;
  }
}

function readLoss(loss: LossName | LossSpec = 'cross-entropy'): LossSpec {
  const spec = typeof loss === 'string' ? { name: loss } : asRecord('loss', loss, 'a name or { name }');
  checkOneOf('loss', spec.name, lossNames);
  if (spec.delta !== undefined) checkPositive('delta', spec.delta);
  return spec;
}

function outputOf({ graph }: Model, wanted: string | undefined): string {
  const names = graph.outputs.map(({ name }) => name);
  if (!names.length) throw new GraphError('model: expected an output, got none');
  if (wanted !== undefined) checkOneOf('output', wanted, names);
  return wanted ?? (names[0] as string);
}

function slotsOf(model: Model, of: string, wrt: OpenOptions['wrt']): readonly ParameterSlot[] {
  if (wrt === undefined) return parameterSlots(model, { of });
  const float = [...model.graph.initializers].filter(([, { type }]) => type.startsWith('float')).map(([name]) => name);
  if (wrt !== 'all') checkArray('wrt', wrt);
  if (wrt !== 'all') for (const name of wrt) checkOneOf('wrt', name, float);
  let offset = 0;
  return parameterSlots(model, { of, wrt: wrt === 'all' ? float : wrt })
    .filter(({ opType }) => opType !== '')
    .map((slot) => {
      const placed = { ...slot, offset };
      offset += sizeOf(slot.shape);
      return placed;
    });
}
