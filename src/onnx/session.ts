// One ONNX graph loaded in ONNX Runtime: tensors in and out, released when it is no longer wanted.
import { DomainError } from '../core/errors.js';
import { brandOf, type Tensor, type TypedArray } from '../core/tensor.js';
import type { elementTypes, Model } from './graph.js';
import { encodeModel } from './model.js';
import type { LoadedOrt, OrtSession, OrtTensor } from './ort-types.js';

const typeNames: Readonly<Record<string, string>> = {
  Float32Array: 'float32',
  Float64Array: 'float64',
  Uint8Array: 'uint8',
  Int8Array: 'int8',
  Uint16Array: 'uint16',
  Int16Array: 'int16',
  Int32Array: 'int32',
  Uint32Array: 'uint32',
  BigInt64Array: 'int64',
  BigUint64Array: 'uint64',
};

/** A tensor with the element type its graph input declares, where the typed array does not tell (bool, float16). */
export interface Feed extends Tensor {
  readonly type?: (typeof elementTypes)[number];
}

export interface SessionOptions {
  /** Threads of one operator (`intraOpNumThreads`); ONNX Runtime's own choice by default. */
  readonly threads?: number | undefined;
  /** Graph optimization level; `all` by default. */
  readonly optimization?: 'disabled' | 'basic' | 'extended' | 'all';
}

/** A graph in ONNX Runtime. */
export class Session {
  readonly #ort: LoadedOrt;
  readonly #session: OrtSession;

  private constructor(ort: LoadedOrt, session: OrtSession) {
    this.#ort = ort;
    this.#session = session;
  }

  /** Loads a graph. @throws {DomainError} when ONNX Runtime refuses it, with its words */
  static async open(ort: LoadedOrt, model: Model | Uint8Array, options: SessionOptions = {}): Promise<Session> {
    const { threads, optimization = 'all' } = options;
    const bytes = 'graph' in model ? encodeModel(model) : model;
    try {
      const session = await ort.ort.InferenceSession.create(bytes, {
        ...(threads !== undefined && { intraOpNumThreads: threads, interOpNumThreads: 1 }),
        graphOptimizationLevel: optimization,
        executionMode: 'sequential',
        // Idle threads sleep: spinning takes the processor from the work between runs, and from everybody else on a shared machine.
        extra: { session: { intra_op: { allow_spinning: '0' } } },
        logSeverityLevel: 3, // 2 would report every initializer that optimization removes
      });
      return new Session(ort, session);
    } catch (cause) {
      throw new DomainError(`model: expected a graph that ${ort.name} opens, got '${wordsOf(cause)}'`, { cause });
    }
  }

  get outputNames(): readonly string[] {
    return this.#session.outputNames;
  }

  /** Runs the graph on the inputs it has among `feeds`; outputs by name. */
  async run(feeds: Readonly<Record<string, Feed>>): Promise<Record<string, Tensor>> {
    const given: Record<string, OrtTensor> = {};
    for (const name of this.#session.inputNames) {
      const feed = feeds[name];
      if (!feed) throw new DomainError(`${name}: expected a tensor for this input, got none`);
      given[name] = new this.#ort.ort.Tensor(feed.type ?? typeNames[brandOf(feed.data)], feed.data, feed.shape);
    }
    let results: Readonly<Record<string, OrtTensor>>;
    try {
      results = await this.#session.run(given);
    } catch (cause) {
      throw new DomainError(`inputs: expected tensors that the graph runs on, got '${wordsOf(cause)}'`, { cause });
    }
    const out: Record<string, Tensor> = {};
    for (const [name, { data, dims }] of Object.entries(results)) out[name] = { data: data as TypedArray, shape: dims };
    return out;
  }

  /** Gives the memory back to ONNX Runtime. */
  async release(): Promise<void> {
    await this.#session.release?.();
  }
}

/** The first line of ONNX Runtime's message. */
function wordsOf(error: unknown): string {
  return String((error as Error)?.message ?? error).split('\n')[0] as string;
}
