// Matrices and operators whose squares leave the range of f64: answers scale with them.

import { spectralDensity } from '../../src/curvature/spectral-density.js';
import { topEigenvalues } from '../../src/curvature/top-eigenvalues.js';
import { conjugateGradient } from '../../src/linalg/conjugate-gradient.js';
import { eig } from '../../src/linalg/eig.js';
import { eigh } from '../../src/linalg/eigh.js';
import { lanczos } from '../../src/linalg/lanczos.js';
import { matrixOperator } from '../../src/linalg/operator.js';
import { powerIteration } from '../../src/linalg/power-iteration.js';
import { qr } from '../../src/linalg/qr.js';
import { svd } from '../../src/linalg/svd.js';
import { eighTridiagonal } from '../../src/linalg/tridiagonal.js';
import { expectClose, randomF64 } from '../helpers/close.js';

const scales = [1e300, 1e160, 1e-160, 1e-300];
const n = 6;
const base = randomF64(n * n, 3);
const symmetricBase = base.map((x, i) => x + base[(i % n) * n + Math.floor(i / n)]!);
const times = (a: Float64Array, s: number) => a.map((x) => x * s);
const matrix = (data: Float64Array) => ({ data, shape: [n, n] });
const relative = (a: Float64Array, s: number) => a.map((x) => x / s);

test.each(scales)('decompositions of a matrix times %p are those of the matrix, scaled', (s) => {
  expectClose(relative(svd(matrix(times(base, s))).s, s), svd(matrix(base)).s, { rtol: 1e-13 });
  expectClose(svd(matrix(times(base, s))).u.data, svd(matrix(base)).u.data, { atol: 1e-12 });
  expectClose(relative(qr(matrix(times(base, s))).r.data as Float64Array, s), qr(matrix(base)).r.data, { atol: 1e-13 });
  expectClose(relative(eigh(matrix(times(symmetricBase, s))).values, s), eigh(matrix(symmetricBase)).values, { rtol: 1e-12 });
  const [alpha, beta] = [randomF64(9, 5), randomF64(8, 6)];
  expectClose(relative(eighTridiagonal(times(alpha, s), times(beta, s)).values, s), eighTridiagonal(alpha, beta).values, { rtol: 1e-12 });
  expectClose(relative(eig(matrix(times(base, s))).values.re, s), eig(matrix(base)).values.re, { atol: 1e-12 });
});

test('subnormal tridiagonal matrices keep their eigenvalues', () => {
  const { values } = eighTridiagonal(new Float64Array(2), [1e-310]);
  expectClose(relative(values, 1e-310), [-1, 1], { atol: 1e-10 });
});

test('a matrix of numbers from 1e-200 to 1e200 has eigenvalues', () => {
  const mixed = Float64Array.of(1e200, 1, 1e-200, 1, 1e-200, 1, 1e200, 1e-200, 1);
  expect(eig({ data: mixed, shape: [3, 3] }).values.re[0]! / 1e200).toBeCloseTo(1, 12);
});

test.each(scales)('Krylov methods on an operator times %p find its eigenvalues and solutions, scaled', async (s) => {
  const exact = eigh(matrix(symmetricBase)).values;
  const op = matrixOperator(matrix(times(symmetricBase, s)));
  const { values, residuals, converged } = await topEigenvalues(op, { k: 2, end: 'smallest' });
  expect(converged).toBe(true);
  expectClose(relative(values, s), exact.subarray(0, 2), { rtol: 1e-12 });
  expect(Math.max(...residuals) / s).toBeLessThan(1e-12);
  const run = await lanczos(op, { steps: n });
  expect(run.steps).toBe(n);
  expectClose(relative(eighTridiagonal(run.alpha, run.beta).values, s), exact, { rtol: 1e-12 });
  const power = await powerIteration(op, { tolerance: 1e-9, maxIterations: 10_000 });
  expect(power.converged).toBe(true);
  expect(power.residual / s).toBeLessThan(1e-8);
  const gram = Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 2 + (i % 5) : 0.25));
  const b = randomF64(n, 8);
  const plain = await conjugateGradient(matrixOperator(matrix(gram)), b);
  const ofOperator = await conjugateGradient(matrixOperator(matrix(times(gram, s))), b);
  const ofSide = await conjugateGradient(matrixOperator(matrix(gram)), times(b, s), { start: times(b, s) });
  expect([plain.converged, ofOperator.converged, ofSide.converged]).toEqual([true, true, true]);
  expectClose(times(ofOperator.x as Float64Array, s), plain.x, { rtol: 1e-7 });
  expectClose(relative(ofSide.x as Float64Array, s), plain.x, { rtol: 1e-7 });
});

test('a start vector beyond the square root of the range is a direction like any other', async () => {
  const op = matrixOperator(matrix(symmetricBase));
  const start = randomF64(n, 4);
  const [plain, huge] = [await lanczos(op, { steps: 4, start }), await lanczos(op, { steps: 4, start: times(start, 1e200) })];
  expectClose(huge.alpha, plain.alpha, { rtol: 1e-12 });
});

test('power iteration meets tolerances far below the square root of rounding', async () => {
  const diagonal = Float64Array.from({ length: 9 }, (_, i) => (i % 4 === 0 ? [3, 1, 0.5][i / 4]! : 0));
  const { converged, vector, residual } = await powerIteration(matrixOperator({ data: diagonal, shape: [3, 3] }), { tolerance: 1e-12 });
  expect(converged).toBe(true);
  expect(residual).toBeLessThan(4e-12);
  expect(Math.abs(vector[1]!)).toBeLessThan(3e-12);
});

test.each([1e6, 1e200])('the density of a spectrum %p wide loses no node between the points of its grid', async (width) => {
  const d = 7;
  const data = new Float64Array(d * d);
  for (let i = 0; i < d; i++) data[i * (d + 1)] = width * Math.sqrt(i / 6);
  for (const convention of ['pyhessian', 'curvlinops'] as const) {
    const { grid, density, nodes, weights } = await spectralDensity(matrixOperator({ data, shape: [d, d] }), { convention, steps: 20 });
    const step = grid[1]! - grid[0]!;
    const mean = density.reduce((sum, x, i) => sum + x * step * (grid[i]! / width), 0);
    const exact = nodes[0]!.reduce((sum, x, i) => sum + (x / width) * weights[0]![i]!, 0);
    expect(Math.abs(mean - exact)).toBeLessThan(0.08);
  }
});

test.each([2, 5e-7])('an operator with the single eigenvalue %p has a density in either convention', async (value) => {
  const data = Float64Array.from({ length: 900 }, (_, i) => (i % 31 === 0 ? value : 0));
  const { grid, density } = await spectralDensity(matrixOperator({ data, shape: [30, 30] }), { convention: 'curvlinops', probes: 3 });
  expect(density.reduce((sum, x) => sum + x, 0) * (grid[1]! - grid[0]!)).toBeGreaterThan(0.97);
});
