import { Random } from '../../src/core/random.js';
import { eigh } from '../../src/linalg/index.js';
import { assignment, buresBarycenter, buresFactorizationLoss, buresWasserstein } from '../../src/transport/index.js';
import { expectClose, numericalGradient, randomF64 } from '../helpers/close.js';

const tensor = (data: Float64Array, rows: number) => ({ data, shape: [rows, data.length / rows] });
/** Q diag(values) Qᵀ with a random orthonormal Q. */
function covariance(values: readonly number[], seed: number) {
  const d = values.length;
  const noise = randomF64(d * d, seed);
  const symmetric = noise.map((x, at) => x + noise[(at % d) * d + Math.floor(at / d)]!);
  const q = eigh(tensor(symmetric, d)).vectors.data as Float64Array;
  const data = new Float64Array(d * d);
  for (let i = 0; i < d; i++)
    for (let j = 0; j < d; j++) for (let k = 0; k < d; k++) data[i * d + j]! += q[i * d + k]! * values[k]! * q[j * d + k]!;
  return { data, shape: [d, d], q };
}
const gram = (w: Float64Array, d: number, tau = 0) => {
  const [m, out] = [w.length / d, new Float64Array(d * d)];
  for (let i = 0; i < d; i++)
    for (let j = 0; j < d; j++) {
      if (i === j) out[i * d + j] = tau;
      for (let k = 0; k < m; k++) out[i * d + j]! += w[i * m + k]! * w[j * m + k]!;
    }
  return tensor(out, d);
};

test('systems/196: commuting covariances are at Σ (√a − √b)², and the loss is the distance of W Wᵀ + τI', () => {
  const diagonal = Float64Array.of(1, 0, 0, 0, 2, 0, 0, 0, 3);
  const target = { data: Float64Array.of(4, 0, 0, 0, 9, 0, 0, 0, 1), shape: [3, 3] };
  expectClose(buresFactorizationLoss([tensor(diagonal, 3)], target).value, (1 - 2) ** 2 + (2 - 3) ** 2 + (3 - 1) ** 2, { rtol: 1e-12 });
  for (const [m, tau] of [
    [2, 0],
    [4, 0],
    [3, 0.1],
    [6, 0.02],
  ] as const) {
    const W = randomF64(4 * m, m);
    const S = covariance([0.2, 1, 2, 5], m);
    const want = buresWasserstein({ covariance: gram(W, 4, tau) }, { covariance: S }).power;
    expectClose(buresFactorizationLoss([tensor(W, 4)], S, { smoothing: tau }).value, want, { rtol: 1e-7 }); // roots of rounded zeros in the other form
  }
});

test('systems/196: the distance of Gaussians is that of the exact matching of large samples, within sampling error', () => {
  const [n, random] = [700, new Random(4)];
  const [A, B] = [
    [1, 0.4, 0, 0.7],
    [0.5, 0, -0.6, 1.4],
  ] as const;
  const sample = ([a, b, c, e]: readonly number[], shift: number) =>
    tensor(
      Float64Array.from(
        Array.from({ length: n }, () => {
          const [p, q] = [random.normal(), random.normal()];
          return [a! * p + b! * q + shift, c! * p + e! * q];
        }).flat(),
      ),
      n,
    );
  const exact = buresWasserstein(
    { mean: [0, 0], covariance: gram(Float64Array.from(A), 2) },
    { mean: [2, 0], covariance: gram(Float64Array.from(B), 2) },
  ).power;
  const drawn = assignment({ x: sample(A, 0), y: sample(B, 2) }).value / n;
  expectClose(drawn, exact, { rtol: 0.06 });
});

test('systems/196: gradients of every factor are those of differences', () => {
  const S = covariance([0.3, 1, 2, 4], 8);
  const shapes = [
    [3, 5],
    [3, 3],
    [4, 3],
  ] as const;
  const values = shapes.map(([rows, cols], k) => randomF64(rows * cols, 20 + k));
  for (const smoothing of [0, 0.05]) {
    const at = (k: number, w: Float64Array) =>
      values.map((value, other) => ({ data: other === k ? w : value, shape: shapes[other]! as unknown as number[] }));
    const { grads, rank } = buresFactorizationLoss(at(0, values[0]!), S, { smoothing });
    expect(rank).toBe(smoothing > 0 ? 4 : 3);
    grads.forEach((grad, k) => {
      const want = numericalGradient((w) => buresFactorizationLoss(at(k, w), S, { smoothing }).value, values[k]!);
      // W = W₃W₂W₁ is [4, 5] of rank 3: without smoothing the other singular values are 0 and stay 0 under every change of a factor.
      expectClose(grad, want, { rtol: 1e-5, atol: 1e-6 });
    });
  }
});

test('systems/196: descent at rank r from a small balanced start ends on the top r eigenpairs, at the sum of the other eigenvalues', () => {
  const eigenvalues = [0.1, 0.4, 1.5, 3, 5];
  const S = covariance(eigenvalues, 2);
  for (const r of [1, 2, 3]) {
    // Balanced: W₂ᵀW₂ = W₁W₁ᵀ, both 0.1 times columns of the same orthonormal matrix.
    const start = randomF64(5 * r, r);
    let [one, two] = [start.slice(), new Float64Array(5 * r)];
    one = one.map((x) => 0.1 * x);
    for (let i = 0; i < r; i++) for (let j = 0; j < 5; j++) two[j * r + i] = one[i * 5 + j]!;
    let last = buresFactorizationLoss([tensor(one, r), tensor(two, 5)], S);
    for (let step = 0; step < 1500; step++) {
      one = one.map((x, at) => x - 0.05 * last.grads[0]![at]!);
      two = two.map((x, at) => x - 0.05 * last.grads[1]![at]!);
      last = buresFactorizationLoss([tensor(one, r), tensor(two, 5)], S);
    }
    const rest = eigenvalues.slice(0, 5 - r).reduce((s, v) => s + v, 0);
    expectClose(last.value, rest, { atol: 1e-6 });
    const W = new Float64Array(25);
    for (let i = 0; i < 5; i++) for (let j = 0; j < 5; j++) for (let k = 0; k < r; k++) W[i * 5 + j]! += two[i * r + k]! * one[k * 5 + j]!;
    const { values } = eigh(gram(W, 5));
    expectClose(values.slice(5 - r), eigenvalues.slice(5 - r), { atol: 1e-3 });
  }
});

test('systems/196: where columns of W depend on each other the curvature grows as 1/√τ', () => {
  const S = covariance([1, 2, 3], 5);
  const W = new Float64Array(9); // rank 2 of 3: its last column is the sum of the others
  for (let i = 0; i < 3; i++) {
    const [p, q] = randomF64(2, 30 + i) as unknown as [number, number];
    W.set([p, q, p + q], 3 * i);
  }
  const curvature = (smoothing: number): number => {
    const slope = (w: Float64Array) => buresFactorizationLoss([tensor(w, 3)], S, { smoothing }).grads[0]!;
    const h = 1e-3 * Math.sqrt(smoothing);
    const H = new Float64Array(81);
    for (let j = 0; j < 9; j++) {
      const [up, down] = [W.slice(), W.slice()];
      up[j]! += h;
      down[j]! -= h;
      const [g, l] = [slope(up), slope(down)];
      for (let i = 0; i < 9; i++) H[i * 9 + j] = (g[i]! - l[i]!) / (2 * h);
    }
    const { values } = eigh(
      tensor(
        H.map((x, at) => (x + H[(at % 9) * 9 + Math.floor(at / 9)]!) / 2),
        9,
      ),
    );
    return Math.max(...values.map(Math.abs));
  };
  const [one, two, three] = [curvature(1e-2), curvature(1e-4), curvature(1e-6)];
  expect(two).toBeGreaterThan(5 * one);
  expectClose(three / two, 10, { rtol: 0.1 });
});

test('systems/196: the barycenter minimises the mean of the loss', () => {
  const [S, T] = [covariance([1, 2, 5], 1), covariance([0.5, 1, 3], 2)];
  const { covariance: mean } = buresBarycenter([S, T]);
  const { values, vectors } = eigh(tensor(mean, 3));
  const root = new Float64Array(9).map((_, at) => (vectors.data[at] as number) * Math.sqrt(values[at % 3]!));
  const [one, two] = [S, T].map((target) => buresFactorizationLoss([tensor(root, 3)], target).grads[0]!);
  expectClose(
    one!.map((g, at) => g + two![at]!),
    new Float64Array(9),
    { atol: 1e-9 },
  );
});

test.each([
  ['no factors', [], [1], /factors: expected at least one/],
  ['a chain that does not fit', [[[1, 2, 3]], [[1, 2]]], [1], /factors\[0\]: expected shape \[2, 3\]/],
  ['a target of negative eigenvalue', [[[1]]], [-1], /target: expected no negative eigenvalue/],
] as const)('%s are refused by name', (_, factors, target, message) => {
  const given = factors.map((rows) => ({ data: Float64Array.from(rows.flat() as number[]), shape: [rows.length, rows[0]!.length] }));
  expect(() => buresFactorizationLoss(given, { data: Float64Array.from(target), shape: [1, 1] })).toThrow(message);
  expect(() =>
    buresFactorizationLoss([{ data: Float64Array.of(1), shape: [1, 1] }], { data: Float64Array.of(1), shape: [1, 1] }, { smoothing: -1 }),
  ).toThrow(/smoothing: expected a number >= 0/);
});
