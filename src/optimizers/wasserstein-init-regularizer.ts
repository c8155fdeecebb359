// Every layer is held to the distribution of its initial weights, not to the weights themselves.
import { checkFinite, checkLength } from '../core/check.js';
import type { ParameterSlot } from '../core/model-types.js';
import { asFloats, type FloatArray, floats, precisionOf } from '../core/tensor.js';
import { orderRows } from '../kernels/wasserstein1d.js';
import { withArena } from '../runtime/instance.js';
import { checkSlots, sizeOf } from './slots.js';
import type { Penalty } from './spectral-regularizer.js';

/**
 * Wasserstein regularizer towards the initial weights: Σ_layers ‖sort(w) − sort(w₀)‖², for every layer its number of weights times the
 * squared 1-D Wasserstein-2 distance of their values. Weights may trade places for nothing; the gradient is 2(w − T(w)) with T the
 * monotone transport map. Equal values are taken in the order of their places.
 *
 * @param initial [d] parameters at the start
 * @param layout `layout` of a model; every slot is a distribution of its own
 * @returns `evaluate(params)` -> { value, grad [d] }; add a multiple (1e-4 … 1e-2) of `grad` to the gradient of the loss
 * @throws {ShapeError} when lengths differ; {DomainError} on NaN, or slots that overlap
 * @see Lewandowski et al. 2024, arXiv:2406.06811v1, §4
 */
export function wassersteinInitRegularizer(
  initial: FloatArray,
  layout: readonly ParameterSlot[],
): { evaluate(params: FloatArray): Penalty } {
  const size = checkSlots(layout);
  const start = asFloats('initial', initial);
  checkLength('initial', start, size);
  checkFinite('initial', start);
  const ranges = layout.map(({ offset, shape }) => ({ offset, count: sizeOf(shape) }));
  const sorted = ranges.map(({ offset, count }) => {
    const part = start.subarray(offset, offset + count);
    return Float64Array.from(order(part), (i) => part[i]!);
  });
  return {
    evaluate(params) {
      const w = asFloats('params', params);
      checkLength('params', w, size);
      checkFinite('params', w);
      const grad = floats(precisionOf(w), size);
      let value = 0;
      ranges.forEach(({ offset, count }, layer) => {
        const places = order(w.subarray(offset, offset + count));
        for (let rank = 0; rank < count; rank++) {
          const at = offset + places[rank]!;
          const gap = w[at]! - sorted[layer]![rank]!;
          value += gap * gap;
          grad[at] = 2 * gap;
        }
      });
      return { value, grad };
    },
  };
}

/** The ascending order of values, stable. */
function order(values: FloatArray): Int32Array {
  return withArena((arena) => arena.take(orderRows(arena, arena.putAs(precisionOf(values), values), values.length)));
}
