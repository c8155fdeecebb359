// What a model that can be differentiated is: OnnxModel (ONNX Runtime) and DenseModel (WebAssembly) both are one, and every
// second-order method takes either.
import type { FloatArray, IntegerArray, Precision, Tensor, TensorLike } from './tensor.js';

/** One tensor, or a record of them for models with several inputs. */
export type Inputs = TensorLike | Readonly<Record<string, TensorLike>>;

/** Samples along the first axis. */
export interface Batch {
  readonly x: Inputs;
  /** Class indices [n], or dense targets of the logits' shape. */
  readonly y: IntegerArray | TensorLike;
  /** Weight of each sample [n]; 1 by default. A mean divides by their sum. */
  readonly weights?: FloatArray;
}

/** One batch, several, or a function that starts a new pass over them. Means are over all samples of all batches. */
export type Data = Batch | readonly Batch[] | (() => AsyncIterable<Batch>);

/** Where one parameter tensor sits in the flat vector. */
export interface ParameterSlot {
  readonly name: string;
  readonly node: string;
  readonly opType: string;
  readonly role: 'weight' | 'bias' | 'scale' | 'other';
  readonly shape: readonly number[];
  readonly offset: number;
}

/** What every long asynchronous call accepts. */
export interface LongOptions {
  readonly signal?: AbortSignal;
  /** Called after each step with the steps done and, where known, the steps in all. */
  readonly onProgress?: (progress: { readonly done: number; readonly total?: number; readonly phase?: string }) => void;
}

/**
 * A model with derivatives with respect to its flat parameter vector of length d. What reads data takes `signal`, looked at between
 * batches and between pieces of a large one, and `onProgress` last; a model of your own may leave them aside.
 */
export interface DifferentiableModel {
  /** Of every vector in and out. */
  readonly precision: Precision;
  /** d. */
  readonly parameterCount: number;
  readonly layout: readonly ParameterSlot[];
  /** The loss by its key, where the model knows it. */
  readonly lossName?: string;
  /** Labels of this value count for nothing in the loss. */
  readonly ignoreIndex?: number | undefined;
  /** A copy of the parameters [d]. */
  getParameters(): FloatArray;
  /** Replaces the parameters. A call uses the parameters at its start; calls on one model queue. */
  setParameters(w: FloatArray): void;
  /** Logits [n, k]. */
  predict(x: Inputs, options?: LongOptions): Promise<Tensor>;
  /** Mean over samples; mse: mean over samples and outputs, factor 1. */
  loss(data: Data, options?: LongOptions): Promise<number>;
  /** The loss and its gradient [d]. */
  gradient(data: Data, options?: LongOptions): Promise<{ value: number; grad: FloatArray }>;
  /** Hessian times v [d]: exact, not differences. */
  hvp(data: Data, v: FloatArray, options?: LongOptions): Promise<FloatArray>;
  /** Gauss–Newton matrix times v [d]. */
  ggnvp(data: Data, v: FloatArray, options?: LongOptions): Promise<FloatArray>;
  /** Gradient of each sample's loss [n, d]. */
  perSampleGradients(batch: Batch, options?: LongOptions & { out?: Tensor; slots?: string[] }): Promise<Tensor>;
  dispose(): void;
}

/** A symmetric linear map of vectors of length `size`, known by its products only. */
export interface LinearOperator {
  readonly size: number;
  readonly precision: Precision;
  /** Overwrites `out` with A v; it must not change `v`. */
  apply(v: FloatArray, out: FloatArray): void | Promise<void>;
}
