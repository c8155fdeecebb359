import { asRecord, checkInteger, checkLength, checkRange } from '../core/check.js';
import { asFloats, type NumberArray } from '../core/tensor.js';

/**
 * How often a gradient changes its sign: the share of consecutive steps with opposite signs, 0 … 1; zeros count as no sign and no change.
 *
 * @param history gradient of one parameter at every step; at least two
 * @throws {DomainError} when there are fewer
 * @see GAQAT (gradient-adaptive quantisation-aware training), its measure of conflict
 */
export function gradientDisorder(history: NumberArray): number {
  const g = asFloats('history', history);
  checkInteger('history.length', g.length, 2);
  let flips = 0;
  for (let t = 1; t < g.length; t++) if ((g[t] as number) * (g[t - 1] as number) < 0) flips++;
  return flips / (g.length - 1);
}

export interface ScaleFreezerOptions {
  /** Quantiser scales that are watched. */
  readonly scales: number;
  /** Steps between two decisions (100). */
  readonly window?: number;
  /** Scales with less disorder lose their task gradient for the next window (0.3). */
  readonly threshold?: number;
}

/**
 * Decides which quantiser scales follow the task loss: after every window, scales whose task gradient hardly changes sign are stuck between
 * the task and a flatness term; they follow the flatness term alone until the next decision, all others follow both.
 *
 * @param options `scales`, `window` (100), `threshold` (0.3)
 * @throws {DomainError} when an option is out of range
 * @see GAQAT: gradient-adaptive quantization-aware training for domain generalization
 */
export class ScaleFreezer {
  readonly #window: number;
  readonly #threshold: number;
  readonly #last: Float64Array;
  readonly #flips: Int32Array;
  readonly #frozen: Uint8Array;
  #steps = 0;

  constructor(options: ScaleFreezerOptions) {
    const { scales, window = 100, threshold = 0.3 } = asRecord('options', options, '{ scales }');
    checkInteger('scales', scales, 1);
    checkInteger('window', window, 2);
    checkRange('threshold', threshold, 0, 1);
    this.#window = window;
    this.#threshold = threshold;
    this.#last = new Float64Array(scales);
    this.#flips = new Int32Array(scales);
    this.#frozen = new Uint8Array(scales);
  }

  /** 1 where the task gradient is left out at present. */
  get frozen(): Uint8Array {
    return this.#frozen.slice();
  }

  /** The gradient to use in this step, from that of the task and that of the flatness term. @throws {ShapeError} */
  combine(task: NumberArray, smooth: NumberArray): Float64Array {
    const [a, b] = [asFloats('task', task), asFloats('smooth', smooth)];
    checkLength('task', a, this.#last.length);
    checkLength('smooth', b, this.#last.length);
    const out = Float64Array.from(a, (v, i) => (this.#frozen[i] ? 0 : v) + (b[i] as number));
    for (let i = 0; i < a.length; i++) {
      if (this.#steps > 0 && (a[i] as number) * (this.#last[i] as number) < 0) this.#flips[i]!++;
      this.#last[i] = a[i] as number;
    }
    if (++this.#steps === this.#window) {
      for (let i = 0; i < a.length; i++) this.#frozen[i] = (this.#flips[i] as number) / (this.#window - 1) < this.#threshold ? 1 : 0;
      this.#flips.fill(0);
      this.#steps = 0;
    }
    return out;
  }
}
