import { checkInteger, checkNonNegative, checkOneOf, checkPositive } from '../core/check.js';
import type { Data, DifferentiableModel, LongOptions } from '../core/model-types.js';
import { Random } from '../core/random.js';
import { readLong, stepper } from '../core/stepper.js';
import { atParameters, moved } from './at-parameters.js';
import { checkModel } from './operators.js';
import { meanAndError } from './probes.js';
import { ascend, type Sharpness } from './sam-sharpness.js';

export interface AdaptiveSharpness extends Sharpness {
  /** ρ·‖c∘g‖ in the dual norm: the rise the gradient predicts. */
  readonly firstOrder: number;
  /** With `average`: mean rise over random perturbations, and its standard error. */
  readonly average: { readonly mean: number; readonly standardError: number } | undefined;
}

/**
 * Adaptive sharpness: SAM sharpness measured in units of the weights themselves, so that rescaling layers leaves it as it is.
 *   maximise L(w + δ) − L(w) over ‖δ/c‖_p ≤ ρ to first order, c = |w| + η
 *   p = 2: δ = ρ c²∘g/‖c∘g‖₂ (ASAM);  p = ∞: δ = ρ c∘sign(g);  average: E L(w + δ) − L(w) over δ ~ N(0, ρ² diag(c²))
 *
 * @param model any DifferentiableModel; its parameters are put back; @param data the loss is the mean over it
 * @param options `rho` (0.05), `norm` 'l2' | 'linf' ('l2'), `eta` (0.01 for l2 as in ASAM, 0 for linf), `average` number of random
 *   perturbations (0: none), `seed` (0), `signal`, `onProgress`
 * @returns as `samSharpness`, with `firstOrder` and `average`
 * @throws {DomainError} when rho is not > 0, or eta is negative
 * @see Kwon et al. 2021, arXiv:2102.11600 (ASAM); Andriushchenko et al. 2023, arXiv:2302.07011 (worst and average case)
 */
export async function adaptiveSharpness(
  model: DifferentiableModel,
  data: Data,
  options: LongOptions & { rho?: number; norm?: 'l2' | 'linf'; eta?: number; average?: number; seed?: number } = {},
): Promise<AdaptiveSharpness> {
  checkModel(model, 'gradient', 'loss', 'getParameters', 'setParameters');
  const { rho = 0.05, norm: ball = 'l2', average = 0, seed = 0 } = readLong(options);
  checkOneOf('norm', ball, ['l2', 'linf']);
  const { eta = ball === 'l2' ? 0.01 : 0 } = options;
  checkPositive('rho', rho);
  checkNonNegative('eta', eta);
  checkInteger('average', average, 0);
  const step = stepper(options, average + 2);
  const { value, grad } = await step(() => model.gradient(data));
  const w = model.getParameters();
  const scale = Float64Array.from(w, (x) => Math.abs(x) + eta);
  const weighted = scale.map((c, i) => c * grad[i]!);
  const dual = ball === 'l2' ? Math.sqrt(weighted.reduce((sum, x) => sum + x * x, 0)) : weighted.reduce((sum, x) => sum + Math.abs(x), 0);
  const epsilon = scale.map((c, i) => {
    if (dual === 0) return 0;
    return ball === 'l2' ? (rho * c * weighted[i]!) / dual : rho * c * Math.sign(grad[i]!);
  });
  const worst = await step(() => ascend(model, data, value, epsilon));
  const random = new Random(seed);
  const rises: number[] = [];
  for (let s = 0; s < average; s++) {
    const away = scale.map((c) => rho * c * random.normal());
    rises.push((await step(() => atParameters(model, moved(model, w, away), () => model.loss(data)))) - value);
  }
  const { mean, error } = meanAndError(rises);
  return { ...worst, firstOrder: rho * dual, average: average > 0 ? { mean, standardError: error } : undefined };
}
