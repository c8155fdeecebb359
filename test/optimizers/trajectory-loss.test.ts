// systems/171: Sharpness-Aware Training for Free (SAF and MESA).
import { Random } from '../../src/core/random.js';
import type { FloatArray } from '../../src/core/tensor.js';
import { hessianOperator } from '../../src/curvature/operators.js';
import { topEigenvalues } from '../../src/curvature/top-eigenvalues.js';
import { LogitMemory, sam, sgd, trajectoryLoss } from '../../src/optimizers/index.js';
import { expectClose, numericalGradient, randomF64 } from '../helpers/close.js';
import { noisyBlobs } from './noisy-blobs.js';

const shape = [4, 3];

test('systems/171: the gradient is that of differences, and of λT²·KL written out', () => {
  const [z, past] = [randomF64(12, 1), randomF64(12, 2)];
  const options = { temperature: 2, weight: 0.7 };
  const value = (x: Float64Array) => trajectoryLoss({ data: x, shape }, { data: past, shape }, options).value;
  const { grad, value: total, perSample } = trajectoryLoss({ data: z, shape }, { data: past, shape }, options);
  expectClose(grad.data, numericalGradient(value, z), { atol: 1e-9 });
  const softmax = (x: Float64Array) => {
    const e = x.map((v) => Math.exp(v / 2));
    return e.map((v) => v / e.reduce((a, b) => a + b, 0));
  };
  const want = [0, 1, 2, 3].map((i) => {
    const [p, q] = [softmax(z.slice(3 * i, 3 * i + 3)), softmax(past.slice(3 * i, 3 * i + 3))];
    return q.reduce((sum, v, j) => sum + v * Math.log(v / p[j]!), 0);
  });
  expectClose(perSample, want, { rtol: 1e-12 });
  expectClose(
    total,
    want.reduce((sum, v) => sum + (0.7 * 4 * v) / 4, 0),
    { rtol: 1e-12 },
  );
});

test('systems/171: identical past logits give 0, shifted ones too, huge ones stay finite', () => {
  const z = randomF64(12, 1);
  for (const past of [z, z.map((x) => x + 5)]) {
    const { value, grad } = trajectoryLoss({ data: z, shape }, { data: past, shape });
    expectClose(value, 0, { atol: 1e-14 });
    expectClose(grad.data, new Float64Array(12), { atol: 1e-15 });
  }
  expect(Number.isFinite(trajectoryLoss({ data: z.map((x) => 1e5 * x), shape }, { data: z, shape }).value)).toBe(true);
});

test('the memory answers with the logits of `delay` epochs ago, and with nothing before that', () => {
  const memory = new LogitMemory(5, 2, { delay: 2 });
  for (let epoch = 0; epoch < 6; epoch++) {
    const past = memory.past(epoch, [4, 0]);
    if (epoch < 2) expect(past).toBeUndefined();
    else expectClose(past!.data, [epoch - 2 + 40, epoch - 2 + 41, epoch - 2, epoch - 1]);
    memory.record(epoch, [0, 4], { data: Float32Array.of(epoch, epoch + 1, epoch + 40, epoch + 41), shape: [2, 2] });
  }
  expect(() => memory.record(0, [9], { data: Float32Array.of(1, 2), shape: [1, 2] })).toThrow(
    /indices: expected an integer from 0 to 4, got 9/,
  );
  expect(() => memory.record(0, [1], { data: Float32Array.of(1), shape: [1, 1] })).toThrow(/logits: expected shape \[1, 2\], got \[1, 1\]/);
});

/** Trains on a noisy problem to a training loss of 0.3, with λ = 0.3, T = 5, E = 3 from epoch 5 where there is a weight, SAM's radius else. */
async function sharpnessOf(problem: number, weight: number, rho: number): Promise<{ sharpness: number; gradients: number; steps: number }> {
  const { model, train, n, k } = noisyBlobs(problem);
  const optimizer = sgd({ learningRate: 0.2, momentum: 0.9 });
  const w = model.getParameters() as Float64Array;
  const state = optimizer.init(w);
  const memory = new LogitMemory(n, k, { delay: 3 });
  const random = new Random(problem);
  let [gradients, steps] = [0, 0];
  for (let epoch = 0; epoch < 400 && (await model.loss(train)) > 0.3; epoch++) {
    const order = random.permutation(n);
    for (let from = 0; from < n; from += 32) {
      const indices = order.slice(from, from + 32);
      const x = { data: gather(train.x.data, indices), shape: [indices.length, 8] };
      const y = Int32Array.from(indices, (i) => train.y[i]!);
      const logits = await model.predict(x);
      // The gradient in the logits: cross-entropy plus the trajectory term; one backward pass takes it to the parameters.
      const seed = softmaxSeed(logits.data as Float64Array, y, k);
      const past = memory.past(epoch, indices);
      if (weight > 0 && past && epoch >= 5) {
        const { grad } = trajectoryLoss(logits, past, { weight, temperature: 5 });
        for (let i = 0; i < seed.length; i++) seed[i] = seed[i]! + grad.data[i]!;
      }
      memory.record(epoch, indices, logits);
      steps++;
      if (rho > 0) {
        const at = (point: FloatArray) => {
          gradients++;
          model.setParameters(point);
          return model.gradient({ x, y });
        };
        await sam(optimizer, { rho }).step(w, at, state);
      } else {
        gradients++;
        optimizer.step(w, await model.vjp(x, { data: seed, shape: [indices.length, k] }), state);
      }
      model.setParameters(w);
    }
  }
  expect(await model.loss(train)).toBeLessThanOrEqual(0.3);
  const [sharpness] = (await topEigenvalues(hessianOperator(model, train), { verify: false, tolerance: 1e-3 })).values;
  model.dispose();
  return { sharpness: sharpness!, gradients, steps };
}

test('systems/171: at equal training loss on noisy labels, over five problems at the values of the papers, it is flatter than SGD and than SAM, with one gradient a step', async () => {
  const means = [0, 0, 0];
  for (const problem of [51, 52, 53, 54, 55]) {
    const [plain, free, twice] = [
      await sharpnessOf(problem, 0, 0),
      await sharpnessOf(problem, 0.3, 0),
      await sharpnessOf(problem, 0, 0.05),
    ] as const;
    expect(twice.gradients).toBe(2 * twice.steps);
    expect(free.gradients).toBe(free.steps);
    for (const [i, { sharpness }] of [plain, free, twice].entries()) means[i] = means[i]! + Math.log(sharpness) / 5;
  }
  const [plain, free, twice] = means.map(Math.exp);
  // Four sets of five other problems: .55, .74, .74 and .69 of SGD's, .59, .86, .76 and .73 of SAM's.
  expect(free!).toBeLessThan(0.9 * plain!);
  expect(free!).toBeLessThan(twice!);
});

function gather(data: Float64Array, indices: ArrayLike<number>): Float64Array {
  const out = new Float64Array(indices.length * 8);
  for (let row = 0; row < indices.length; row++) out.set(data.subarray(indices[row]! * 8, indices[row]! * 8 + 8), row * 8);
  return out;
}

/** (softmax − one-hot)/n. */
function softmaxSeed(z: Float64Array, y: Int32Array, k: number): Float64Array {
  const out = new Float64Array(z.length);
  for (let i = 0; i < y.length; i++) {
    const row = z.subarray(i * k, (i + 1) * k);
    const top = Math.max(...row);
    const e = row.map((v) => Math.exp(v - top));
    const sum = e.reduce((a, b) => a + b, 0);
    for (let j = 0; j < k; j++) out[i * k + j] = (e[j]! / sum - (j === y[i] ? 1 : 0)) / y.length;
  }
  return out;
}

test('shapes that differ, and temperatures that are not positive, are refused by name', () => {
  const a = { data: new Float64Array(6), shape: [2, 3] };
  expect(() => trajectoryLoss(a, { data: new Float64Array(6), shape: [3, 2] })).toThrow(/past: expected shape \[2, 3\], got \[3, 2\]/);
  expect(() => trajectoryLoss(a, a, { temperature: 0 })).toThrow(/temperature: expected a number > 0, got 0/);
});
