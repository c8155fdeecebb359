// systems/275: A Precise Characterization of SGD Stability Using Loss Surface Geometry.
import { coherenceOf, hessianCoherence, secondMomentRadius, sgdStabilityCondition } from '../../src/curvature/hessian-coherence.js';
import { eigh } from '../../src/linalg/eigh.js';
import { multiply, transpose } from '../../src/linalg/matrix.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { matrixOf, network } from '../helpers/quadratic.js';

const square = (data: Float64Array, d: number) => ({ data, shape: [d, d] });
const top = (data: Float64Array, d: number) => eigh(square(data, d), { vectors: false }).values.at(-1)!;
const outer = (u: ArrayLike<number>, scale = 1) =>
  Float64Array.from({ length: u.length ** 2 }, (_, i) => scale * u[Math.floor(i / u.length)]! * u[i % u.length]!);
const mean = (matrices: Float64Array[]) => matrices[0]!.map((_, i) => matrices.reduce((sum, m) => sum + m[i]! / matrices.length, 0));

/** n random PSD matrices of order d and rank r, as stacked rows and as matrices. */
function randomProblem(n: number, d: number, r: number, seed: number) {
  const rows = randomF64(n * r * d, seed);
  const matrices = Array.from({ length: n }, (_, i) => {
    const A = rows.slice(i * r * d, (i + 1) * r * d);
    return multiply(transpose(A, r, d), A, d, r, d);
  });
  return { rows: { data: rows, shape: [n * r, d] }, matrices };
}

test('systems/275: whenever the condition says unstable, the exact second-moment map has radius at least 1', async () => {
  let unstable = 0;
  for (let seed = 1; seed <= 150; seed++) {
    const [n, d, r] = [2 + (seed % 5), 3, 1 + (seed % 2)];
    const { rows, matrices } = randomProblem(n, d, r, seed);
    const { sigma, lambda1Mean } = await coherenceOf(rows, n, r);
    const learningRate = (0.3 + ((seed * 7) % 20) / 8) / lambda1Mean;
    const condition = sgdStabilityCondition({ lambda1: lambda1Mean, sigma, n, batchSize: 1 }, learningRate);
    if (!condition.unstable) continue;
    unstable++;
    const { radius } = secondMomentRadius(
      matrices.map((m) => square(m, d)),
      { learningRate, batchSize: 1 },
    );
    expect(radius).toBeGreaterThanOrEqual(1 - 1e-6);
  }
  expect(unstable).toBeGreaterThan(30);
});

test('systems/275: some sample has λ₁(H_i) ≥ n λ₁(H)/σ', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const [n, d, r] = [2 + (seed % 6), 4, 1 + (seed % 3)];
    const { rows, matrices } = randomProblem(n, d, r, seed);
    const found = await coherenceOf(rows, n, r);
    expectClose(found.lambda1Mean, top(mean(matrices), d), { rtol: 1e-8 });
    expect(Math.max(...found.lambda1PerSample)).toBeGreaterThanOrEqual((n * found.lambda1Mean) / found.sigma - 1e-9);
  }
});

test('systems/275: identical rank-one samples have σ = n, orthogonal ones 1, identical ones of full rank more than n', async () => {
  const n = 5;
  const u = randomF64(n, 3);
  const repeat = (row: Float64Array, times: number) => Float64Array.from({ length: row.length * times }, (_, i) => row[i % row.length]!);
  expectClose((await coherenceOf({ data: repeat(u, n), shape: [n, n] }, n, 1)).sigma, n, { rtol: 1e-9 });
  const identity = Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 2 : 0));
  expectClose((await coherenceOf({ data: identity, shape: [n, n] }, n, 1)).sigma, 1, { rtol: 1e-9 });
  expectClose((await coherenceOf({ data: repeat(identity, n), shape: [n * n, n] }, n, n)).sigma, n * Math.sqrt(n), { rtol: 1e-9 });
});

test('systems/275: σ copies of n/σ orthonormal directions turn unstable exactly at 2σ/(η(σ + n/B − 1))', () => {
  for (const sigma of [1, 2, 4]) {
    for (const batchSize of [1, 2, 3]) {
      const [n, learningRate] = [8, 0.1];
      const groups = n / sigma;
      const critical = (2 * sigma) / (learningRate * (sigma + n / batchSize - 1));
      const radiusAt = (lambda1: number) => {
        const hessians = Array.from({ length: n }, (_, i) => {
          const unit = new Float64Array(groups);
          unit[i % groups] = 1;
          return square(outer(unit, (lambda1 * n) / sigma), groups);
        });
        return secondMomentRadius(hessians, { learningRate, batchSize }).radius;
      };
      expect(radiusAt(critical * 0.999)).toBeLessThan(1);
      expect(radiusAt(critical * 1.001)).toBeGreaterThan(1);
    }
  }
});

test('systems/275: Gram blocks give the coherence of the dense Gauss–Newton matrices of a network, for both losses', async () => {
  for (const loss of ['cross-entropy', 'mse'] as const) {
    const { model, batch } = network([3, 4, 4, 3], 6, { loss });
    const d = model.parameterCount;
    const found = await hessianCoherence(model, batch);
    const matrices: Float64Array[] = [];
    const x = batch.x.data as Float64Array;
    for (let i = 0; i < 6; i++) {
      const one = {
        x: { data: x.slice(i * 3, i * 3 + 3), shape: [1, 3] },
        y: 'data' in batch.y ? { data: (batch.y.data as Float64Array).slice(i * 3, i * 3 + 3), shape: [1, 3] } : batch.y.slice(i, i + 1),
      };
      matrices.push(await matrixOf(d, (v) => model.ggnvp(one, v)));
    }
    for (let i = 0; i < 6; i++) {
      expectClose(found.lambda1PerSample[i]!, top(matrices[i]!, d), { rtol: 1e-9 });
      for (let j = 0; j < 6; j++) {
        const overlap = Math.sqrt(matrices[i]!.reduce((sum, a, l) => sum + a * matrices[j]![l]!, 0));
        expectClose(found.coherence.data[i * 6 + j]!, overlap, { rtol: 1e-9 });
      }
    }
    expectClose(found.lambda1Mean, top(mean(matrices), d), { rtol: 1e-9 });
    expectClose(found.sigma, found.lambda1Coherence / Math.max(...found.lambda1PerSample), { rtol: 1e-12 });
  }
});

test('full batches have the limit of gradient descent, 2/λ₁, and radius (1 − ηλ)² at most', () => {
  const condition = sgdStabilityCondition({ lambda1: 4, sigma: 1.5, n: 10, batchSize: 10 }, 0.4);
  expect(condition).toMatchObject({ unstable: false, largestLearningRate: 0.5, stochasticLimit: Infinity });
  const h = square(Float64Array.of(4, 0, 0, 1), 2);
  expectClose(secondMomentRadius([h], { learningRate: 0.4, batchSize: 1 }).radius, 0.36, { rtol: 1e-8 });
});

test('bad problems are refused by name', () => {
  expect(() => sgdStabilityCondition({ lambda1: 1, sigma: 0, n: 4, batchSize: 1 }, 0.1)).toThrow(/sigma: expected a number > 0, got 0/);
  expect(() => sgdStabilityCondition({ lambda1: 1, sigma: 1, n: 4, batchSize: 5 }, 0.1)).toThrow(
    /batchSize: expected at most n = 4, got 5/,
  );
  expect(() => secondMomentRadius([], { learningRate: 0.1, batchSize: 1 })).toThrow(/hessians: expected at least one matrix, got none/);
});
