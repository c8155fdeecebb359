import { asRecord, checkFinite, checkInteger, checkLength, checkNotEmpty, checkOneOf, checkRange } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import { asTensor, isFloatArray, sizeOf, type TensorLike } from '../core/tensor.js';

export interface DynamicFilterMaskOptions {
  /** r: share of a sample's energy that the kept filters must hold, 0 … 1. */
  readonly mass: number;
  /** A filter's energy: the largest or the mean |activation| of its places (max). */
  readonly pooling?: 'max' | 'mean';
}

export interface DynamicFilterMaskResult {
  /** [n, c]: 1 = computed for this sample. */
  readonly mask: Uint8Array;
  /** Filters kept for every sample. */
  readonly counts: Int32Array;
  /** [n, c]. */
  readonly energies: Float64Array;
}

/**
 * The filters that matter for each sample: sorted by energy, the fewest whose energies reach `mass` of the sum; ties by index. A sample
 * without energy keeps none. These are the targets that a light head learns to predict from the layer's input.
 *
 * @param activations [n, c, …] of one layer
 * @param options `mass`, `pooling` (max)
 * @returns `mask`, `counts`, `energies`
 * @throws {ShapeError | DomainError} when the activations have no channels or are not finite
 * @see Elkerdawy et al. 2022 (FTWT), arXiv:2110.08232, §3.2
 */
export function dynamicFilterMask(activations: TensorLike, options: DynamicFilterMaskOptions): DynamicFilterMaskResult {
  const { mass, pooling = 'max' } = asRecord('options', options, '{ mass }');
  const { data, shape } = asTensor('activations', activations);
  checkRange('mass', mass, 0, 1);
  checkOneOf('pooling', pooling, ['max', 'mean']);
  if (shape.length < 2) throw new ShapeError(`activations: expected [n, channels, …], got [${shape.join(', ')}]`);
  if (!isFloatArray(data)) throw new DomainError('activations: expected float32 or float64 numbers');
  checkFinite('activations', data);
  const [n = 0, c = 0] = shape;
  const places = sizeOf(shape.slice(2));
  const energies = new Float64Array(n * c);
  for (let f = 0; f < n * c; f++) {
    let [sum, top] = [0, 0];
    for (let p = f * places; p < (f + 1) * places; p++) {
      const v = (data[p] as number) < 0 ? -(data[p] as number) : (data[p] as number);
      sum += v;
      if (v > top) top = v;
    }
    energies[f] = pooling === 'max' ? top : places ? sum / places : 0;
  }
  const mask = new Uint8Array(n * c);
  const counts = new Int32Array(n);
  for (let s = 0; s < n; s++) {
    const e = energies.subarray(s * c, (s + 1) * c);
    const order = Array.from(e.keys()).sort((a, b) => (e[b] as number) - (e[a] as number) || a - b);
    // Summed in the order of the sort, so that the whole sum is reached exactly with the last filter that has any energy.
    const total = order.reduce((sum, f) => sum + (e[f] as number), 0);
    let reached = 0;
    for (const f of order) {
      if (reached >= mass * total) break;
      reached += e[f] as number;
      mask[s * c + f] = 1;
      counts[s] = (counts[s] as number) + 1;
    }
  }
  return { mask, counts, energies };
}

/**
 * Share of multiply-adds that dynamic masks save: a layer of n_l filters on n_{l−1} costs k_l·k_{l−1} of n_l·n_{l−1} for a sample that keeps
 * k_l of them; the input of the first layer is whole.
 *
 * @param counts filters kept, per layer and sample
 * @param widths channels of the input, then filters of every layer
 * @param work multiply-adds of each whole layer (n_l·n_{l−1} by default)
 * @returns `perLayer` shares saved, and `total` weighted by the layers' work
 * @throws {ShapeError | DomainError} when lengths differ
 * @see Elkerdawy et al. 2022 (FTWT), arXiv:2110.08232, §4
 */
export function dynamicFlops(
  counts: readonly ArrayLike<number>[],
  widths: readonly number[],
  work?: readonly number[],
): { perLayer: Float64Array; total: number } {
  checkNotEmpty('counts', counts);
  checkLength('widths', widths, counts.length + 1);
  for (const width of widths) checkInteger('widths', width, 1);
  const samples = counts[0]?.length ?? 0;
  checkInteger('samples', samples, 1);
  const whole = work ?? counts.map((_, l) => (widths[l] as number) * (widths[l + 1] as number));
  checkLength('work', whole, counts.length);
  const perLayer = new Float64Array(counts.length);
  let [saved, all] = [0, 0];
  for (const [l, kept] of counts.entries()) {
    checkLength(`counts[${l}]`, kept, samples);
    let sum = 0;
    for (let s = 0; s < samples; s++)
      sum += (kept[s] as number) * (l ? ((counts[l - 1] as ArrayLike<number>)[s] as number) : (widths[0] as number));
    perLayer[l] = 1 - sum / samples / ((widths[l] as number) * (widths[l + 1] as number));
    saved += (perLayer[l] as number) * (whole[l] as number);
    all += whole[l] as number;
  }
  return { perLayer, total: saved / all };
}
