import fc from 'fast-check';
import { channelLayers, inputShape, layerModel, shapeOf } from '../../src/compression/channel-layers.js';
import { channelAllocation } from '../../src/compression/index.js';
import { Random } from '../../src/core/random.js';
import { type Attribute, Graph, type Model, modelOf } from '../../src/onnx/graph.js';
import { evaluateModel as evaluate } from '../../src/onnx/reference/index.js';
import { node, weight } from '../helpers/models.js';

interface Problem {
  levels: number[][];
  losses: number[][];
  /** Convolutions between neighbouring groups: cost of a pair of channel counts, in blocks. */
  block: number;
}

/** Time of a chain of layers whose kernels compute blocks of outputs. */
const chain =
  (block: number) =>
  (kept: readonly number[]): number =>
    kept.reduce((sum, out, g) => sum + (g ? (kept[g - 1] as number) : 3) * block * Math.ceil(out / block), 0);

const problems = fc
  .record({ groups: fc.integer({ min: 1, max: 4 }), seed: fc.nat(1e6), block: fc.constantFrom(1, 4, 16) })
  .map(({ groups, seed, block }): Problem => {
    const random = new Random(seed);
    const levels = Array.from({ length: groups }, () => [4, 8, 12, 16].slice(0, 2 + random.integer(3)));
    const losses = levels.map((counts) => {
      let loss = 0;
      return counts
        .map(() => (loss += random.uniform()))
        .reverse()
        .map((value) => value - random.uniform() * 0.01);
    });
    return { levels, losses, block };
  });

/** Least loss of all allocations within the limits. */
function exhaustive({ levels, losses, block }: Problem, channels: number, limit: number): number {
  let best = Infinity;
  const visit = (kept: number[], loss: number): void => {
    const g = kept.length;
    if (g === levels.length) {
      if (kept.reduce((a, b) => a + b) <= channels && chain(block)(kept) <= limit) best = Math.min(best, loss);
      return;
    }
    for (const [l, count] of levels[g]!.entries()) visit([...kept, count], loss + losses[g]![l]!);
  };
  visit([], 0);
  return best;
}

test('limits are kept, and the loss is mostly the least there is: never below it, at worst half more of what is lost', async () => {
  let [exact, all] = [0, 0];
  await fc.assert(
    fc.asyncProperty(problems, fc.double({ min: 0.4, max: 0.9, noNaN: true }), async (problem, share) => {
      const { levels, losses, block } = problem;
      const top = levels.map((counts) => counts.at(-1)!);
      const [channels, limit] = [share * top.reduce((a, b) => a + b), share * chain(block)(top)];
      const want = exhaustive(problem, channels, limit);
      const found = channelAllocation({ levels, losses, channels, limit, time: chain(block) });
      if (want === Infinity) return expect(found).rejects.toThrow(/limit: expected limits that the smallest levels keep/);
      const { kept, loss, time, channels: used } = await found;
      expect(time).toBe(chain(block)(kept));
      expect(used).toBe(kept.reduce((a, b) => a + b));
      expect(used <= channels && time <= limit).toBe(true);
      expect(loss).toBeGreaterThanOrEqual(want - 1e-12);
      const least = losses.reduce((sum, values) => sum + Math.min(...values), 0);
      expect(loss - least).toBeLessThanOrEqual(1.5 * (want - least) + 1e-9);
      all++;
      if (loss < want + 1e-9) exact++;
      return undefined;
    }),
    { numRuns: 300, seed: 1 },
  );
  expect(exact).toBeGreaterThan(0.95 * all);
});

test('without limits everything stays; channels alone go where they cost least; time alone in steps of a block', async () => {
  const levels = [
    [8, 16, 24, 32],
    [32, 8, 24, 16], // any order
  ];
  const losses = [
    [9, 5, 2, 0],
    [0, 0.9, 0.2, 0.5],
  ];
  expect(await channelAllocation({ levels, losses })).toEqual({ kept: [32, 32], loss: 0, time: 0, channels: 64 });
  expect((await channelAllocation({ levels, losses, channels: 40 })).kept).toEqual([32, 8]);
  // Blocks of 16 outputs: 24 costs what 32 costs, so nothing between is taken.
  const time = chain(16);
  const { kept } = await channelAllocation({ levels, losses, time, limit: time([32, 16]) });
  expect(kept).toEqual([32, 16]);
});

test('the search stops by its signal, and bad input is refused by name', async () => {
  const levels = [[1, 2]];
  const losses = [[1, 0]];
  const aborted = AbortSignal.abort();
  await expect(channelAllocation({ levels, losses, signal: aborted })).rejects.toThrow(/abort/);
  await expect(channelAllocation({ levels: [], losses: [] })).rejects.toThrow(/levels: expected at least one group, got none/);
  await expect(channelAllocation({ levels: [[]], losses: [[]] })).rejects.toThrow(/levels\[0\]: expected at least one number of channels/);
  await expect(channelAllocation({ levels, losses: [[1]] })).rejects.toThrow(/losses\[0\]: expected 2 elements, got 1/);
  await expect(channelAllocation({ levels, losses: [[1, NaN]] })).rejects.toThrow(/losses\[0\]/);
  await expect(channelAllocation({ levels, losses, limit: 1 })).rejects.toThrow(/time: expected a function with a limit, got none/);
  await expect(channelAllocation({ levels, losses, channels: 0 })).rejects.toThrow(/channels: expected a number > 0, got 0/);
  await expect(channelAllocation({ levels, losses, limit: 1, time: () => NaN })).rejects.toThrow(/time: expected a number >= 0, got NaN/);
});

/** Conv, depthwise Conv, Conv, Flatten, Gemm. */
function network(): Model {
  const graph = new Graph();
  const random = new Random(3);
  const w = (name: string, ...shape: number[]): string => weight(graph, random, name, shape);
  const int = (value: number): Attribute => ({ type: 'int', value });
  const pads: Attribute = { type: 'ints', value: [1, 1, 1, 1] };
  graph.inputs = [{ name: 'x', type: 'float64', shape: ['N', 2, 4, 4] }];
  graph.outputs = [{ name: 'logits', type: 'float64', shape: ['N', 3] }];
  node(graph, 'Conv', ['x', w('c1', 6, 2, 3, 3), w('c1b', 6)], 'a', { pads });
  node(graph, 'Conv', ['a', w('d', 6, 1, 3, 3)], 'depthwise', { pads, group: int(6) });
  node(graph, 'Conv', ['depthwise', w('c2', 5, 6, 1, 1)], 'b');
  node(graph, 'Flatten', ['b'], 'flat');
  node(graph, 'Gemm', ['flat', w('g', 3, 80)], 'logits', { transB: int(1) });
  return modelOf(graph, 13);
}

test('layers follow the channels that groups keep, and each is a model that runs: its copies sum up', () => {
  const like = network();
  const layers = channelLayers(like.graph);
  const kept = [4, 2];
  expect(layers.map((layer) => shapeOf(layer, kept))).toEqual([
    [4, 2, 3, 3],
    [4, 1, 3, 3],
    [2, 4, 1, 1],
    [3, 32],
  ]);
  const wholes = [
    [7, 2, 4, 4],
    [7, 6, 4, 4],
    [7, 6, 4, 4],
    [7, 80],
  ];
  const inputs = [
    [7, 2, 4, 4],
    [7, 4, 4, 4],
    [7, 4, 4, 4],
    [7, 32],
  ];
  for (const [i, layer] of layers.entries()) {
    const shape = shapeOf(layer, kept);
    const input = inputShape(layer, shape, wholes[i]!);
    expect(input).toEqual(inputs[i]);
    const x = { data: new Float64Array(input.reduce((a, b) => a * b)).fill(1), shape: input };
    const [one, three] = [1, 3].map((copies) => {
      const model = layerModel(layer, { shape, input, copies, outputs: ['out', 'again'], like });
      return evaluate(model, { x });
    });
    expect(three!.again!.shape).toEqual(one!.out!.shape);
    // Copy i has i times the weights of the first: 1 + 2 + 3.
    for (const [k, value] of (one!.out!.data as Float64Array).entries()) expect(Number(three!.out!.data[k])).toBeCloseTo(6 * value, 10);
  }
});
