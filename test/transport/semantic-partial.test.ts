import { Random } from '../../src/core/random.js';
import { progressivePartial, semanticPartial } from '../../src/transport/index.js';
import { expectClose, randomF64 } from '../helpers/close.js';

const shaped = (data: Float64Array, cols: number) => ({ data, shape: [data.length / cols, cols] });

test('systems/228: no similarity is P²OT', () => {
  const logits = shaped(randomF64(60, 1), 4);
  const one = semanticPartial({ logits, similarity: new Float64Array(225) }, { mass: 0.4 });
  expectClose(one.plan, progressivePartial({ logits }, { mass: 0.4 }).plan, { rtol: 1e-6, atol: 1e-12 });
});

test('systems/228: the objective never increases, for indefinite and negative similarities too', () => {
  for (let seed = 0; seed < 12; seed++) {
    const [n, k] = [12, 3];
    const S = randomF64(n * n, seed).map((x) => (seed % 3 === 0 ? -Math.abs(x) : x));
    const r = semanticPartial(
      { logits: shaped(randomF64(n * k, seed + 50), k), similarity: S },
      { mass: 0.8, semanticWeight: 40, outerIterations: 15, outerTolerance: 0, epsilon: 0.05, tolerance: 1e-11 },
    );
    for (let t = 1; t < r.objectives.length; t++) expect(r.objectives[t]!).toBeLessThanOrEqual(r.objectives[t - 1]! + 1e-9);
  }
});

test('systems/228: planted clusters with noisy logits are labelled better than without the semantic term', () => {
  const draw = new Random(3);
  const truth = Array.from({ length: 120 }, (_, i) => (i < 70 ? 0 : i < 105 ? 1 : 2));
  const logits = shaped(
    Float64Array.from({ length: 360 }, (_, at) => draw.normal() + (truth[Math.floor(at / 3)] === at % 3 ? 1.2 : 0)),
    3,
  );
  const features = shaped(
    Float64Array.from({ length: 360 }, (_, at) => 0.35 * draw.normal() + (truth[Math.floor(at / 3)] === at % 3 ? 1 : 0)),
    3,
  );
  const accuracy = (plan: ArrayLike<number>) =>
    truth.filter((label, i) => [0, 1, 2].reduce((best, j) => (plan[i * 3 + j]! > plan[i * 3 + best]! ? j : best), 0) === label).length /
    120;
  const options = { mass: 0.95, clusterPenalty: 0.5 };
  const plain = accuracy(progressivePartial({ logits }, options).plan);
  const semantic = accuracy(semanticPartial({ logits, features }, { ...options, semanticWeight: 60 }).plan);
  expect(semantic).toBeGreaterThan(plain + 0.05);
});

test('systems/228: the published loop in plain f64 and ours agree at ε = 0.1', () => {
  const [N, K, mass] = [12, 3, 0.5];
  const logits = { data: randomF64(N * K, 8).map((v) => 0.1 * v), shape: [N, K] };
  /** The published loop in plain f64, without absorption. */
  const plain = (epsilon: number) => {
    const M = Array.from({ length: N }, (_, i) => {
      const row = Array.from(logits.data.subarray(i * K, (i + 1) * K));
      const sum = Math.log(row.reduce((s, v) => s + Math.exp(v), 0));
      return [...row.map((v) => Math.exp((v - sum) / epsilon)), 1];
    });
    let [u, v] = [new Array<number>(N).fill(1), new Array<number>(K + 1).fill(1)];
    for (let k = 0; k < 5000; k++) {
      u = M.map((row) => 1 / N / row.reduce((s, m, j) => s + m * v[j]!, 0));
      v = v.map((_, j) => {
        const ratio = (j < K ? mass / K : 1 - mass) / M.reduce((s, row, i) => s + row[j]! * u[i]!, 0);
        return j < K ? ratio ** (1 / (1 + epsilon)) : ratio;
      });
    }
    return M.flatMap((row, i) => row.slice(0, K).map((m, j) => u[i]! * m * v[j]!));
  };
  for (const method of ['scaling', 'anderson', 'newton'] as const) {
    const options = { mass, method, tolerance: 1e-10, maxIterations: 20_000 };
    expectClose(progressivePartial({ logits }, { ...options, epsilon: 0.1 }).plan, plain(0.1), { atol: 1e-8 });
  }
});

test('a similarity of the wrong shape is refused by name', () => {
  expect(() => semanticPartial({ logits: [[1, 2]], similarity: [1, 2, 3] })).toThrow(/similarity: expected 1 x 1/);
});
