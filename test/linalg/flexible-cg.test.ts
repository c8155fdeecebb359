// systems/40: A Deep Conjugate Direction Method for Iteratively Solving Linear Systems.
import type { LinearOperator } from '../../src/core/model-types.js';
import { Random } from '../../src/core/random.js';
import { cholesky } from '../../src/linalg/cholesky.js';
import { conjugateGradient } from '../../src/linalg/conjugate-gradient.js';
import { deepConjugateDirection, flexibleCg } from '../../src/linalg/flexible-cg.js';
import { matrixOperator } from '../../src/linalg/operator.js';
import { solveTriangular } from '../../src/linalg/solve-triangular.js';
import { expectClose, numericalGradient, randomF64, relativeError } from '../helpers/close.js';
import { diagonal } from '../helpers/operators.js';

const values = Float64Array.from({ length: 40 }, (_, i) => 1 + 0.5 * i);
const b = randomF64(40, 2);

/** −Δ on an n × n grid with zero boundary. */
function poisson(n: number): LinearOperator {
  return {
    size: n * n,
    precision: 'float64',
    apply(v, out) {
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          const at = i * n + j;
          out[at] = 4 * v[at]! - (i ? v[at - n]! : 0) - (i < n - 1 ? v[at + n]! : 0) - (j ? v[at - 1]! : 0) - (j < n - 1 ? v[at + 1]! : 0);
        }
      }
    },
  };
}

test('systems/40: with the identity as oracle the iterates are those of conjugate gradients', async () => {
  for (const steps of [1, 3, 7, 15]) {
    const plain = await conjugateGradient(diagonal(values), b, { maxIterations: steps, tolerance: 1e-14 });
    const flexible = await flexibleCg(diagonal(values), b, (r) => r, { maxIterations: steps, tolerance: 1e-14, memory: 1 });
    expect(relativeError(flexible.x, plain.x)).toBeLessThan(1e-8);
  }
});

test('systems/40: the exact inverse as oracle needs one iteration', async () => {
  const { iterations, converged, x } = await flexibleCg(diagonal(values), b, (r) => r.map((v, i) => v / values[i]!));
  expect([iterations, converged]).toEqual([1, true]);
  expectClose(
    x,
    b.map((v, i) => v / values[i]!),
    { rtol: 1e-12 },
  );
});

test('systems/40: with random directions the error in the A-norm still falls at every step', async () => {
  const exact = b.map((v, i) => v / values[i]!);
  let before = Infinity;
  for (let steps = 1; steps <= 12; steps++) {
    const stream = new Random(5);
    const { x } = await flexibleCg(diagonal(values), b, () => stream.fill(new Float64Array(40)), { maxIterations: steps });
    const error = Float64Array.from(x).reduce((sum, v, i) => sum + values[i]! * (v - exact[i]!) ** 2, 0);
    expect(error).toBeLessThan(before);
    before = error;
  }
});

test('systems/40: the solution is that of a dense Cholesky factorisation', async () => {
  const n = 12;
  const root = randomF64(n * n, 3);
  const A = Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    return (i === j ? 2 : 0) + Array.from({ length: n }, (_, l) => root[i * n + l]! * root[j * n + l]!).reduce((s, v) => s + v, 0);
  });
  const rhs = randomF64(n, 4);
  const L = cholesky({ data: A, shape: [n, n] });
  const want = solveTriangular(L, solveTriangular(L, { data: rhs, shape: [n] }), { transpose: true }).data;
  expect(relativeError((await flexibleCg(matrixOperator({ data: A, shape: [n, n] }), rhs, (r) => r, { memory: 5 })).x, want)).toBeLessThan(
    1e-7,
  );
});

/** Two-grid cycles on the Poisson problem down to a 3 × 3 grid: damped Jacobi, full weighting by the transpose of linear interpolation. */
function multigrid(n: number): (r: Float64Array) => Float64Array {
  const A = poisson(n);
  const smooth = (x: Float64Array, r: Float64Array, times: number) => {
    const Ax = new Float64Array(n * n);
    for (let t = 0; t < times; t++) {
      void A.apply(x, Ax);
      for (let i = 0; i < x.length; i++) x[i] = x[i]! + 0.2 * (r[i]! - Ax[i]!);
    }
  };
  if (n <= 3) {
    return (r) => {
      const x = new Float64Array(n * n);
      smooth(x, r, 60);
      return x;
    };
  }
  const m = (n - 1) / 2;
  const coarse = multigrid(m);
  const weights = (visit: (fine: number, rough: number, weight: number) => void) => {
    for (let I = 0; I < m; I++)
      for (let J = 0; J < m; J++)
        for (let di = -1; di <= 1; di++)
          for (let dj = -1; dj <= 1; dj++) visit((2 * I + 1 + di) * n + 2 * J + 1 + dj, I * m + J, (di ? 0.5 : 1) * (dj ? 0.5 : 1));
  };
  return (r) => {
    const x = new Float64Array(n * n);
    smooth(x, r, 2);
    const left = new Float64Array(n * n);
    void A.apply(x, left);
    const rough = new Float64Array(m * m);
    weights((fine, at, weight) => {
      rough[at] = rough[at]! + weight * (r[fine]! - left[fine]!);
    });
    // The five-point stencil has no 1/h²: the coarse problem is 4 times the fine one after weighting by 4.
    const correction = coarse(rough);
    weights((fine, at, weight) => {
      x[fine] = x[fine]! + weight * correction[at]!;
    });
    smooth(x, r, 2);
    return x;
  };
}

test('systems/40: on Poisson grids a multigrid-like oracle takes far fewer iterations than CG, whatever the grid', async () => {
  const counts: number[] = [];
  for (const n of [15, 31, 63]) {
    const rhs = randomF64(n * n, 7);
    const plain = await conjugateGradient(poisson(n), rhs, { tolerance: 1e-6 });
    const guided = await flexibleCg(poisson(n), rhs, multigrid(n), { tolerance: 1e-6 });
    expect(guided.converged).toBe(true);
    expect(guided.iterations).toBeLessThan(plain.iterations / 2);
    counts.push(guided.iterations);
  }
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(4);
});

test('systems/40: the training loss is the squared residual after the best step, and its gradient that of differences', async () => {
  const op = diagonal([1, 3, 0.5, 2]);
  const [r, f] = [Float64Array.of(1, -1, 2, 0.5), Float64Array.of(0.3, -0.2, 1.5, 0.4)];
  const { value, step, grad } = await deepConjugateDirection(op, r, f);
  const after = (alpha: number, d: Float64Array) => r.reduce((sum, v, i) => sum + (v - alpha * [1, 3, 0.5, 2][i]! * d[i]!) ** 2, 0);
  expectClose(value, after(step, f), { rtol: 1e-13 });
  expect(after(step * 1.01, f)).toBeGreaterThan(value);
  const best = (d: Float64Array) => {
    const Ad = d.map((v, i) => v * [1, 3, 0.5, 2][i]!);
    const alpha = r.reduce((s, v, i) => s + v * Ad[i]!, 0) / Ad.reduce((s, v) => s + v * v, 0);
    return after(alpha, d);
  };
  expectClose(grad, numericalGradient(best, f), { atol: 1e-8 });
});

test('directions without curvature end the run; oracles that do not fit are refused by name', async () => {
  expect((await flexibleCg(diagonal([1, -1]), [0, 1], (r) => r)).converged).toBe(false);
  expect(await flexibleCg(diagonal([1, 2]), [0, 0], (r) => r)).toMatchObject({ iterations: 0, converged: true });
  await expect(flexibleCg(diagonal([1, 2]), [1, 1], () => [1])).rejects.toThrow(/oracle: expected 2 elements, got 1/);
  await expect(flexibleCg(diagonal([1, 2]), [1, 1], undefined as never)).rejects.toThrow(/oracle: expected a function/);
});
