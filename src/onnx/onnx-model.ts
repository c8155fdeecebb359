// An ONNX model with derivatives: its graph, and the graphs derived from it, on ONNX Runtime.
import { writeWhole } from '#files';
import { checkAborted } from '../core/batches.js';
import { asRecord, checkFinite } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { Batch, Data, DifferentiableModel, Inputs, LongOptions, ParameterSlot } from '../core/model-types.js';
import { readLong, watched } from '../core/stepper.js';
import { asTensor, describe, type FloatArray, floats, isFloatArray, type Precision, type Tensor, type TensorLike } from '../core/tensor.js';
import { activationsOf, gradientOver, inputGradientOver, joined, lossOver, productOver, transposedOver } from './calls.js';
import { cutData } from './feeds.js';
import { checkDecoded, type Graph, type Model, type ValueInfo } from './graph.js';
import type { LossName } from './losses.js';
import { encodeModel } from './model.js';
import { type OpenOptions, openParts, type Parts } from './opening.js';
import { Runs } from './runs.js';
import { sampleGradients } from './sample-gradients.js';
import { Snapshot } from './snapshot.js';
import { checkVector, lengthOf, tangentsOf, withParameters } from './vectors.js';

export type { OpenOptions } from './opening.js';

/** Labels of a batch that needs none. */
const none = new Int32Array(0);

/**
 * A model from an ONNX file, as a function of its parameters. Data runs through it in pieces of at most 512 samples, each a step of `signal`
 * and `onProgress`; what a call is given must not change before the call ends.
 */
export class OnnxModel implements DifferentiableModel {
  readonly precision: Precision;
  readonly parameterCount: number;
  readonly layout: readonly ParameterSlot[];
  /** The model's metadata; `save` writes it. */
  readonly metadata: Map<string, string>;
  readonly #parts: Parts;
  readonly #options: OpenOptions;
  readonly #runs: Runs;
  #parameters: Snapshot;

  private constructor(parts: Parts, options: OpenOptions) {
    const { layout, model, file } = asRecord('OnnxModel', parts, 'await OnnxModel.open(source, options)');
    checkDecoded('OnnxModel', model);
    this.#parts = parts;
    this.#options = options;
    this.layout = layout;
    const first = layout[0] && model.graph.initializers.get(layout[0].name);
    this.precision = first?.type === 'float64' ? 'float64' : 'float32';
    this.#runs = new Runs(parts, this.precision);
    this.parameterCount = lengthOf(layout);
    this.metadata = new Map(file.metadata);
    this.#parameters = Snapshot.ofFile(parts, floats(this.precision, this.parameterCount));
  }

  /**
   * Opens an ONNX model.
   *
   * @param source a path (where the runtime has files), the bytes of a file, or a decoded model
   * @throws {GraphError | DomainError} when it is not a model, or an option names what it does not have; {RuntimeLoadError} without an ONNX
   * Runtime; {AbortError} by `signal`, before the file is read or after
   */
  static async open(source: string | Uint8Array | Model, options: OpenOptions = {}): Promise<OnnxModel> {
    const { signal, ...rest } = readLong(options);
    checkAborted(signal);
    const parts = await openParts(source, rest);
    checkAborted(signal);
    return new OnnxModel(parts, rest);
  }

  /** Another model, such as a smaller copy of this one, opened with the same loss, output, threads and ONNX Runtime. */
  async reopen(model: Model, options: Pick<OpenOptions, 'signal'> = {}): Promise<OnnxModel> {
    const { signal } = readLong(options);
    const { wrt: _, ...own } = this.#options;
    return OnnxModel.open(model, { ...own, ...(signal && { signal }) });
  }

  /** The loss on the output. */
  get lossName(): LossName {
    return this.#parts.loss.name;
  }

  /** The label that counts for nothing in the loss, if it was opened with one. */
  get ignoreIndex(): number | undefined {
    return this.#parts.loss.ignoreIndex;
  }

  /** Inputs to feed, with their types and symbolic shapes. */
  get inputs(): readonly ValueInfo[] {
    return this.#runs.inputs;
  }

  /**
   * True once one of this double-precision model's graphs had to run on the reference evaluator, slower by far, because ONNX Runtime has
   * no double kernel for an operator in it (Conv, Erf, most activations). Single-precision models never do.
   */
  get usesReference(): boolean {
    return this.#runs.usesReference;
  }

  /** A copy of the parameters [d]. */
  getParameters(): FloatArray {
    return this.#parameters.values.slice();
  }

  /** Replaces the parameters. @throws {ShapeError | DomainError} unless `w` holds d finite numbers */
  setParameters(w: FloatArray): void {
    checkVector('w', w, this.parameterCount);
    const values = floats(this.precision, w.length);
    values.set(w);
    this.#parameters = new Snapshot(this.#parameters.version + 1, values, this.#parts);
  }

  /** The graph as it is computed, to be read only: its parameters are those of the file. */
  get graph(): Graph {
    return this.#parts.model.graph;
  }

  /** The output for these inputs, all samples in one tensor. */
  async predict(x: Inputs, options: LongOptions = {}): Promise<Tensor> {
    const parameters = this.#parameters;
    return joined(this.#pieces({ x, y: none }, options), (piece) => this.#runs.forward(piece.x, parameters));
  }

  /** Values inside the graph (inputs included) for these inputs by name, all samples in one tensor each. */
  async activations(x: Inputs, values: readonly string[], options: LongOptions = {}): Promise<Record<string, Tensor>> {
    return activationsOf(this.#runs, this.graph, this.#parameters, this.#pieces({ x, y: none }, options), values);
  }

  /** The mean loss over all samples of all batches. */
  async loss(data: Data, options: LongOptions = {}): Promise<number> {
    return lossOver(this.#runs, this.#parameters, this.#pieces(data, options));
  }

  /** The mean loss and its gradient [d]. */
  async gradient(data: Data, options: LongOptions = {}): Promise<{ value: number; grad: FloatArray }> {
    return gradientOver(this.#runs, this.#parameters, this.#pieces(data, options));
  }

  /**
   * The Hessian of the mean loss times v [d]: forward mode over the gradient graph, exact. From about the twelfth product on the same
   * batches at the same parameters on, what does not depend on v is kept (at most 64 MB) and a product takes less time.
   */
  async hvp(data: Data, v: FloatArray, options: LongOptions = {}): Promise<FloatArray> {
    return this.#product('hvp', data, v, options);
  }

  /** The Gauss–Newton matrix of the mean loss times v [d]; repeated products take less time, as those of `hvp`. */
  async ggnvp(data: Data, v: FloatArray, options: LongOptions = {}): Promise<FloatArray> {
    return this.#product('ggnvp', data, v, options);
  }

  /** The gradient of the batch's mean loss with respect to its float inputs: a tensor, or a record when there are several. */
  async inputGradient(batch: Batch, options: LongOptions = {}): Promise<{ value: number; grad: Tensor | Record<string, Tensor> }> {
    return inputGradientOver(this.#runs, this.#parameters, this.#pieces(batch, options));
  }

  /**
   * The gradient of every sample's loss: the mean over its places ([n, t, k], [n, k, h, w]) or outputs (losses with targets). Class weights and
   * ignored labels multiply it; weights of samples do not.
   * @param options `slots`: names of the parameters to take it in (all); `out`: a tensor to fill; `signal`; `onProgress`
   * @returns [n, d], d counting the chosen slots in their order in `layout`
   */
  async perSampleGradients(batch: Batch, options: LongOptions & { out?: Tensor; slots?: string[] } = {}): Promise<Tensor> {
    return sampleGradients(this.#runs, this.#parameters, this.layout, batch, options);
  }

  /** J·v: how the output moves when the parameters move along v [d]. */
  async jvp(x: Inputs, v: FloatArray, options: LongOptions = {}): Promise<Tensor> {
    const parameters = this.#parameters;
    const tangents = tangentsOf(this.layout, v, this.precision);
    return joined(this.#pieces({ x, y: none }, options), (piece) => this.#runs.jvp(piece.x, tangents, parameters));
  }

  /** Jᵀ·cotangent [d], for a cotangent of the output's shape. */
  async vjp(x: Inputs, cotangent: TensorLike, options: LongOptions = {}): Promise<FloatArray> {
    const seed = asTensor('cotangent', cotangent);
    if (isFloatArray(seed.data)) checkFinite('cotangent', seed.data);
    return transposedOver(this.#runs, this.#parameters, this.#pieces({ x, y: seed }, options));
  }

  /** The file's model with the parameters and metadata as they stand; `sparse` as for `save`. */
  toModel(options: { readonly sparse?: boolean } = {}): Model {
    const { sparse = false } = asRecord('options', options);
    return withParameters(this.#parts.file, this.#parameters, this.metadata, sparse);
  }

  /**
   * The model as it stands (parameters, metadata) as the bytes of an ONNX file, written whole to `path` where one is given.
   * @param options `sparse`: parameters that are mostly zero become sparse_initializer, 12 bytes for each number that is not; `signal`: no file
   * is written once it has fired
   */
  async save(path?: string, options: { readonly sparse?: boolean; readonly signal?: AbortSignal } = {}): Promise<Uint8Array> {
    checkAborted(readLong(options).signal);
    if (path !== undefined && typeof path !== 'string') throw new DomainError(`path: expected a string, got ${describe(path)}`);
    const bytes = encodeModel(this.toModel(options));
    if (path !== undefined) writeWhole(path, bytes);
    return bytes;
  }

  /** Releases every session, after the calls that are under way. */
  dispose(): void {
    this.#runs.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #pieces(data: Data, options: LongOptions): AsyncGenerator<Batch> {
    return watched(cutData(data, this.inputs), options);
  }

  async #product(what: 'hvp' | 'ggnvp', data: Data, v: FloatArray, options: LongOptions): Promise<FloatArray> {
    const tangents = tangentsOf(this.layout, v, this.precision);
    return productOver(what, this.#runs, this.#parameters, this.#pieces(data, options), tangents);
  }
}
