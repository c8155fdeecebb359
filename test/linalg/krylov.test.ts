import type { LinearOperator } from '../../src/core/model-types.js';
import { conjugateGradient } from '../../src/linalg/conjugate-gradient.js';
import { eigh } from '../../src/linalg/eigh.js';
import { lanczos } from '../../src/linalg/lanczos.js';
import { matrixOperator } from '../../src/linalg/operator.js';
import { powerIteration } from '../../src/linalg/power-iteration.js';
import { eighTridiagonal } from '../../src/linalg/tridiagonal.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { diagonal } from '../helpers/operators.js';

const spread = Float64Array.from({ length: 60 }, (_, i) => (i - 20) / 7);

test('after d steps the tridiagonal matrix has the eigenvalues of the operator', async () => {
  const { alpha, beta, basis } = await lanczos(diagonal(spread), { steps: 60, seed: 3 });
  expectClose(eighTridiagonal(alpha, beta).values, spread, { atol: 1e-11 });
  for (let i = 0; i < 60; i += 7) {
    for (let j = 0; j < 60; j += 11) {
      const overlap = Float64Array.from(basis[i]!).reduce((sum, x, l) => sum + x * basis[j]![l]!, 0);
      expectClose(overlap, i === j ? 1 : 0, { atol: 1e-13 });
    }
  }
});

test('three distinct eigenvalues break the recurrence down after three steps', async () => {
  const values = Float64Array.from({ length: 50 }, (_, i) => [1, 2, 5][i % 3]!);
  const result = await lanczos(diagonal(values), { steps: 20 });
  expect(result).toMatchObject({ steps: 3, breakdown: true });
  expectClose(eighTridiagonal(result.alpha, result.beta).values, [1, 2, 5], { atol: 1e-12 });
});

test('a zero operator breaks down at once with alpha 0', async () => {
  const result = await lanczos(diagonal(new Float64Array(9)), { steps: 5 });
  expect(result).toMatchObject({ steps: 1, breakdown: true, residual: 0 });
  expectClose(result.alpha, [0]);
});

test('steps never exceed the size, and one dimension works', async () => {
  expect((await lanczos(diagonal([3]), { steps: 100 })).alpha).toEqual(Float64Array.of(3));
});

test('conjugate gradients reach the solution of a damped system within d iterations', async () => {
  const n = 40;
  const b = randomF64(n, 2);
  const values = Float64Array.from({ length: n }, (_, i) => 1 + i);
  const result = await conjugateGradient(diagonal(values), b, { damping: 0.5 });
  expect(result.converged).toBe(true);
  expect(result.iterations).toBeLessThanOrEqual(n);
  expect(result.negativeCurvature).toBeUndefined();
  expectClose(
    result.x,
    b.map((x, i) => x / (values[i]! + 0.5)),
    { rtol: 1e-6, atol: 1e-8 },
  );
});

test('the exact inverse as preconditioner needs one iteration, and a start at the solution none', async () => {
  const values = Float64Array.from({ length: 30 }, (_, i) => 1 + i * i);
  const b = randomF64(30, 2);
  const preconditioned = await conjugateGradient(diagonal(values), b, { preconditioner: diagonal(values.map((x) => 1 / x)) });
  expect(preconditioned.iterations).toBe(1);
  expect((await conjugateGradient(diagonal(values), b, { start: preconditioned.x })).iterations).toBe(0);
});

test('negative curvature is reported with a direction that has it', async () => {
  const values = Float64Array.of(3, 2, -1, 5);
  const { negativeCurvature, converged } = await conjugateGradient(diagonal(values), [1, 1, 1, 1]);
  expect(converged).toBe(false);
  const p = Float64Array.from(negativeCurvature!.direction);
  const curvature = p.reduce((sum, x, i) => sum + values[i]! * x * x, 0);
  expect(curvature).toBeLessThan(0);
  expectClose(negativeCurvature!.curvature, curvature / p.reduce((sum, x) => sum + x * x, 0), { rtol: 1e-12 });
});

test('a zero right-hand side is solved by zero, and few iterations are reported as not converged', async () => {
  expect(await conjugateGradient(diagonal([1, 2]), [0, 0])).toMatchObject({ iterations: 0, converged: true });
  expect(await conjugateGradient(diagonal(spread.map((x) => x * x + 1)), randomF64(60), { maxIterations: 2 })).toMatchObject({
    iterations: 2,
    converged: false,
  });
});

test('power iteration finds the eigenvalue of largest magnitude, also when it is negative', async () => {
  const { value, converged, vector } = await powerIteration(diagonal([1, -6, 3, 2]));
  expect(converged).toBe(true);
  expectClose(value, -6, { rtol: 1e-10 });
  expectClose(Math.abs(vector[1]!), 1, { atol: 1e-6 });
  expect(await powerIteration(diagonal([0, 0, 0]))).toMatchObject({ value: 0, converged: true, iterations: 1 });
});

test('a matrix operator multiplies as its matrix does', async () => {
  const a = { data: Float64Array.of(2, 1, 1, 3), shape: [2, 2] };
  const out = new Float64Array(2);
  await matrixOperator(a).apply(Float64Array.of(1, -1), out);
  expectClose(out, [1, -2]);
  const { alpha, beta } = await lanczos(matrixOperator(a), { steps: 2 });
  expectClose(eighTridiagonal(alpha, beta).values, eigh(a).values, { rtol: 1e-13 });
});

test('bad arguments are refused by name before any product', async () => {
  const op = diagonal([1, 2, 3]);
  await expect(lanczos(op, { steps: 0 })).rejects.toThrow(/steps: expected an integer >= 1, got 0/);
  await expect(lanczos(op, { steps: 2, start: [1, 2] })).rejects.toThrow(/start: expected 3 elements, got 2/);
  await expect(lanczos(op, { steps: 2, start: [0, 0, 0] })).rejects.toThrow(/start: expected a vector other than zero/);
  await expect(lanczos({} as LinearOperator, { steps: 2 })).rejects.toThrow(/op: expected a linear operator/);
  await expect(conjugateGradient(op, [1, 2, NaN])).rejects.toThrow(/b: expected finite numbers, got NaN at index 2/);
  await expect(conjugateGradient(op, [1, 2, 3], { damping: -1 })).rejects.toThrow(/damping: expected a number >= 0, got -1/);
  await expect(lanczos(diagonal([1, NaN]), { steps: 2 })).rejects.toThrow(/op: expected finite products/);
});

test('an aborted signal stops the work with the caller’s reason', async () => {
  await expect(lanczos(diagonal([1, 2]), { steps: 2, signal: AbortSignal.abort('enough') })).rejects.toMatchObject({
    code: 'ERR_ABORTED',
    cause: 'enough',
  });
});
