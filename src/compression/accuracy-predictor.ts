import { checkAborted } from '../core/batches.js';
import { asRecord, checkArray, checkFinite, checkInteger, checkLength, checkPositive } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import type { LongOptions } from '../core/model-types.js';
import { Random } from '../core/random.js';
import { readLong } from '../core/stepper.js';
import { DenseModel } from '../dense/index.js';
import { adam } from '../optimizers/index.js';

export interface AccuracyPredictorOptions extends LongOptions {
  /** Widths that every layer may take. */
  readonly choices: readonly number[];
  /** Units of both hidden layers (32), steps of Adam over all examples (400), its rate (0.01). */
  readonly hidden?: number;
  readonly steps?: number;
  readonly learningRate?: number;
  readonly seed?: number;
}

export interface AccuracyPredictor {
  /** What a configuration is predicted to score. @throws {DomainError} for widths that were no choice */
  predict(bits: readonly number[]): Promise<number>;
  /** Mean squared error on the examples, in units of their variance. */
  readonly error: number;
  dispose(): void;
}

/**
 * A small network that predicts how well a configuration of bits does, from examples that were measured: what `mixedPrecisionSearch` asks
 * in place of an evaluation. One-hot widths of all layers, two hidden layers, least squares.
 *
 * @param examples `bits` of every layer with their measured `value` (an accuracy, or a loss)
 * @param options `choices`, `hidden` (32), `steps` (400), `learningRate` (0.01), `seed` (0), `signal`, `onProgress`
 * @returns `predict(bits)`, `error` on the examples, `dispose()`
 * @throws {ShapeError | DomainError} when examples do not fit together or an option is out of range; {AbortError}
 * @see Xu et al. 2023 (EQ-Net), arXiv:2308.07650, §3.4; Cai et al. 2020, arXiv:1908.09791
 */
export async function accuracyPredictor(
  examples: readonly { readonly bits: readonly number[]; readonly value: number }[],
  options: AccuracyPredictorOptions,
): Promise<AccuracyPredictor> {
  const { choices, hidden = 32, steps = 400, learningRate = 0.01, seed = 0, signal, onProgress } = readLong(options, '{ choices }');
  checkInteger('hidden', hidden, 1);
  checkInteger('steps', steps, 0);
  checkPositive('learningRate', learningRate);
  checkArray('examples', examples);
  checkArray('choices', choices);
  examples.forEach((example, i) => {
    checkArray(`examples[${i}].bits`, asRecord(`examples[${i}]`, example, '{ bits, value }').bits);
  });
  const layers = examples[0]?.bits.length ?? 0;
  if (layers === 0 || choices.length === 0) throw new ShapeError('examples: expected at least one with bits, and choices, got none');
  const values = Float64Array.from(examples, ({ value }) => value);
  checkFinite('examples', values);
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const spread = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) * (v - mean), 0) / values.length) || 1;
  const width = layers * choices.length;
  const encode = (bits: readonly number[], out: Float64Array, at: number): void => {
    checkLength('bits', bits, layers);
    for (const [l, b] of bits.entries()) {
      const place = choices.indexOf(b);
      if (place < 0) throw new DomainError(`bits: expected one of ${choices.join(', ')} for every layer, got ${b}`);
      out[at + l * choices.length + place] = 1;
    }
  };
  const x = { data: new Float64Array(examples.length * width), shape: [examples.length, width] };
  for (const [i, { bits }] of examples.entries()) encode(bits, x.data, i * width);
  const y = { data: values.map((v) => (v - mean) / spread), shape: [values.length, 1] };

  const random = new Random(seed);
  const layer = (out: number, inputs: number, activation: 'tanh' | 'identity') => ({
    weight: { data: random.fill(new Float64Array(out * inputs)).map((v) => v / Math.sqrt(inputs)), shape: [out, inputs] },
    bias: new Float64Array(out),
    activation,
  });
  const model = DenseModel.create({
    layers: [layer(hidden, width, 'tanh'), layer(hidden, hidden, 'tanh'), layer(1, hidden, 'identity')],
    loss: 'mse',
  });
  const params = model.getParameters();
  const optimizer = adam({ learningRate });
  const state = optimizer.init(params);
  for (let step = 0; step < steps; step++) {
    checkAborted(signal);
    const { grad } = await model.gradient({ x, y });
    optimizer.step(params, grad, state);
    model.setParameters(params);
    onProgress?.({ done: step + 1, total: steps, phase: 'predictor' });
  }
  return {
    error: await model.loss({ x, y }),
    predict: async (bits) => {
      const one = new Float64Array(width);
      encode(bits, one, 0);
      const { data } = await model.predict({ data: one, shape: [1, width] });
      return mean + spread * (data[0] as number);
    },
    dispose: () => model.dispose(),
  };
}
