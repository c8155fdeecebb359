import { channelPrune, performanceAwareChannelPrune } from '../../src/compression/index.js';
import { toleranceDecay } from '../../src/compression/performance-aware-channel-prune.js';
import { Random } from '../../src/core/random.js';
import { Graph, graphTensor, type Model, modelOf } from '../../src/onnx/graph.js';
import { evaluateModel } from '../../src/onnx/reference/index.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { node, weight } from '../helpers/models.js';

/** Three hidden layers of four units, two outputs. */
function toy(seed = 1, outputs = 2): Model {
  const graph = new Graph();
  const random = new Random(seed);
  graph.inputs = [{ name: 'x', type: 'float64', shape: ['N', 3] }];
  graph.outputs = [{ name: 'y', type: 'float64', shape: ['N', outputs] }];
  let at = 'x';
  for (const [i, [rows, cols]] of [
    [3, 4],
    [4, 4],
    [4, 4],
  ].entries()) {
    node(graph, 'MatMul', [at, weight(graph, random, `w${i}`, [rows!, cols!])], `h${i}`);
    at = node(graph, 'Tanh', [`h${i}`], `t${i}`);
  }
  node(graph, 'MatMul', [at, weight(graph, random, 'w3', [4, outputs])], 'y');
  return modelOf(graph, 13);
}

const x = { data: randomF64(60, 4), shape: [20, 3] };
const outputs = (model: Model): Float64Array => evaluateModel(model, { x }).y!.data as Float64Array;

/** Squared distance to the outputs of the whole model, one loss per output column, on top of a floor. */
function lossesOf(model: Model, columns = 2): (candidate: Model) => number[] {
  const want = outputs(model);
  return (candidate) => {
    const got = outputs(candidate);
    return Array.from({ length: columns }, (_, c) => {
      let sum = 0;
      for (let k = c; k < want.length; k += columns) sum += (got[k]! - want[k]!) ** 2 / 20;
      return 0.1 + sum;
    });
  };
}

test('systems/98 the decay makes the product of all tolerances the budget, and is below 1 exactly when it must be', () => {
  for (const [tolerance, budget, n] of [
    [0.05, 5, 60],
    [0.05, 5, 10],
    [0.06, 6, 33],
    [0.5, 2, 3],
  ] as const) {
    const lambda = toleranceDecay(tolerance, budget, n);
    let product = 1;
    for (let i = 0; i < n; i++) product *= 1 + tolerance * lambda ** i;
    expectClose(product, budget, { rtol: 1e-10 });
    expect(lambda < 1).toBe((1 + tolerance) ** n > budget);
  }
});

test('systems/98 every accepted step keeps every task within its tolerance, and the final losses within the budget', async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const model = toy(seed);
    const losses = lossesOf(model);
    const { model: small, steps } = await performanceAwareChannelPrune(model, { losses, tolerance: 0.4, budget: 2 });
    for (const { ratio, tolerance } of steps) expect(ratio).toBeLessThanOrEqual(1 + tolerance);
    for (const [t, loss] of losses(small).entries()) expect(loss / losses(model)[t]!).toBeLessThanOrEqual(2 * (1 + 1e-9));
  }
});

test('systems/98 on three layers of four channels the greedy result never beats exhaustive search under the same budget, and gives away 1 to 5 of 9 channels', async () => {
  const gaps: number[] = [];
  for (let seed = 1; seed <= 4; seed++) {
    const model = toy(seed);
    const losses = lossesOf(model);
    const removed = (m: Model): number => 12 - channelPruneGroups(m);
    const greedy = (await performanceAwareChannelPrune(model, { losses, tolerance: 0.6, budget: 4 })).model;
    let best = 0;
    for (let c = 0; c < 64; c++) {
      const shares = [c & 3, (c >> 2) & 3, c >> 4].map((k) => k / 4);
      const candidate = channelPrune(model, { sparsity: shares }).model;
      const worst = Math.max(...losses(candidate).map((loss, t) => loss / losses(model)[t]!));
      if (worst <= 4) best = Math.max(best, removed(candidate));
    }
    expect(removed(greedy)).toBeLessThanOrEqual(best);
    gaps.push(best - removed(greedy));
  }
  // The fixed order and the decaying tolerance cost channels that the budget as a whole would allow: 3 of up to 9 on average.
  expect(gaps).toEqual([2, 4, 5, 1]);
});

function channelPruneGroups({ graph }: Model): number {
  return ['w0', 'w1', 'w2'].reduce((sum, name) => sum + graph.initializers.get(name)!.shape[1]!, 0);
}

test('systems/98 a layer that never violates is pruned at 0.95, where the released code leaves it whole', async () => {
  const { steps, model } = await performanceAwareChannelPrune(toy(), { losses: () => [1] });
  expect(steps.map(({ sparsity }) => sparsity)).toEqual([0.95, 0.95, 0.95]);
  expect(channelPruneGroups(model)).toBe(3);
});

test('systems/98 channels that one of two tasks depends on survive', async () => {
  const model = toy(3);
  const { graph } = model;
  // Unit 0 of the last layer alone carries the second task; its filter is small, so that norm alone would remove it first.
  const w2 = Float64Array.from(graph.initializers.get('w2')!.data as Float64Array, (v, k) => (k % 4 === 0 ? 0.05 * v : v));
  const w3 = Float64Array.of(0, 30, 1, 0, -1, 0, 0.7, 0);
  graph.initializers.set('w2', graphTensor('float64', w2, [4, 4]));
  graph.initializers.set('w3', graphTensor('float64', w3, [4, 2]));
  expect(channelPrune(model, { sparsity: [0, 0, 0.25] }).groups[2]!.kept.includes(0)).toBe(false);
  const { model: small } = await performanceAwareChannelPrune(model, { losses: lossesOf(model), tolerance: 0.3, budget: 1.5 });
  const kept = small.graph.initializers.get('w3')!;
  expect(Array.from(kept.data as Float64Array)).toContain(30);
});

test('the portion keeps the steps of least loss rise for what they save; bad input is refused by name', async () => {
  const all = await performanceAwareChannelPrune(toy(), { losses: lossesOf(toy()), tolerance: 0.6, budget: 4 });
  const some = await performanceAwareChannelPrune(toy(), { losses: lossesOf(toy()), tolerance: 0.6, budget: 4, portion: 0.5 });
  expect(some.steps.length).toBe(Math.floor(all.steps.length / 2));
  await expect(performanceAwareChannelPrune(toy(), { losses: () => [0] })).rejects.toThrow(/losses: expected a number > 0/);
  await expect(performanceAwareChannelPrune(toy(), { losses: () => [] })).rejects.toThrow(/losses: expected at least one element/);
});
