// What products with one curvature share: the passes of a batch that comes again, and sums of chunks.
import type { FloatArray } from '../core/tensor.js';
import { sameBits } from '../kernels/memory.js';
import { type Arena, type Real, slice } from '../runtime/arena.js';
import type { Instance } from '../runtime/instance.js';
import { type LossSeeds, lossSeeds, type Rows } from './batch.js';
import { type BackPass, backPass, forward, type Network, type Trace } from './passes.js';

/** Bytes of passes that may be kept between calls. */
const keptBytes = 2 ** 25;

/** One chunk of a batch, ready for products along any direction. */
export interface Prepared {
  readonly trace: Trace;
  readonly seeds: LossSeeds;
  /** For products with the Hessian. */
  readonly back: BackPass | undefined;
}

/** Everything about `count` rows from `start` on that a product of this order needs and its direction does not move. */
export function prepare(
  arena: Arena,
  net: Network,
  w: Real,
  rows: Rows,
  start: number,
  count: number,
  order: 1 | 2,
  scale: number,
): Prepared {
  const width = net.layers[0]!.inputs;
  const input = arena.put(rows.x.subarray(start * width, (start + count) * width));
  const trace = forward(arena, net, w, input, count, order);
  const seeds = lossSeeds(arena, net, rows, start, trace, true, scale);
  return { trace, seeds, back: order === 2 ? backPass(arena, net, w, trace, seeds.delta) : undefined };
}

interface Kept {
  readonly prepared: readonly Prepared[];
  readonly order: 1 | 2;
  readonly labels: Int32Array | undefined;
  readonly targets: FloatArray | undefined;
  readonly weights: FloatArray;
}

/**
 * Passes that outlive a call. A batch is kept when its inputs are the same array as those of the call before, and used again while
 * the numbers in it are equal: inputs, labels or weights that were changed in place are noticed. Blocks lie right above the parameters in the
 * arena.
 */
export class KeptPasses {
  readonly #instance: Instance;
  readonly #net: Network;
  readonly #w: Real;
  readonly #floor: ReturnType<Instance['arena']['mark']>;
  #last: Rows['given'] | undefined;
  #kept: Kept | undefined;
  /** Inputs that were found equal to the kept ones when their call began. */
  #matched: FloatArray | undefined;

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
    this.#matched = undefined;
  }

  /** Whether these are still the passes that are kept. */
  hold(prepared: readonly Prepared[]): boolean {
    return this.#kept?.prepared === prepared;
  }

  /** Whether inputs are the kept ones, number by number. The call that asks may rely on it when it comes to `of`. */
  matches(x: FloatArray): boolean {
    this.#matched = this.#kept && this.#equal(this.#kept.prepared, x) ? x : undefined;
    return this.#matched !== undefined;
  }

  /** The passes of a batch in chunks of `limit` rows, if they are kept or worth keeping. Called when no block lies above the kept ones. */
  of(rows: Rows, order: 1 | 2, limit: number, scale: number): readonly Prepared[] | undefined {
    const { x, given, count, labels, targets, weights } = rows;
    const kept = this.#kept;
    const known = kept && (this.#matched === x || this.#equal(kept.prepared, x));
    this.#matched = undefined;
    if (known && kept.order >= order && alike(kept.labels, labels) && alike(kept.targets, targets) && alike(kept.weights, weights))
      return kept.prepared;
    const again = this.#last === given;
    this.drop();
    this.#last = given;
    const widths = this.#net.layers.reduce((sum, { outputs }) => sum + 5 * outputs, this.#net.layers[0]!.inputs);
    if (!again || count * widths * x.BYTES_PER_ELEMENT > keptBytes) return undefined;
    const prepared = this.#instance.keep((arena) =>
      Array.from({ length: Math.ceil(count / limit) }, (_, c) =>
        prepare(arena, this.#net, this.#w, rows, c * limit, Math.min(limit, count - c * limit), order, scale),
      ),
    );
    this.#kept = { prepared, order, labels: labels?.slice(), targets: targets?.slice(), weights: weights.slice() };
    return prepared;
  }

  #equal(prepared: readonly Prepared[], x: FloatArray): boolean {
    if (prepared.reduce((sum, { trace }) => sum + trace.a[0]!.length, 0) !== x.length) return false;
    return this.#instance.run((arena) => {
      const given = arena.put(x);
      let at = 0;
      return prepared.every(({ trace }) => {
        const held = trace.a[0]!;
        at += held.length;
        return sameBits(held, slice<'f32' | 'f64'>(given, at - held.length, held.length) as Real);
      });
    });
  }
}

function alike(a: ArrayLike<number> | undefined, b: ArrayLike<number> | undefined): boolean {
  if (!a || !b || a.length !== b.length) return a === b;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Σ factor·part of parts [d]: a single part as it is, several in f64. */
export class ChunkSums {
  #single: FloatArray | undefined;
  #factor = 1;
  #total: Float64Array | undefined;

  /** Adds factor·part, which the caller may overwrite afterwards. */
  add(part: FloatArray, factor: number): void {
    if (!this.#single && !this.#total) {
      this.#single = part.slice();
      this.#factor = factor;
      return;
    }
    this.#total ??= Float64Array.from(this.#single!, (x) => x * this.#factor);
    for (let i = 0; i < part.length; i++) this.#total[i] = this.#total[i]! + factor * part[i]!;
  }

  /** The sum times a factor; `narrow` brings f64 totals back to the precision of the parts. */
  times(factor: number, narrow: (total: Float64Array, factor: number) => FloatArray): FloatArray {
    if (this.#total) return narrow(this.#total, factor);
    const sum = this.#single!;
    const whole = this.#factor * factor;
    // The weights of a single batch were divided by their sum, which `factor` then is the inverse of, to a rounding.
    if (Math.abs(whole - 1) > Number.EPSILON) for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! * whole;
    return sum;
  }
}
