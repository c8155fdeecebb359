// What products with one curvature share: the forward passes of a batch that comes again, and sums of chunks.
import type { FloatArray } from '../core/tensor.js';
import type { Real } from '../runtime/arena.js';
import type { Instance } from '../runtime/instance.js';
import type { Rows } from './batch.js';
import { forward, type Network, type Trace } from './passes.js';

/** Bytes of forward passes that may be kept between calls. */
const keptBytes = 2 ** 25;

/**
 * Forward passes that outlive a call. A batch is kept when its inputs are the same array as those of the call before, and used again while
 * the numbers in it are equal: inputs that were changed in place are noticed. Blocks lie right above the parameters in the arena.
 */
export class KeptPasses {
  readonly #instance: Instance;
  readonly #net: Network;
  readonly #w: Real;
  readonly #floor: ReturnType<Instance['arena']['mark']>;
  #last: FloatArray | undefined;
  #kept: { traces: Trace[]; derivatives: 1 | 2 } | undefined;

  constructor(instance: Instance, net: Network, w: Real) {
    this.#instance = instance;
    this.#net = net;
    this.#w = w;
    this.#floor = instance.arena.mark();
  }

  /** Forgets everything: the parameters change. */
  drop(): void {
    if (this.#kept) this.#instance.arena.release(this.#floor);
    this.#kept = undefined;
    this.#last = undefined;
  }

  /** Whether these are still the passes that are kept. */
  hold(traces: readonly Trace[]): boolean {
    return this.#kept?.traces === traces;
  }

  /** The passes of a batch in chunks of `limit` rows, if they are kept or worth keeping. Called when no block lies above the kept ones. */
  of({ x, count }: Rows, derivatives: 1 | 2, limit: number): Trace[] | undefined {
    if (this.#kept && this.#kept.derivatives >= derivatives && this.#equal(this.#kept.traces, x)) return this.#kept.traces;
    const again = this.#last === x;
    this.drop();
    this.#last = x;
    const widths = this.#net.layers.reduce((sum, { outputs }) => sum + 3 * outputs, this.#net.layers[0]!.inputs);
    if (!again || count * widths * x.BYTES_PER_ELEMENT > keptBytes) return undefined;
    const width = this.#net.layers[0]!.inputs;
    const traces = this.#instance.keep((arena) =>
      Array.from({ length: Math.ceil(count / limit) }, (_, c) => {
        const input = arena.put(x.subarray(c * limit * width, Math.min(count, (c + 1) * limit) * width));
        return forward(arena, this.#net, this.#w, input, input.length / width, derivatives);
      }),
    );
    this.#kept = { traces, derivatives };
    return traces;
  }

  #equal(traces: readonly Trace[], x: FloatArray): boolean {
    let at = 0;
    for (const { a } of traces) {
      const held = this.#instance.arena.view(a[0]!);
      if (at + held.length > x.length) return false;
      for (let i = 0; i < held.length; i++) if (held[i] !== x[at + i]) return false;
      at += held.length;
    }
    return at === x.length;
  }
}

/** Σ of parts [d]: a single part as it is, several in f64. */
export class ChunkSums {
  #single: FloatArray | undefined;
  #total: Float64Array | undefined;

  /** Adds a part, which the caller may overwrite afterwards. */
  add(part: FloatArray): void {
    if (!this.#single && !this.#total) {
      this.#single = part.slice();
      return;
    }
    this.#total ??= Float64Array.from(this.#single!);
    for (let i = 0; i < part.length; i++) this.#total[i] = this.#total[i]! + part[i]!;
  }

  /** The sum times a factor; `narrow` brings f64 totals back to the precision of the parts. */
  times(factor: number, narrow: (total: Float64Array, factor: number) => FloatArray): FloatArray {
    if (this.#total) return narrow(this.#total, factor);
    const sum = this.#single!;
    for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! * factor;
    return sum;
  }
}
