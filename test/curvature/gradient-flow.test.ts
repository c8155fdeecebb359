// systems/219: Gradient Descent Monotonically Decreases the Sharpness of Gradient Flow Solutions in Scalar Networks and Beyond.
import { Random } from '../../src/core/random.js';
import { gradientFlow, gradientFlowSharpness, scalarFlowSharpness } from '../../src/curvature/gradient-flow.js';
import { sharpnessTrace } from '../../src/curvature/sharpness-trace.js';
import { expectClose } from '../helpers/close.js';
import { network, noData, quadratic, scalarNetwork } from '../helpers/quadratic.js';

test('systems/219: closed form, integrated flow with Lanczos, and a tiny-step Euler flow agree on a scalar network', async () => {
  const start = [2, 0.7, 0.5];
  const { sharpness, solution } = scalarFlowSharpness(start);
  const flow = await gradientFlowSharpness(scalarNetwork(start), noData, { tolerance: 1e-10, gradientTolerance: 1e-7 });
  expect(flow.converged).toBe(true);
  expectClose(flow.parameters, solution, { rtol: 1e-6 });
  expectClose(flow.sharpness, sharpness, { rtol: 1e-6 });
  const w = [...start];
  for (let i = 0; i < 200_000; i++) {
    const product = w[0]! * w[1]! * w[2]!;
    const step = w.map((x) => (1e-4 * (product - 1) * product) / x);
    for (let j = 0; j < 3; j++) w[j] = w[j]! - step[j]!;
  }
  expectClose(w, solution, { rtol: 1e-4 });
  for (let i = 0; i < 3; i++) expectClose(solution[i]! ** 2 - solution[0]! ** 2, start[i]! ** 2 - start[0]! ** 2, { atol: 1e-12 });
});

test('systems/219: over 1000 random starts gradient descent never increases the sharpness of the flow’s solution', () => {
  const random = new Random(5);
  for (let trial = 0; trial < 1000; trial++) {
    const depth = 2 + random.integer(4);
    // Balanced up to a spread, near the solution set; the learning rate puts 2/η between φ/√2 and φ·2: the region of the theorem.
    let w = Float64Array.from({ length: depth }, () => 1 + random.uniform());
    const { sharpness: initial, solution } = scalarFlowSharpness(w);
    w = solution.map((x) => x * (1 + 0.05 * (random.uniform() - 0.5)));
    const learningRate = (1 + random.uniform() * (2 * Math.SQRT2 - 1)) / initial;
    let before = scalarFlowSharpness(w).sharpness;
    for (let step = 0; step < 60; step++) {
      const product = w.reduce((p, x) => p * x, 1);
      w = w.map((x) => x - (learningRate * (product - 1) * product) / x);
      if (!(w.reduce((p, x) => p * x, 1) > 0)) break; // left the region
      const { sharpness } = scalarFlowSharpness(w);
      expect(sharpness).toBeLessThanOrEqual(before * (1 + 1e-10));
      before = sharpness;
    }
  }
});

test('systems/219: gradient descent on a scalar network ends where φ is just below 2/η', () => {
  const learningRate = 0.4;
  let w = Float64Array.of(2.4, 0.8, 0.55);
  expect(scalarFlowSharpness(w).sharpness).toBeGreaterThan(2 / learningRate);
  for (let step = 0; step < 4000; step++) {
    const product = w.reduce((p, x) => p * x, 1);
    w = w.map((x) => x - (learningRate * (product - 1) * product) / x);
  }
  const { sharpness } = scalarFlowSharpness(w);
  expect(sharpness).toBeLessThanOrEqual(2 / learningRate);
  expect(sharpness).toBeGreaterThan((2 / learningRate) * 0.95);
});

test('systems/219: for a two-layer tanh network the flow’s sharpness falls while the loss itself goes up and down', async () => {
  const { model, batch } = network([2, 10, 1], 50, { loss: 'mse', seed: 4 });
  const learningRate = 0.6;
  const start = model.getParameters();
  const phi: number[] = [];
  const losses: number[] = [];
  for (let step = 0; step < 60; step++) {
    const { value, grad } = await model.gradient(batch);
    losses.push(value);
    if (step % 20 === 0)
      phi.push((await gradientFlowSharpness(model, batch, { gradientTolerance: 1e-3, maxSteps: 400, tolerance: 1e-4 })).sharpness);
    model.setParameters(model.getParameters().map((x, i) => x - learningRate * grad[i]!) as Float64Array);
  }
  expect(start).not.toEqual(model.getParameters());
  expect(losses.some((loss, i) => i > 0 && loss > losses[i - 1]!)).toBe(true);
  expect(phi.every((value, i) => i === 0 || value <= phi[i - 1]! * 1.02)).toBe(true);
  expect(phi.at(-1)!).toBeLessThan(phi[0]!);
});

test('flow on a quadratic stops at its minimum, and leaves the model as it was', async () => {
  const model = quadratic([3, 0.5], [1, -2]);
  const flow = await gradientFlow(model, noData);
  expect(flow.converged).toBe(true);
  expectClose(flow.parameters, [0, 0], { atol: 3e-5 });
  expect([...model.getParameters()]).toEqual([1, -2]);
  expect(await gradientFlow(quadratic([1], [0]), noData)).toMatchObject({ steps: 0, converged: true });
  expect((await gradientFlow(model, noData, { maxSteps: 2 })).converged).toBe(false);
});

test('a sharpness trace of gradient descent on a quadratic is flat, and stops when the loss overflows', async () => {
  const { history, limit } = await sharpnessTrace(quadratic([3, 0.5], [1, -2]), noData, { learningRate: 0.5, steps: 5 });
  expect(limit).toBe(4);
  expectClose(
    history.map(({ sharpness }) => sharpness),
    Array(6).fill(3),
    { rtol: 1e-12 },
  );
  const diverged = await sharpnessTrace(quadratic([3, 0.5], [1, -2]), noData, { learningRate: 1e200, steps: 50 });
  expect(diverged.history.length).toBeLessThan(5);
});

test('products that are not positive, and learning rates that are not, are refused by name', async () => {
  expect(() => scalarFlowSharpness([1, -1])).toThrow(/product of weights: expected a number > 0, got -1/);
  expect(() => scalarFlowSharpness([])).toThrow(/weights: expected at least one element/);
  await expect(sharpnessTrace(quadratic([1], [1]), noData, { learningRate: 0 })).rejects.toThrow(/learningRate: expected a number > 0/);
});
