import { Random } from '../../src/core/random.js';
import { progressivePartial, semanticPartial } from '../../src/transport/index.js';
import { randomF64 } from '../helpers/close.js';

const shaped = (data: Float64Array, cols: number) => ({ data, shape: [data.length / cols, cols] });

test('systems/228: no similarity is P²OT bit by bit', () => {
  const logits = shaped(randomF64(60, 1), 4);
  const one = semanticPartial({ logits, similarity: new Float64Array(225) }, { mass: 0.4 });
  expect([...one.plan]).toEqual([...progressivePartial({ logits }, { mass: 0.4 }).plan]);
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

test('a similarity of the wrong shape is refused by name', () => {
  expect(() => semanticPartial({ logits: [[1, 2]], similarity: [1, 2, 3] })).toThrow(/similarity: expected 1 x 1/);
});
