import { linearCka, magnitudePrune, modeConnectivity, pruneRegime } from '../../src/compression/index.js';
import { fit } from '../../src/workflows/index.js';
import { randomF64 } from '../helpers/close.js';
import { accuracy, clusters, network, pairedT } from './trained.js';

const features = { data: randomF64(60 * 4, 1), shape: [60, 4] };

test('systems/121 CKA is 1 under rotation, scale and shift, near 0 for unrelated features, and that of its definition', () => {
  expect(linearCka(features, features)).toBeCloseTo(1, 12);
  const [c, s] = [Math.cos(0.7), Math.sin(0.7)];
  const turned = Float64Array.from(features.data, (_, k) => {
    const row = features.data.subarray(4 * Math.floor(k / 4), 4 * Math.floor(k / 4) + 4);
    const out = [c * row[0]! - s * row[1]!, s * row[0]! + c * row[1]!, row[3]!, -row[2]!][k % 4]!;
    return -3.5 * out + 10 * (k % 4);
  });
  expect(linearCka(features, { data: turned, shape: [60, 4] })).toBeCloseTo(1, 12);
  expect(linearCka({ data: randomF64(20000, 2), shape: [5000, 4] }, { data: randomF64(15000, 3), shape: [5000, 3] })).toBeLessThan(0.01);
  expect(linearCka({ data: features.data.map((v) => v * 1e200), shape: [60, 4] }, features)).toBeCloseTo(1, 12);
  expect(linearCka({ data: new Float64Array(60).fill(2), shape: [60, 1] }, features)).toBe(0);
  // Against the kernel form: tr(KHLH)/√(tr(KHKH) tr(LHLH)).
  const other = { data: randomF64(60 * 3, 9).map((v, k) => v + features.data[Math.floor(k / 3) * 4]!), shape: [60, 3] };
  const gram = ({ data, shape }: { data: Float64Array; shape: number[] }): number[][] => {
    const p = shape[1]!;
    const centred = Float64Array.from(data, (v, k) => {
      let mean = 0;
      for (let r = 0; r < 60; r++) mean += data[r * p + (k % p)]! / 60;
      return v - mean;
    });
    return Array.from({ length: 60 }, (_, i) =>
      Array.from({ length: 60 }, (_, j) => {
        let sum = 0;
        for (let f = 0; f < p; f++) sum += centred[i * p + f]! * centred[j * p + f]!;
        return sum;
      }),
    );
  };
  const inner = (a: number[][], e: number[][]): number => a.reduce((sum, row, i) => sum + row.reduce((t, v, j) => t + v * e[i]![j]!, 0), 0);
  const [k, l] = [gram(features), gram(other)];
  expect(linearCka(features, other)).toBeCloseTo(inner(k, l) / Math.sqrt(inner(k, k) * inner(l, l)), 10);
});

test('systems/121 connectivity is 0 along a flat valley, not negative in a convex basin, and negative over a planted barrier', async () => {
  const valley = await modeConnectivity(([, y]) => y! * y!, [0, 0], [5, 0]);
  expect(valley).toMatchObject({ value: 0, t: 0 });
  for (let i = 0; i < 40; i++) {
    const centre = randomF64(3, i + 200);
    const error = (w: ArrayLike<number>): number => Array.from(w).reduce((sum, v, k) => sum + (k + 1) * (v - centre[k]!) ** 2, 0);
    // From the lower end: from the higher one a tie of both ends counts for the first, as below.
    const [from, to] = [randomF64(3, i), randomF64(3, i + 100)].sort((a, b) => error(a) - error(b)) as [Float64Array, Float64Array];
    expect((await modeConnectivity(error, from, to)).value).toBeGreaterThanOrEqual(0);
  }
  const hill = await modeConnectivity(([v]) => 1 - (v! - 0.5) ** 2, [0], [1]);
  expect(hill.value).toBeCloseTo(-0.25, 12);
  expect(hill.t).toBe(0.5);
  // Ends farthest of all: ±|l₁ − l₀|/2 tie, and the first wins.
  const slope = await modeConnectivity(([v]) => 0.2 + v!, [0], [1], { points: 3 });
  expect(slope).toMatchObject({ t: 0 });
  expect(slope.value).toBeCloseTo(0.5, 12);
});

test('systems/121 the regimes and what each asks for', () => {
  expect(pruneRegime(-0.2, 0.99)).toEqual({ regime: 'I', temperature: 'raise' });
  expect(pruneRegime(0, 0.5)).toEqual({ regime: 'II-A', temperature: 'lower' });
  expect(pruneRegime(-0.005, 0.95)).toEqual({ regime: 'II-B', temperature: 'keep' });
  expect(pruneRegime(-0.005, 0.95, { barrier: 0 })).toEqual({ regime: 'I', temperature: 'raise' });
});

/** Error on fresh data of a two-layer network trained at a temperature (small batches are hot), pruned by magnitude and retrained alike. */
async function errors(batchSize: number, densities: readonly number[], seed: number): Promise<number[]> {
  const train = clusters(800, 10 * seed + 2);
  const fresh = clusters(1000, 10 * seed + 3);
  const model = network([16, 64, 10], seed);
  await fit(model, train, { learningRate: 1e-2, batchSize, epochs: 20, seed });
  const dense = model.getParameters();
  const prunable = new Uint8Array(dense.length);
  for (const { role, offset, shape } of model.layout) if (role === 'weight') prunable.fill(1, offset, offset + shape[0]! * shape[1]!);
  const out = [];
  for (const density of densities) {
    const { weights, mask } = magnitudePrune(dense, { sparsity: 1 - density, prunable });
    model.setParameters(weights);
    await fit(model, train, { learningRate: 1e-3, batchSize: 20, epochs: 2, mask, seed });
    out.push(1 - (await accuracy(model, fresh)));
  }
  model.dispose();
  return out;
}

test('systems/121 of magnitude-pruned two-layer networks: a low temperature helps at high density and hurts at low density', async () => {
  // Paired over networks, each claim one-sided at 2.5 % (5 % for both). Twelve are too few: the first half of these gives t 1.6 at low
  // density. 24 and 48 others (scripts/prune-claims.mjs): t 4.5 and 6.1 at low density, 6.7 and 10.0 at high density.
  const densities = [0.1, 0.2, 0.5, 1];
  const [low, high]: number[][] = [[], []];
  for (let seed = 401; seed <= 424; seed++) {
    const [cold, hot] = [await errors(160, densities, seed), await errors(4, densities, seed)];
    const gain = densities.map((_, i) => hot[i]! - cold[i]!); // what a low temperature brings
    low!.push(-(gain[0]! + gain[1]!) / 2);
    high!.push((gain[2]! + gain[3]!) / 2);
  }
  expect(pairedT(low!)).toBeGreaterThan(2.069); // Student's t, 23 degrees of freedom
  expect(pairedT(high!)).toBeGreaterThan(2.069);
}, 60_000);

test('bad input is refused by name', async () => {
  expect(() => linearCka(features, { data: new Float64Array(3), shape: [3, 1] })).toThrow(/y: expected 60 samples as x, got 3/);
  expect(() => linearCka({ data: new Float64Array(3), shape: [3] }, features)).toThrow(/x: expected features \[n, p\]/);
  await expect(modeConnectivity(() => 0, [1], [1, 2])).rejects.toThrow(/end: expected 1 elements, got 2/);
  await expect(modeConnectivity(() => NaN, [1], [1])).rejects.toThrow(/error: expected/);
  expect(() => pruneRegime(0, 2)).toThrow(/similarity: expected a number from 0 to 1, got 2/);
});
