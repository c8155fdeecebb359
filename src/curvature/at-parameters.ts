// Evaluating a model away from its parameters, and simple vector steps.
import type { DifferentiableModel } from '../core/model-types.js';
import type { FloatArray } from '../core/tensor.js';
import { floats } from '../core/tensor.js';

/** Runs `work` with the model at parameters `w` and puts the old ones back, also when it throws. */
export async function atParameters<R>(model: DifferentiableModel, w: FloatArray, work: () => Promise<R>): Promise<R> {
  const before = model.getParameters();
  model.setParameters(w);
  try {
    return await work();
  } finally {
    model.setParameters(before);
  }
}

/** w + scale·step in the model's precision. */
export function moved(model: DifferentiableModel, w: FloatArray, step: ArrayLike<number>, scale = 1): FloatArray {
  const out = floats(model.precision, w.length);
  for (let i = 0; i < w.length; i++) out[i] = w[i]! + scale * step[i]!;
  return out;
}

/** A vector in the precision of a model. */
export function asModelVector(model: DifferentiableModel, v: ArrayLike<number>): FloatArray {
  const out = floats(model.precision, v.length);
  out.set(v);
  return out;
}
