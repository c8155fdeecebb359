import { asRecord, checkFiniteNumber, checkFunction, checkInteger, checkLength } from '../core/check.js';
import { asFloats, type FloatArray, floats, type NumberArray, precisionOf } from '../core/tensor.js';

/**
 * How well two sets of weights are joined by a straight line: ½(l₀ + l₁) − l(t*), where the error along the line is farthest from that
 * mean. Below 0 is a barrier, about 0 a flat connection, above 0 a better place in between. Equal distances go to the smallest t.
 *
 * @param error error of the weights, such as the share of training samples misclassified (with batch norms estimated anew)
 * @param start weights [d] at t = 0
 * @param end weights [d] at t = 1
 * @param options `points` on the line, both ends counted (11)
 * @returns `value`, the `t` it was taken at, `errors` at all points
 * @throws {ShapeError | DomainError} when lengths differ, or an error is not finite
 * @see Zhou et al. 2023, arXiv:2305.18383, §3; Garipov et al. 2018, arXiv:1802.10026
 */
export async function modeConnectivity(
  error: (weights: FloatArray) => number | Promise<number>,
  start: NumberArray,
  end: NumberArray,
  options: { readonly points?: number } = {},
): Promise<{ value: number; t: number; errors: Float64Array }> {
  const { points = 11 } = asRecord('options', options);
  checkFunction('error', error);
  const [from, to] = [asFloats('start', start), asFloats('end', end)];
  checkLength('end', to, from.length);
  checkInteger('points', points, 2);
  const errors = new Float64Array(points);
  for (let i = 0; i < points; i++) {
    const t = i / (points - 1);
    const w = floats(precisionOf(from), from.length);
    for (let k = 0; k < w.length; k++) w[k] = (1 - t) * (from[k] as number) + t * (to[k] as number);
    const at = await error(w);
    checkFiniteNumber('error', at);
    errors[i] = at;
  }
  const [first, last] = [errors[0] as number, errors[points - 1] as number];
  // Both ends are equally far from their mean, to the last bit: the first wins.
  const below = errors.map((at, i) => (i === 0 ? (last - first) / 2 : i === points - 1 ? (first - last) / 2 : (first + last) / 2 - at));
  let best = 0;
  for (let i = 1; i < points; i++) if (Math.abs(below[i] as number) > Math.abs(below[best] as number)) best = i;
  return { value: below[best] as number, t: best / (points - 1), errors };
}
