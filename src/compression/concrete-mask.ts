import { asRecord, checkFinite, checkFloats, checkLength, checkPositive } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import { Random } from '../core/random.js';
import { asFloats, type NumberArray } from '../core/tensor.js';
import { exp, log } from '../kernels/scalar.js';

export interface ConcreteMaskOptions {
  /** x [d]: the chance of an entry is σ(x). Kept and changed by the caller's optimizer. */
  readonly logits: Float64Array;
  /** T (0.5): towards 0 samples become 0 or 1. */
  readonly temperature?: number;
}

export interface ConcreteSample {
  /** m [d], between 0 and 1. */
  readonly values: Float64Array;
  /** ∂L/∂x from ∂L/∂m, for the noise of this sample. */
  readonly backward: (grad: NumberArray) => Float64Array;
}

/**
 * A relaxed Bernoulli mask: m = σ((x + log u − log(1 − u))/T) with u uniform on (0, 1), differentiable in x.
 *
 * @see Maddison, Mnih & Teh 2017, arXiv:1611.00712; Jang, Gu & Poole 2017, arXiv:1611.01144; for merging: Tang et al. 2023, arXiv:2312.06173
 */
export class ConcreteMask {
  readonly logits: Float64Array;
  readonly temperature: number;

  /** @throws {DomainError} when the temperature is not > 0 or logits are not finite */
  constructor(options: ConcreteMaskOptions) {
    const { logits, temperature = 0.5 } = asRecord('options', options, '{ logits }');
    checkPositive('temperature', temperature);
    checkFloats('logits', logits);
    checkFinite('logits', logits);
    this.logits = logits;
    this.temperature = temperature;
  }

  /** A sample for given u [d] in (0, 1), or for uniform draws from a generator. @throws {ShapeError | DomainError} */
  sample(noise: Random | NumberArray): ConcreteSample {
    const { logits, temperature } = this;
    const u = noise instanceof Random ? Float64Array.from(logits, () => inside(noise)) : asFloats('noise', noise);
    checkLength('noise', u, logits.length);
    const values = new Float64Array(logits.length);
    for (let k = 0; k < values.length; k++) {
      const v = u[k] as number;
      if (!(v > 0 && v < 1)) throw new DomainError(`noise: expected numbers between 0 and 1, got ${v} at index ${k}`);
      const t = ((logits[k] as number) + log(v) - log(1 - v)) / temperature;
      const e = exp(-Math.abs(t));
      values[k] = t >= 0 ? 1 / (1 + e) : e / (1 + e);
    }
    const backward = (grad: NumberArray): Float64Array => {
      const g = asFloats('grad', grad);
      checkLength('grad', g, values.length);
      return values.map((m, k) => ((g[k] as number) * m * (1 - m)) / temperature);
    };
    return { values, backward };
  }
}

function inside(random: Random): number {
  for (;;) {
    const u = random.uniform();
    if (u > 0) return u;
  }
}
