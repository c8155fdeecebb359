// Labelled data from the options that every verb with a model shares.
import { DomainError } from '../../src/core/errors.js';
import type { Batch, Inputs } from '../../src/core/model-types.js';
import { type IntegerArray, isIntegerArray, type Tensor } from '../../src/core/tensor.js';
import { list, text } from '../options.js';
import { keyOf, readArchive, readArray } from './npy.js';

/** The options that name data. */
export const dataOptions = {
  data: text('data', 'Labelled data: an npz file, or - for stdin'),
  x: text('x', 'Key of the inputs in the data, or a file', 'x'),
  y: text('y', 'Key of the labels or targets in the data, or a file', 'y'),
  input: list('input', 'name=key for a model with several inputs (repeat)'),
};

export interface DataArgs {
  data: string | undefined;
  x: string;
  y: string;
  input?: string[];
}

/** The inputs alone. */
export function readInputsOf(args: DataArgs): Inputs {
  return inputsOf(args, source(args));
}

/**
 * Inputs and labels.
 * @throws {DomainError} that names the file and the key it misses
 */
export function readData(args: DataArgs): Batch {
  const find = source(args);
  return { x: inputsOf(args, find), y: labelsOf(find(args.y, '--y')) };
}

function source({ data }: DataArgs): (key: string, option: string) => Tensor {
  const arrays = data === undefined ? undefined : readArchive(data);
  return (key, option) => {
    if (arrays) return keyOf(arrays, key, data as string, `; name it with ${option}`);
    if (!/\.(npy|npz(:.+)?|csv|txt)$/i.test(key) && key !== '-')
      throw new DomainError(`--data: expected an npz file (or files for --x and --y), got none`);
    return readArray(key);
  };
}

function inputsOf({ x, input = [] }: DataArgs, find: (key: string, option: string) => Tensor): Inputs {
  if (!input.length) return find(x, '--x');
  return Object.fromEntries(
    input.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new DomainError(`--input: expected name=key, got '${pair}'`);
      return [pair.slice(0, at), find(pair.slice(at + 1), '--input')];
    }),
  );
}

/** Integers are labels; so are whole numbers that came as one column of text or floats. Anything else is a target. */
function labelsOf(tensor: Tensor): IntegerArray | Tensor {
  if (isIntegerArray(tensor.data)) return tensor.data;
  const column = tensor.data.length === tensor.shape[0];
  return column && tensor.data.every((value) => Number.isInteger(value)) ? Int32Array.from(tensor.data as ArrayLike<number>) : tensor;
}
