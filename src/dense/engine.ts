// The WebAssembly side of a DenseModel: one instance with the parameters in it, data streamed through in chunks of rows.
import { batchesOf } from '../core/batches.js';
import { checkArray, checkLength } from '../core/check.js';
import { AfterpassError, DomainError } from '../core/errors.js';
import type { Data, LongOptions, ParameterSlot } from '../core/model-types.js';
import { stepper, watched } from '../core/stepper.js';
import type { FloatArray, Tensor } from '../core/tensor.js';
import { floats, sizeOf } from '../core/tensor.js';
import type { Arena, Real } from '../runtime/arena.js';
import { Instance } from '../runtime/instance.js';
import type { ThreadPool } from '../threads/pool.js';
import { type Rows, readBatch } from './batch.js';
import { ChunkSums, KeptPasses, type Prepared, prepare } from './kept-passes.js';
import { forward, type Network, type Trace } from './passes.js';
import { type Columns, placeSamples, samplesInPool, sliceRows, widthOf } from './per-sample.js';

/** Samples that go through the network together: activations of a layer stay in the cache, memory does not grow with the data. */
const chunkRows = 256;
/** Samples of one batch between two looks at a signal; within them chunks are added up in the network's precision, across them in f64. */
const stepRows = 1024;

/** What is done with the forward trace of one chunk of rows that starts at sample `start`; `w` are the parameters. */
export type ChunkWork = (arena: Arena, trace: Trace, start: number, w: Real) => void;
/** What is added to `out` [d] for one chunk. */
export type SumWork = (arena: Arena, trace: Trace, start: number, w: Real, rows: Rows, out: Real) => void;
/** What a product along v adds to `out` [d] for one chunk; `w` are the parameters. */
export type ProductWork = (arena: Arena, ready: Prepared, w: Real, v: Real, out: Real) => void;
/** The gradient of something with respect to the outputs [rows, k]. */
export type SeedOf = (arena: Arena, trace: Trace, start: number) => Real;

/** Runs a network on data. Every call names the parameters it uses, so that calls may interleave across awaits. */
export class Engine {
  readonly net: Network;
  #held: { instance: Instance; w: Real; passes: KeptPasses } | undefined;
  #uploaded: FloatArray | undefined;

  constructor(net: Network) {
    this.net = net;
    const instance = new Instance();
    const w = instance.keep((arena) => arena.real(net.precision, net.parameterCount));
    this.#held = { instance, w, passes: new KeptPasses(instance, net, w) };
  }

  /** Bytes of WebAssembly memory held. */
  get bytes(): number {
    return this.#held?.instance.bytes ?? 0;
  }

  dispose(): void {
    this.#held = undefined;
    this.#uploaded = undefined;
  }

  /** Runs `work` on the forward trace of every chunk of the rows `from` … `to` of x [n, inputs]. */
  chunks(
    parameters: FloatArray,
    x: FloatArray,
    from: number,
    to: number,
    derivatives: 0 | 1 | 2,
    work: ChunkWork,
    limit = chunkRows,
  ): void {
    const { instance, w } = this.#open(parameters);
    const width = this.net.layers[0]!.inputs;
    for (let start = from; start < to; start += limit) {
      const rows = Math.min(limit, to - start);
      instance.run((arena) => {
        const input = arena.put(x.subarray(start * width, (start + rows) * width));
        work(arena, forward(arena, this.net, w, input, rows, derivatives), start, w);
      });
    }
  }

  /** `chunks` in steps of a long call. @throws {AbortError} by `signal`, between steps */
  async steps(
    parameters: FloatArray,
    { count, x }: { count: number; x: FloatArray },
    derivatives: 0 | 1 | 2,
    work: ChunkWork,
    options: LongOptions,
    limit = chunkRows,
  ): Promise<void> {
    const step = stepper(options, Math.ceil(count / stepRows));
    for (let from = 0; from < count; from += stepRows) {
      await step(() => this.chunks(parameters, x, from, Math.min(count, from + stepRows), derivatives, work, limit));
    }
  }

  /** The WebAssembly side with these parameters in it. */
  #open(parameters: FloatArray) {
    const held = this.#held;
    if (!held) throw new AfterpassError('model: expected a model in use, got one after dispose()', 'ERR_DISPOSED');
    if (this.#uploaded !== parameters) {
      held.passes.drop();
      held.instance.arena.view(held.w).set(parameters);
      this.#uploaded = parameters;
    }
    return held;
  }

  /**
   * Calls `work` on the rows `from` … `to` of every checked batch, each call a step, and returns the sum of weights. Inputs that are `known`
   * are not looked at again.
   * @throws {DomainError} when it is not positive; {AbortError} by `signal`, between steps
   */
  async batches(
    data: Data,
    work: (rows: Rows, from: number, to: number) => void,
    options: LongOptions,
    known?: (x: FloatArray) => boolean,
  ): Promise<number> {
    let weight = 0;
    for await (const { rows, from, to } of watched(this.#cut(data, known), options)) {
      for (let i = from; i < to; i++) weight += rows.weights[i]!;
      work(rows, from, to);
    }
    if (!(weight > 0)) throw new DomainError(`data: expected samples with a positive sum of weights, got ${weight}`);
    return weight;
  }

  async *#cut(data: Data, known?: (x: FloatArray) => boolean): AsyncGenerator<{ rows: Rows; from: number; to: number }> {
    for await (const batch of batchesOf(data)) {
      const rows = readBatch(this.net, batch, known);
      for (let from = 0; from < rows.count; from += stepRows) yield { rows, from, to: Math.min(rows.count, from + stepRows) };
    }
  }

  /** Weighted mean over all data of what `work` adds [d]: in the network's precision within 1,024 samples, in f64 across those. */
  async mean(parameters: FloatArray, data: Data, work: SumWork, options: LongOptions): Promise<{ mean: FloatArray; weight: number }> {
    const { parameterCount: d, precision } = this.net;
    const sums = new ChunkSums();
    const step = (rows: Rows, from: number, to: number): void => {
      this.#open(parameters).instance.run((outer) => {
        const out = outer.zeroReal(precision, d);
        this.chunks(parameters, rows.x, from, to, 1, (arena, trace, start, w) => work(arena, trace, start, w, rows, out));
        sums.add(outer.view(out), 1);
      });
    };
    const weight = await this.batches(data, step, options);
    return { mean: sums.times(1 / weight, (total, factor) => this.narrow(total, factor)), weight };
  }

  /**
   * The mean of what `work` adds for a curvature of this order along a direction [d], summed as by `mean`. From the second call on, the passes
   * of a batch are kept while parameters and batch stay the same.
   */
  async product(
    parameters: FloatArray,
    data: Data,
    order: 1 | 2,
    work: ProductWork,
    options: LongOptions,
    direction: FloatArray,
  ): Promise<FloatArray> {
    const { net } = this;
    const sums = new ChunkSums();
    let kept: readonly Prepared[] | undefined;
    let weightOfBatch = 1;
    const step = (rows: Rows, from: number, to: number): void => {
      const { instance, passes, w } = this.#open(parameters);
      if (from === 0) {
        // Weights that sum to one: the product of a single batch is then its mean as it stands.
        weightOfBatch = 0;
        for (let i = 0; i < rows.count; i++) weightOfBatch += rows.weights[i]!;
        weightOfBatch ||= 1;
        kept = passes.of(rows, order, chunkRows, 1 / weightOfBatch);
      } else if (kept && !passes.hold(kept)) kept = undefined; // other calls came between two steps
      instance.run((outer) => {
        const out = outer.zeroReal(net.precision, net.parameterCount);
        const v = outer.put(direction);
        for (let start = from; start < to; start += chunkRows) {
          instance.run((arena) => {
            const count = Math.min(chunkRows, to - start);
            const ready = kept?.[start / chunkRows] ?? prepare(arena, net, w, rows, start, count, order, 1 / weightOfBatch);
            work(arena, ready, w, v, out);
          });
        }
        sums.add(outer.view(out), weightOfBatch);
      });
    };
    const weight = await this.batches(data, step, options, (x) => this.#held?.passes.matches(x) ?? false);
    return sums.times(1 / weight, (total, factor) => this.narrow(total, factor));
  }

  /** J_iᵀ seed_i of every sample [n, columns]: δ_i ⊗ a_i layer by layer, in slices of bounded memory. */
  async perSample(
    parameters: FloatArray,
    rows: { count: number; x: FloatArray },
    columns: readonly Columns[],
    { out, ...options }: LongOptions & { readonly out?: Tensor },
    seed: SeedOf,
  ): Promise<Tensor<FloatArray>> {
    const { count } = rows;
    const stride = widthOf(columns);
    const result = (out ?? { data: floats(this.net.precision, count * stride), shape: [count, stride] }) as Tensor<FloatArray>;
    checkLength('out', result.data, count * stride);
    const work: ChunkWork = (arena, trace, start, w) =>
      placeSamples(arena, this.net, w, trace, seed(arena, trace, start), columns, result.data, start);
    await this.steps(parameters, rows, 1, work, options, sliceRows(this.net));
    return result;
  }

  /** Gradients of the losses of checked rows [n, columns], on a pool. */
  async samplesInPool(
    pool: ThreadPool,
    parameters: FloatArray,
    rows: Rows,
    columns: readonly Columns[],
    options: LongOptions & { readonly out?: Tensor },
  ): Promise<Tensor<FloatArray>> {
    this.#open(parameters);
    return samplesInPool(pool, this.net, parameters, rows, columns, options);
  }

  /** f64 sums, times a factor, in the network's precision. */
  narrow(total: Float64Array, factor: number): FloatArray {
    const out = floats(this.net.precision, total.length);
    for (let i = 0; i < total.length; i++) out[i] = total[i]! * factor;
    return out;
  }
}

/** total += part. */
export function accumulate(total: Float64Array, part: FloatArray): void {
  for (let i = 0; i < total.length; i++) total[i] = total[i]! + part[i]!;
}

/** Where the named slots sit in the flat vector, in layout order; everything without names. @throws {DomainError} on an unknown name */
export function columnsOf(layout: readonly ParameterSlot[], slots: readonly string[] | undefined): { offset: number; length: number }[] {
  if (slots) checkArray('slots', slots);
  for (const name of slots ?? []) {
    if (!layout.some((slot) => slot.name === name))
      throw new DomainError(`slots: expected names from the layout (${layout.map((slot) => slot.name).join(', ')}), got '${name}'`);
  }
  const chosen = slots ? layout.filter(({ name }) => slots.includes(name)) : layout;
  return chosen.map(({ offset, shape }) => ({ offset, length: sizeOf(shape) }));
}
