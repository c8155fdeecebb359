import { readBytes } from '#files';
import { asRecord, checkMethods } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { Batch, Data, DifferentiableModel, Inputs, LongOptions, ParameterSlot } from '../core/model-types.js';
import { readLong } from '../core/stepper.js';
import { type FloatArray, floats, type Precision, type Tensor, type TensorLike } from '../core/tensor.js';
import { checkDecoded, type Model } from '../onnx/graph.js';
import { decodeModel } from '../onnx/model.js';
import type { ThreadPool } from '../threads/pool.js';
import { lossSeeds, type Rows, readBatch, readInputs, readSeeds, readVector, seedBlock } from './batch.js';
import { accumulate, type ChunkWork, columnsOf, Engine, type ProductWork, type SumWork } from './engine.js';
import { denseTail } from './from-onnx.js';
import { backward, rBackward, rForward } from './passes.js';
import { widthOf } from './per-sample.js';
import { type DenseModelSpec, readSpec } from './spec.js';

/** Where per-sample rows go, and which parameters they cover. */
export interface PerSampleOptions extends LongOptions {
  /** Written in place of a new tensor. */
  out?: Tensor;
  /** Names from `layout`: only these columns, side by side in layout order. */
  slots?: string[];
}

/** Numbers of per-sample gradients from which on threads gain: some 10 ms of work. */
const numbersWorthThreads = 2 ** 22;

/**
 * A dense network on WebAssembly alone: forward, gradient, exact Hessian-vector products by Pearlmutter's R-operator, Gauss–Newton
 * products and per-sample gradients, in f32 or f64. It owns an instance of the kernels; `dispose()` lets its memory go.
 *
 * Hessian and Gauss–Newton products on one batch keep its forward and backward pass (up to 32 MB) while parameters and batch stay the same.
 * Data runs through it in steps of 1,024 rows, between which `signal` and `onProgress` have their turn; what a call is given must not change
 * before the call ends. Flat parameter order: weight, bias of the first layer, weight, bias of the second, …; the loss is the weighted mean over samples
 * (mse: and over outputs, factor 1).
 * @see Pearlmutter 1994, Fast exact multiplication by the Hessian; Schraudolph 2002 for Gauss–Newton products
 */
export class DenseModel implements DifferentiableModel {
  readonly precision: Precision;
  readonly parameterCount: number;
  readonly layout: readonly ParameterSlot[];
  /** Name of the ONNX value that feeds the first layer, for models made by `fromOnnx`. */
  readonly input: string | undefined;
  readonly #engine: Engine;
  #parameters: FloatArray;

  private constructor(made: ReturnType<typeof readSpec>, input?: string) {
    const { net, layout, parameters } = asRecord('DenseModel', made, 'DenseModel.create(spec)');
    asRecord('DenseModel', net, 'DenseModel.create(spec)');
    this.precision = net.precision;
    this.parameterCount = net.parameterCount;
    this.layout = layout;
    this.input = input;
    this.#engine = new Engine(net);
    this.#parameters = parameters;
  }

  /**
   * A model from weights.
   * @param spec `layers` of { weight [out, in], bias [out], activation, name }, `loss` 'cross-entropy' or 'mse', `precision`
   * @throws {ShapeError} when neighbouring layers do not fit; {DomainError} on an unknown activation or loss, NaN or infinity
   */
  static create(spec: DenseModelSpec): DenseModel {
    return new DenseModel(readSpec(spec));
  }

  /**
   * The dense tail of an ONNX model: Gemm or MatMul + Add layers with activations between them. Run the part before it on ONNX
   * Runtime, up to the value named by `input`, and feed that here.
   *
   * @param model file bytes, a path (where there are files), or what `decodeModel` returned
   * @param options `from` value [n, in] to start at (the longest dense tail by default); `loss` ('cross-entropy'); `precision` (the file's)
   * @throws {GraphError} when something other than dense layers lies between `from` and the output
   */
  static fromOnnx(
    model: Uint8Array | ArrayBuffer | string | Model,
    options: { from?: string; loss?: DenseModelSpec['loss']; precision?: Precision } = {},
  ): DenseModel {
    const { from, loss = 'cross-entropy', precision } = asRecord('options', options);
    const given = typeof model === 'string' ? readBytes(model) : model;
    const isFile = ArrayBuffer.isView(given) || Object.prototype.toString.call(given) === '[object ArrayBuffer]';
    const decoded = isFile ? decodeModel(ArrayBuffer.isView(given) ? given : new Uint8Array(given as ArrayBuffer)) : given;
    checkDecoded('model', decoded);
    const { layers, input } = denseTail(decoded, from);
    return new DenseModel(readSpec({ layers, loss, ...(precision && { precision }) }), input);
  }

  /** The loss on the output. */
  get lossName(): DenseModelSpec['loss'] {
    return this.#engine.net.loss;
  }

  getParameters(): FloatArray {
    return this.#parameters.slice();
  }

  setParameters(w: FloatArray): void {
    this.#parameters = readVector(this.#engine.net, 'w', w).slice();
  }

  /** Logits [n, k] of inputs [n, in] (further axes are flattened). */
  async predict(x: Inputs, options: LongOptions = {}): Promise<Tensor<FloatArray>> {
    const rows = readInputs(this.#engine.net, x);
    const out = floats(this.precision, rows.count * this.#outputs);
    const work: ChunkWork = (arena, trace, start) => out.set(arena.view(trace.a.at(-1)!), start * this.#outputs);
    await this.#engine.steps(this.#parameters, rows, 0, work, options);
    return { data: out, shape: [rows.count, this.#outputs] };
  }

  async loss(data: Data, options: LongOptions = {}): Promise<number> {
    const { net } = this.#engine;
    const w = this.#parameters;
    let total = 0;
    const add = (rows: Rows, from: number, to: number): void =>
      this.#engine.chunks(w, rows.x, from, to, 0, (arena, trace, start) => {
        total += lossSeeds(arena, net, rows, start, trace).total;
      });
    const weight = await this.#engine.batches(data, add, options);
    return total / weight;
  }

  async gradient(data: Data, options: LongOptions = {}): Promise<{ value: number; grad: FloatArray }> {
    const { net } = this.#engine;
    let total = 0;
    const work: SumWork = (arena, trace, start, w, rows, out) => {
      const seeds = lossSeeds(arena, net, rows, start, trace);
      total += seeds.total;
      backward(arena, net, w, trace, seeds.delta, out);
    };
    const { mean, weight } = await this.#engine.mean(this.#parameters, data, work, options);
    return { value: total / weight, grad: mean };
  }

  async hvp(data: Data, v: FloatArray, options: LongOptions = {}): Promise<FloatArray> {
    const { net } = this.#engine;
    const work: ProductWork = (arena, { trace, seeds, back }, w, along, out) => {
      const carried = rForward(arena, net, w, along, trace);
      const rdelta = carried.ra.at(-1)!;
      seeds.curvature(rdelta, rdelta);
      rBackward(arena, net, w, along, trace, carried, back!, rdelta, out);
    };
    return this.#engine.product(this.#parameters, data, 2, work, options, readVector(net, 'v', v));
  }

  async ggnvp(data: Data, v: FloatArray, options: LongOptions = {}): Promise<FloatArray> {
    const { net } = this.#engine;
    const work: ProductWork = (arena, { trace, seeds }, w, along, out) => {
      const delta = rForward(arena, net, w, along, trace).ra.at(-1)!;
      seeds.curvature(delta, delta);
      backward(arena, net, w, trace, delta, out);
    };
    return this.#engine.product(this.#parameters, data, 1, work, options, readVector(net, 'v', v));
  }

  /**
   * The gradient of each sample's own loss (weights play no part) [n, d], or of the named `slots` only. Threads of a `pool` share long work,
   * with the same bits; without `out` their result lies in shared memory, where the runtime has it.
   */
  async perSampleGradients(
    batch: Batch,
    options: PerSampleOptions & { readonly pool?: ThreadPool | undefined } = {},
  ): Promise<Tensor<FloatArray>> {
    const { net } = this.#engine;
    const rows = readBatch(net, batch);
    const { slots, pool } = readLong(options);
    const columns = columnsOf(this.layout, slots);
    if (pool) checkMethods('pool', pool, 'a ThreadPool', 'map', 'takes');
    if (rows.count && pool?.takes(rows.count * widthOf(columns), numbersWorthThreads))
      return this.#engine.samplesInPool(pool, this.#parameters, rows, columns, options);
    return this.#engine.perSample(this.#parameters, rows, columns, options, (arena, trace, start) => {
      return lossSeeds(arena, net, rows, start, trace, false).delta;
    });
  }

  /** J_iᵀ seed_i of each sample [n, d]: the logits' Jacobian transposed times the rows of `seed` [n, k]. */
  async perSampleVjp(x: Inputs, seed: TensorLike, options: PerSampleOptions = {}): Promise<Tensor<FloatArray>> {
    const { net } = this.#engine;
    const rows = readInputs(net, x);
    const seeds = readSeeds(net, seed, rows.count);
    const columns = columnsOf(this.layout, readLong(options).slots);
    return this.#engine.perSample(this.#parameters, rows, columns, options, (arena, trace, start) => {
      return seedBlock(arena, net, seeds, start, trace.rows);
    });
  }

  /** Σ_i J_iᵀ seed_i [d]: the logits' Jacobian transposed times `seed` [n, k]. */
  async vjp(x: Inputs, seed: TensorLike, options: LongOptions = {}): Promise<FloatArray> {
    const { net } = this.#engine;
    const rows = readInputs(net, x);
    const seeds = readSeeds(net, seed, rows.count);
    const total = new Float64Array(this.parameterCount);
    const work: ChunkWork = (arena, trace, start, w) => {
      const grad = arena.zeroReal(this.precision, this.parameterCount);
      backward(arena, net, w, trace, seedBlock(arena, net, seeds, start, trace.rows), grad);
      accumulate(total, arena.view(grad));
    };
    await this.#engine.steps(this.#parameters, rows, 1, work, options);
    return this.#engine.narrow(total, 1);
  }

  /** J v [n, k]: the derivative of the logits along v [d]. */
  async jvp(x: Inputs, v: FloatArray, options: LongOptions = {}): Promise<Tensor<FloatArray>> {
    const { net } = this.#engine;
    const direction = readVector(net, 'v', v);
    const rows = readInputs(net, x);
    const out = floats(this.precision, rows.count * this.#outputs);
    const work: ChunkWork = (arena, trace, start, w) => {
      const { ra } = rForward(arena, net, w, arena.put(direction), trace);
      out.set(arena.view(ra.at(-1)!), start * this.#outputs);
    };
    await this.#engine.steps(this.#parameters, rows, 1, work, options);
    return { data: out, shape: [rows.count, this.#outputs] };
  }

  /** The batch's mean loss and its gradient with respect to the input, in the input's shape. */
  async inputGradient(batch: Batch, options: LongOptions = {}): Promise<{ value: number; grad: Tensor<FloatArray> }> {
    const { net } = this.#engine;
    const rows = readBatch(net, batch);
    const width = net.layers[0]!.inputs;
    let weight = 0;
    for (const x of rows.weights) weight += x;
    if (!(weight > 0)) throw new DomainError(`batch: expected samples with a positive sum of weights, got ${weight}`);
    const out = floats(this.precision, rows.count * width);
    let total = 0;
    const work: ChunkWork = (arena, trace, start, w) => {
      const seeds = lossSeeds(arena, net, rows, start, trace);
      total += seeds.total;
      out.set(arena.view(backward(arena, net, w, trace, seeds.delta, undefined, true)!), start * width);
    };
    await this.#engine.steps(this.#parameters, rows, 1, work, options);
    for (let i = 0; i < out.length; i++) out[i] = out[i]! / weight;
    return { value: total / weight, grad: { data: out, shape: rows.shape } };
  }

  /** The loss of each sample [n], unweighted, f64. */
  async perSampleLosses(batch: Batch, options: LongOptions = {}): Promise<Float64Array> {
    const { net } = this.#engine;
    const rows = readBatch(net, batch);
    const out = new Float64Array(rows.count);
    const work: ChunkWork = (arena, trace, start) => {
      out.set(arena.view(lossSeeds(arena, net, rows, start, trace).losses), start);
    };
    await this.#engine.steps(this.#parameters, rows, 0, work, options);
    return out;
  }

  /** Bytes of WebAssembly memory held; 0 after `dispose()`. */
  get bytes(): number {
    return this.#engine.bytes;
  }

  dispose(): void {
    this.#engine.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  get #outputs(): number {
    return this.#engine.net.layers.at(-1)!.outputs;
  }
}
