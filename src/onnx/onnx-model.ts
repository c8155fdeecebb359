// An ONNX model with derivatives: its graph, and the graphs derived from it, on ONNX Runtime.
import { writeWhole } from '#files';
import { batchesOf, pieces, samplesOf } from '../core/batches.js';
import { checkFinite, checkLength } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { Batch, Data, DifferentiableModel, Inputs, LongOptions, ParameterSlot } from '../core/model-types.js';
import { stepper, watched } from '../core/stepper.js';
import { asTensor, type FloatArray, floats, isFloatArray, type Precision, sizeOf, type Tensor, type TensorLike } from '../core/tensor.js';
import { jvpModel, vjpModel } from './derivatives.js';
import { convert, cutBatch, joinRows } from './feeds.js';
import { lossOf } from './forward.js';
import type { ElementType, Graph, GraphTensor, Model, ValueInfo } from './graph.js';
import { lossFeeds } from './labels.js';
import type { LossName } from './losses.js';
import { encodeModel } from './model.js';
import { type OpenOptions, openParts, type Parts } from './opening.js';
import { narrowed } from './precision.js';
import { Runs } from './runs.js';
import type { Feed } from './session.js';
import { Snapshot } from './snapshot.js';
import { first, Sums } from './sums.js';

export type { OpenOptions } from './opening.js';

/** Numbers in the per-sample gradients of one run: 16 MB in float32. */
const rowsAtOnce = 2 ** 22;
/** Labels of a batch that needs none. */
const none = new Int32Array(0);

/** A model from an ONNX file, as a function of its parameters. */
export class OnnxModel implements DifferentiableModel {
  readonly precision: Precision;
  readonly parameterCount: number;
  readonly layout: readonly ParameterSlot[];
  /** The model's metadata; `save` writes it. */
  readonly metadata: Map<string, string>;
  readonly #parts: Parts;
  readonly #options: OpenOptions;
  readonly #type: ElementType;
  readonly #runs: Runs;
  #parameters: Snapshot;

  private constructor(parts: Parts, options: OpenOptions) {
    const { layout, model, file } = parts;
    this.#parts = parts;
    this.#options = options;
    this.layout = layout;
    const first = layout[0] && model.graph.initializers.get(layout[0].name);
    this.precision = first?.type === 'float64' ? 'float64' : 'float32';
    this.#type = this.precision;
    this.#runs = new Runs(parts, this.precision);
    const last = layout.at(-1);
    this.parameterCount = last ? last.offset + sizeOf(last.shape) : 0;
    this.metadata = new Map(file.metadata);
    const values = floats(this.precision, this.parameterCount);
    for (const { name, offset } of layout) values.set((model.graph.initializers.get(name) as GraphTensor).data as FloatArray, offset);
    this.#parameters = new Snapshot(0, values, parts);
  }

  /**
   * Opens an ONNX model.
   *
   * @param source a path (where the runtime has files), the bytes of a file, or a decoded model
   * @throws {GraphError | DomainError} when it is not a model, or an option names what it does not have; {RuntimeLoadError} without an ONNX Runtime
   */
  static async open(source: string | Uint8Array | Model, options: OpenOptions = {}): Promise<OnnxModel> {
    return new OnnxModel(await openParts(source, options), options);
  }

  /** Another model, such as a smaller copy of this one, opened with the same loss, output, threads and ONNX Runtime. */
  reopen(model: Model): Promise<OnnxModel> {
    const { wrt: _, ...options } = this.#options;
    return OnnxModel.open(model, options);
  }

  /** The loss on the output. */
  get lossName(): LossName {
    return this.#parts.loss.name;
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
    const parts: Tensor[] = [];
    for await (const piece of this.#pieces({ x, y: none }, options)) parts.push(await this.#runs.forward(piece.x, parameters));
    return joinRows(parts);
  }

  /** Values inside the graph (inputs included) for these inputs by name, all samples in one tensor each. */
  async activations(x: Inputs, values: readonly string[]): Promise<Record<string, Tensor>> {
    const parameters = this.#parameters;
    const known = new Set([...this.inputs.map(({ name }) => name), ...this.graph.nodes.flatMap(({ outputs }) => outputs)]);
    for (const name of values) if (!known.has(name)) throw new DomainError(`values: expected names of values in the graph, got '${name}'`);
    const parts: Record<string, Tensor>[] = [];
    for (const piece of cutBatch({ x, y: none }, this.inputs)) parts.push(await this.#runs.values(piece.x, values, parameters));
    return Object.fromEntries(values.map((name) => [name, joinRows(parts.map((part) => part[name] as Tensor))]));
  }

  /** The mean loss over all samples of all batches. */
  async loss(data: Data, options: LongOptions = {}): Promise<number> {
    const parameters = this.#parameters;
    const sums = new Sums(0, this.precision);
    for await (const batch of this.#pieces(data, options)) {
      const logits = await this.#runs.forward(batch.x, parameters);
      const feeds = lossFeeds(batch, this.#parts.loss, logits.shape, this.#type);
      const program = this.#runs.program(`loss ${logits.shape.slice(1)} ${batch.weights !== undefined}`, () =>
        lossOf(logits.shape, this.#type, this.#parts.loss, batch.weights !== undefined),
      );
      sums.add(await this.#runs.run(program, parameters, { ...feeds, logits: { ...logits, type: this.#type } }));
    }
    return sums.mean();
  }

  /** The mean loss and its gradient [d]. */
  async gradient(data: Data, options: LongOptions = {}): Promise<{ value: number; grad: FloatArray }> {
    return this.#derivative('gradient', data, 'grad', {}, options);
  }

  /** The Hessian of the mean loss times v [d]: forward mode over the gradient graph, exact. */
  async hvp(data: Data, v: FloatArray, options: LongOptions = {}): Promise<FloatArray> {
    return (await this.#derivative('hvp', data, 'hvp', this.#tangents(v), options)).grad;
  }

  /** The Gauss–Newton matrix of the mean loss times v [d]. */
  async ggnvp(data: Data, v: FloatArray, options: LongOptions = {}): Promise<FloatArray> {
    return (await this.#derivative('ggnvp', data, 'ggnvp', this.#tangents(v), options)).grad;
  }

  /** The gradient of the batch's mean loss with respect to its float inputs: a tensor, or a record when there are several. */
  async inputGradient(batch: Batch): Promise<{ value: number; grad: Tensor | Record<string, Tensor> }> {
    const parameters = this.#parameters;
    const program = this.#runs.derived('inputs', batch.weights !== undefined);
    const results = await this.#runs.run(program, parameters, await this.#runs.lossInputs(batch, parameters));
    const weight = first(results.weight);
    const grads = Object.fromEntries(
      Object.entries(results).flatMap(([name, { data, shape }]) =>
        name.startsWith('grad.') ? [[name.slice(5), { data: (data as FloatArray).map((g) => g / weight), shape }] as const] : [],
      ),
    );
    const only = Object.values(grads);
    return { value: first(results.loss) / weight, grad: only.length === 1 ? (only[0] as Tensor) : (grads as Record<string, Tensor>) };
  }

  /**
   * The gradient of every sample's loss: the mean over its places ([n, t, k], [n, k, h, w]) or outputs (losses with targets). Class weights and
   * ignored labels multiply it; weights of samples do not.
   * @param options `slots`: names of the parameters to take it in (all); `out`: a tensor to fill; `signal`; `onProgress`
   * @returns [n, d], d counting the chosen slots in their order in `layout`
   */
  async perSampleGradients(batch: Batch, options: LongOptions & { out?: Tensor; slots?: string[] } = {}): Promise<Tensor> {
    const parameters = this.#parameters;
    const slots = this.#chosen(options.slots);
    const width = slots.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    const samples = samplesOf(batch);
    const out = options.out ?? { data: floats(this.precision, samples * width), shape: [samples, width] };
    checkLength('out', out.data, samples * width);
    let done = 0;
    const size = Math.max(1, Math.min(64, Math.floor(rowsAtOnce / width)));
    const step = stepper(options, Math.ceil(samples / size));
    for (const piece of pieces({ x: batch.x, y: batch.y }, size)) {
      const rows = samplesOf(piece);
      const results = await step(() => this.#runs.sampleRows(piece, parameters, slots));
      for (let i = 0; i < rows; i++) {
        let at = (done + i) * width;
        for (const { name, shape } of slots) {
          const size = sizeOf(shape);
          (out.data as FloatArray).set((results.get(name) as FloatArray).subarray(i * size, (i + 1) * size), at);
          at += size;
        }
      }
      done += rows;
    }
    return out;
  }

  /** J·v: how the output moves when the parameters move along v [d]. */
  async jvp(x: Inputs, v: FloatArray): Promise<Tensor> {
    const tangents = this.#tangents(v);
    const { output } = this.#parts;
    const program = this.#runs.program('jvp', (form, model) => jvpModel(model, { ...this.#runs.options(form), wrt: this.#runs.names() }));
    const results = await this.#runs.run(program, this.#parameters, { ...this.#runs.read(x).tensors, ...tangents });
    return results[`jvp.${output}`] as Tensor;
  }

  /** Jᵀ·cotangent [d], for a cotangent of the output's shape. */
  async vjp(x: Inputs, cotangent: TensorLike): Promise<FloatArray> {
    const { data, shape } = asTensor('cotangent', cotangent);
    if (isFloatArray(data)) checkFinite('cotangent', data);
    const program = this.#runs.program('vjp', (form, model) => vjpModel(model, { ...this.#runs.options(form), wrt: this.#runs.names() }));
    const feed: Feed = { data: convert('cotangent', data, this.#type), shape, type: this.#type };
    const results = await this.#runs.run(program, this.#parameters, { ...this.#runs.read(x).tensors, cotangent: feed });
    const out = floats(this.precision, this.parameterCount);
    for (const { name, offset } of this.layout) out.set((results[`grad.${name}`] as Tensor).data as FloatArray, offset);
    return out;
  }

  /** The file's model with the parameters and metadata as they stand; `sparse` as for `save`. */
  toModel({ sparse = false }: { readonly sparse?: boolean } = {}): Model {
    const { file } = this.#parts;
    const graph = file.graph.clone();
    for (const { name, tensor } of this.#parameters.tensors()) {
      const original = file.graph.initializers.get(name) as GraphTensor;
      graph.initializers.set(name, narrowed(tensor.data as FloatArray, original));
      if (sparse && original.type === 'float32' && 3 * numbersIn(tensor.data as FloatArray) < tensor.data.length) graph.sparse.add(name);
    }
    return { ...file, graph, metadata: new Map(this.metadata) };
  }

  /**
   * The model as it stands (parameters, metadata) as the bytes of an ONNX file, written whole to `path` where one is given.
   * @param options `sparse`: parameters that are mostly zero become sparse_initializer, 12 bytes for each number that is not
   */
  async save(path?: string, options: { readonly sparse?: boolean } = {}): Promise<Uint8Array> {
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

  #chosen(names: readonly string[] | undefined): readonly ParameterSlot[] {
    for (const name of names ?? []) {
      if (!this.layout.some((slot) => slot.name === name)) throw new DomainError(`slots: expected names of parameters, got '${name}'`);
    }
    return names ? this.layout.filter(({ name }) => names.includes(name)) : this.layout;
  }

  #pieces(data: Data, options: LongOptions): AsyncGenerator<Batch> {
    return watched(this.#cut(data), options);
  }

  async *#cut(data: Data): AsyncGenerator<Batch> {
    for await (const batch of batchesOf(data)) yield* cutBatch(batch, this.inputs);
  }

  #tangents(v: FloatArray): Record<string, Feed> {
    checkVector('v', v, this.parameterCount);
    return Object.fromEntries(
      this.layout.map(({ name, shape, offset }) => [
        `tangent.${name}`,
        { data: convert('v', v.subarray(offset, offset + sizeOf(shape)), this.#type), shape, type: this.#type },
      ]),
    );
  }

  async #derivative(
    what: 'gradient' | 'hvp' | 'ggnvp',
    data: Data,
    prefix: string,
    extra: Record<string, Feed>,
    options: LongOptions,
  ): Promise<{ value: number; grad: FloatArray }> {
    const parameters = this.#parameters;
    const sums = new Sums(this.parameterCount, this.precision);
    for await (const batch of this.#pieces(data, options)) {
      const program = this.#runs.derived(what, batch.weights !== undefined);
      const results = await this.#runs.run(program, parameters, { ...(await this.#runs.lossInputs(batch, parameters)), ...extra });
      sums.add(results);
      for (const { name, offset } of this.layout) sums.addPart((results[`${prefix}.${name}`] as Tensor).data as FloatArray, offset);
    }
    return { value: sums.mean(), grad: sums.means() };
  }
}

/** How many are not zero. */
function numbersIn(values: FloatArray): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) count++;
  return count;
}

function checkVector(name: string, v: unknown, length: number): asserts v is FloatArray {
  if (!isFloatArray(v)) throw new DomainError(`${name}: expected a Float32Array or Float64Array`);
  checkLength(name, v, length);
  checkFinite(name, v);
}
