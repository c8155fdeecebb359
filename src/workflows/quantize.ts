// A model in eight bits: ranges from calibration samples, QDQ nodes in the graph, and what that costs in loss and accuracy.

import {
  fakeQuantize,
  type IntegerType,
  mixedPrecisionSearch,
  type QuantizedLayer,
  qdqModel,
  qdqValues,
  quantizationRange,
  type WeightRounding,
} from '../compression/index.js';
import { batchesOf, checkAborted } from '../core/batches.js';
import { checkInteger, checkMethods, checkOneOf, checkRange } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { Batch, Data, LongOptions } from '../core/model-types.js';
import { readLong } from '../core/stepper.js';
import { type FloatArray, sizeOf, type Tensor } from '../core/tensor.js';
import type { Model } from '../onnx/graph.js';
import type { OnnxModel } from '../onnx/onnx-model.js';
import { type Evaluation, evaluate } from './evaluate.js';
import { gather } from './gather.js';
import { checkParameters, selectSlots } from './select.js';

export interface QuantizeModelOptions extends LongOptions {
  /** Integers for weights (int8), around zero (true) or with a zero point, one scale per output channel (true) or one per tensor. */
  readonly weightType?: IntegerType;
  readonly weightSymmetric?: boolean;
  readonly perChannel?: boolean;
  /** Scales and levels of weights: as in qdqModel (mse). */
  readonly rounding?: WeightRounding;
  /** Bits of every weight, 2 … 8 (8), stored in bytes. */
  readonly bits?: number;
  /** Most bits per weight on average: widths of 2, 3, 4, 6 and 8 bits are searched for by their loss on the calibration samples. */
  readonly budget?: number;
  /** Integers for activations (uint8), or none: weights only. */
  readonly activations?: IntegerType | 'none';
  readonly activationSymmetric?: boolean;
  /** How ranges of activations are found, as in quantizationRange (minmax), and the share inside for percentile (99.99). */
  readonly calibration?: 'minmax' | 'percentile' | 'mse';
  readonly percentile?: number;
  /** Calibration samples (256), at most those there are. */
  readonly samples?: number;
  /** Globs on names, nodes or operators: weights to quantise (all of Conv, Gemm, MatMul). */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly seed?: number;
}

export interface QuantizeModelResult {
  readonly model: Model;
  readonly before: Evaluation;
  readonly after: Evaluation;
  readonly perLayer: readonly (Omit<QuantizedLayer, 'scale' | 'zeroPoint'> & { readonly parameters: number })[];
  /** Bits per quantised weight, on average. */
  readonly meanBits: number;
  readonly seconds: number;
}

/** Widths that a search over layers may choose. */
const widths = [2, 3, 4, 6, 8];

/**
 * Post-training quantisation of an ONNX model; the model given stays as it is.
 *
 * @param data labelled samples: some calibrate, all measure `before` and `after`
 * @throws {DomainError | GraphError} when an option is out of range or the model has nothing to quantise; {AbortError} by `signal`
 * @see Jacob et al. 2018, arXiv:1712.05877; bits per layer: Xu et al. 2023 (EQ-Net), arXiv:2308.07650, §3.4
 */
export async function quantizeModel(model: OnnxModel, data: Data, options: QuantizeModelOptions = {}): Promise<QuantizeModelResult> {
  const { activations = 'uint8', samples = 256, seed = 0, rounding = 'mse', bits = 8, budget, signal, onProgress } = readLong(options);
  checkOneOf('activations', activations, ['int8', 'uint8', 'none']);
  checkOneOf('calibration', options.calibration ?? 'minmax', ['minmax', 'percentile', 'mse']);
  checkInteger('samples', samples, 1);
  checkInteger('bits', bits, 2, 8);
  if (budget !== undefined) checkRange('budget', budget, 2, 8);
  if (budget !== undefined && options.bits !== undefined)
    throw new DomainError('budget: expected either bits or a budget of bits per weight, got both');
  checkMethods('model', model, 'an OnnxModel', 'toModel', 'reopen', 'activations');
  checkParameters(model);
  const start = performance.now();
  const report = (done: number, phase: string): void => onProgress?.({ done, total: 4, phase });
  const weights = selectSlots(model.layout, options).map(({ name }) => name);
  const batches: Batch[] = [];
  for await (const batch of batchesOf(data)) batches.push(batch);
  const before = await evaluate(model, batches, { ...(signal && { signal }) });
  const float = model.toModel();
  const { batch: some } = await gather(batches, { samples, seed });

  report(1, 'calibrating');
  const inputs = await calibrate(model, some, activations === 'none' && rounding !== 'discrete' ? [] : qdqValues(float, { weights }));
  checkAborted(signal);
  const ranges = activations === 'none' ? undefined : rangesOf(inputs, activations, options);
  report(2, 'rounding');
  const chosen = budget === undefined ? bits : await searchBits(model, some, weights, budget, options);
  const { weightType = 'int8', weightSymmetric = true, perChannel = true, activationSymmetric = false } = options;
  const result = qdqModel(float, {
    weights,
    type: weightType,
    symmetric: weightSymmetric,
    perChannel,
    rounding,
    bits: chosen,
    inputs,
    ...(ranges && { ranges }),
    ...(activations !== 'none' && { activationType: activations }),
    activationSymmetric,
  });
  result.model.metadata.set('afterpass.quantize', JSON.stringify(recordOf(options)));
  checkAborted(signal);

  report(3, 'evaluating');
  const quantised = await model.reopen(result.model);
  try {
    const after = await evaluate(quantised, batches, { ...(signal && { signal }) });
    const sizes = new Map(model.layout.map(({ name, shape }) => [name, sizeOf(shape)]));
    const perLayer = result.layers.map(({ scale: _, zeroPoint: __, ...layer }) => ({ ...layer, parameters: sizes.get(layer.name) ?? 0 }));
    const total = perLayer.reduce((sum, { parameters }) => sum + parameters, 0);
    const meanBits = perLayer.reduce((sum, layer) => sum + layer.bits * layer.parameters, 0) / total;
    return { model: result.model, before, after, perLayer, meanBits, seconds: (performance.now() - start) / 1000 };
  } finally {
    quantised.dispose();
  }
}

async function calibrate(model: OnnxModel, batch: Batch, values: readonly string[]): Promise<Record<string, Tensor<FloatArray>>> {
  if (!values.length) return {};
  return (await model.activations(batch.x, values)) as Record<string, Tensor<FloatArray>>;
}

function rangesOf(
  inputs: Readonly<Record<string, Tensor<FloatArray>>>,
  type: IntegerType,
  { calibration = 'minmax', percentile = 99.99, activationSymmetric = false }: QuantizeModelOptions,
): Record<string, { low: number; high: number }> {
  const how = { method: calibration, percentile, type, symmetric: activationSymmetric };
  return Object.fromEntries(Object.entries(inputs).map(([name, { data }]) => [name, quantizationRange(data, how)]));
}

/** Bits of every weight within the budget that cost the least loss with the other weights in full. */
async function searchBits(
  model: OnnxModel,
  batch: Batch,
  weights: readonly string[],
  budget: number,
  { seed = 0, signal }: QuantizeModelOptions,
): Promise<Record<string, number>> {
  const slots = model.layout.filter(({ name }) => weights.includes(name));
  const original = model.getParameters();
  try {
    const { bits } = await mixedPrecisionSearch({
      choices: widths,
      sizes: slots.map(({ shape }) => sizeOf(shape)),
      budget,
      generations: 6,
      population: 16,
      seed,
      ...(signal && { signal }),
      evaluate: (chosen) => {
        const w = original.slice();
        for (const [i, { offset, shape }] of slots.entries()) {
          const end = offset + sizeOf(shape);
          w.set(fakeQuantize(original.subarray(offset, end), { bits: chosen[i] as number, perChannel: shape }).values, offset);
        }
        model.setParameters(w);
        return model.loss(batch);
      },
    });
    return Object.fromEntries(slots.map(({ name }, i) => [name, bits[i] as number]));
  } finally {
    model.setParameters(original);
  }
}

/** What was asked, as metadata. */
function recordOf({ signal: _, onProgress: __, ...options }: QuantizeModelOptions): object {
  return options;
}
