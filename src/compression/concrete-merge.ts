import { checkAborted } from '../core/batches.js';
import { asRecord, checkArray, checkInteger, checkLength, checkMethods, checkOneOf, checkPositive } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import type { Batch, DifferentiableModel, Inputs, LongOptions } from '../core/model-types.js';
import { Random } from '../core/random.js';
import { readLong } from '../core/stepper.js';
import { type FloatArray, floats, type NumberArray, type TensorLike } from '../core/tensor.js';
import { adam } from '../optimizers/index.js';
import { ConcreteMask } from './concrete-mask.js';
import { predictionEntropy } from './prediction-entropy.js';
import { taskArithmeticMerge, taskSum } from './task-arithmetic-merge.js';

export interface ConcreteMergeOptions extends LongOptions {
  /** λ of the merge (0.3). */
  readonly scale?: number;
  /** Doubt of the merged model on the batches' inputs (entropy), or its loss on their labels (loss). */
  readonly objective?: 'entropy' | 'loss';
  /** Steps of Adam on the mask's logits (100), one batch each in turn, and its rate (0.1). */
  readonly steps?: number;
  readonly learningRate?: number;
  /** Of the mask (0.5), and its logits at the start (5). */
  readonly temperature?: number;
  readonly initial?: number;
  readonly seed?: number;
}

/**
 * Learns one mask for the differences of all experts: gradient steps on a relaxed Bernoulli mask lower the entropy (or loss) of the merged
 * model; then the mask is drawn and cut at ½.
 *
 * @param model any with these parameters and a vjp (OnnxModel, DenseModel); its parameters are as before afterwards
 * @param base θ₀ [d], `experts` θ_k [d]
 * @param batches unlabelled inputs of the tasks in turn (labels are read by objective loss only)
 * @param options `scale` (0.3), `objective` (entropy), `steps` (100), `learningRate` (0.1), `temperature` (0.5), `initial` (5), `seed` (0), `signal`, `onProgress`
 * @returns `parameters` [d], `mask` [d] of 0 and 1, `logits` [d], `history` of the objective
 * @throws {ShapeError | DomainError} when lengths differ or a value is out of range; {AbortError}
 * @see Tang et al. 2023, arXiv:2312.06173, §3
 */
export async function concreteMerge(
  model: DifferentiableModel & { vjp(x: Inputs, cotangent: TensorLike): Promise<FloatArray> },
  base: NumberArray,
  experts: readonly NumberArray[],
  batches: readonly Batch[],
  options: ConcreteMergeOptions = {},
): Promise<{ parameters: FloatArray; mask: Uint8Array; logits: Float64Array; history: number[] }> {
  const { scale = 0.3, objective = 'entropy', steps = 100, learningRate = 0.1, temperature = 0.5, initial = 5 } = readLong(options);
  checkOneOf('objective', objective, ['entropy', 'loss']);
  checkInteger('steps', steps, 0);
  checkPositive('learningRate', learningRate);
  checkMethods(
    'model',
    model,
    'a differentiable model',
    'getParameters',
    'setParameters',
    ...(objective === 'loss' ? ['gradient'] : ['predict', 'vjp']),
  );
  checkArray('batches', batches);
  batches.forEach((batch, i) => {
    asRecord(`batches[${i}]`, batch, '{ x, y }');
  });
  if (batches.length === 0) throw new ShapeError('batches: expected at least one, got none');
  const sum = taskSum(base, experts);
  checkLength('base', sum, model.parameterCount);
  const random = new Random(options.seed ?? 0);
  const concrete = new ConcreteMask({ logits: new Float64Array(sum.length).fill(initial), temperature });
  const optimizer = adam({ learningRate });
  const state = optimizer.init(concrete.logits);
  const original = model.getParameters();
  const history: number[] = [];
  try {
    for (let step = 0; step < steps; step++) {
      checkAborted(options.signal);
      const batch = batches[step % batches.length] as Batch;
      const { values: m, backward } = concrete.sample(random);
      model.setParameters(merged(model, base, experts, scale, m));
      const { value, grad } = objective === 'loss' ? await model.gradient(batch) : await doubt(model, batch);
      history.push(value);
      // θ = θ₀ + λ T∘m/μ with μ = mean(m): ∂/∂m_i = λ(g_i T_i − Σ_j g_j T_j m_j/(d μ))/μ
      let [mu, carried] = [0, 0];
      for (let k = 0; k < m.length; k++) {
        mu += (m[k] as number) / m.length;
        carried += (grad[k] as number) * (sum[k] as number) * (m[k] as number);
      }
      const slopes = Float64Array.from(m, (_, k) => (scale * ((grad[k] as number) * (sum[k] as number) - carried / (m.length * mu))) / mu);
      optimizer.step(concrete.logits, backward(slopes), state);
      options.onProgress?.({ done: step + 1, total: steps, phase: 'merging' });
    }
  } finally {
    model.setParameters(original);
  }
  const drawn = concrete.sample(random).values;
  const mask = Uint8Array.from(drawn, (v) => (v > 0.5 ? 1 : 0));
  return { parameters: merged(model, base, experts, scale, mask), mask, logits: concrete.logits, history };
}

function merged(
  model: DifferentiableModel,
  base: NumberArray,
  experts: readonly NumberArray[],
  scale: number,
  mask: ArrayLike<number>,
): FloatArray {
  const out = floats(model.precision, model.parameterCount);
  out.set(taskArithmeticMerge(base, experts, { scale, mask }));
  return out;
}

async function doubt(
  model: DifferentiableModel & { vjp(x: Inputs, cotangent: TensorLike): Promise<FloatArray> },
  { x }: Batch,
): Promise<{ value: number; grad: FloatArray }> {
  const { value, grad } = predictionEntropy(await model.predict(x));
  return { value, grad: await model.vjp(x, grad) };
}
