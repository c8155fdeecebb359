import fc from 'fast-check';
import { topEigenvalues } from '../../src/curvature/top-eigenvalues.js';
import { expectClose } from '../helpers/close.js';
import { diagonal, rotated } from '../helpers/operators.js';

const indefinite = Float64Array.from({ length: 300 }, (_, i) => (i % 2 ? 1 : -1) * 0.97 ** i * 4);

test.each([
  ['largest', [3.88, 3.650692, 3.4349361]],
  ['smallest', [-4, -3.7636, -3.54117124]],
  ['magnitude', [-4, 3.88, -3.7636]],
] as const)('the %s eigenvalues of an indefinite operator come first, with unit vectors and small residuals', async (end, want) => {
  const op = rotated(indefinite);
  const { values, vectors, residuals, converged } = await topEigenvalues(op, { k: 3, end });
  expect(converged).toBe(true);
  expectClose(values, want, { atol: 1e-7 });
  const out = new Float64Array(300);
  for (let j = 0; j < 3; j++) {
    await op.apply(vectors[j]!, out);
    const residual = Math.sqrt(out.reduce((sum, x, i) => sum + (x - values[j]! * vectors[j]![i]!) ** 2, 0));
    expectClose(residual, residuals[j]!, { atol: 1e-12 });
    expect(residual).toBeLessThan(4e-6);
  }
});

test('a repeated largest eigenvalue is found with its multiplicity', async () => {
  const values = Float64Array.from({ length: 400 }, (_, i) => (i < 3 ? 5 : Math.sin(i) * 2));
  const found = await topEigenvalues(rotated(values), { k: 4 });
  expectClose(found.values, [5, 5, 5, Math.max(...values.subarray(3))], { atol: 1e-6 });
});

test('clustered eigenvalues are told apart', async () => {
  const values = Float64Array.from({ length: 200 }, (_, i) => (i < 5 ? 3 - i * 1e-3 : i / 200));
  const found = await topEigenvalues(rotated(values), { k: 5 });
  expect(found.converged).toBe(true);
  expectClose(found.values, [3, 2.999, 2.998, 2.997, 2.996], { atol: 1e-7 });
});

test('a zero operator has zeros, and the identity ones', async () => {
  expectClose((await topEigenvalues(diagonal(new Float64Array(100)), { k: 3 })).values, [0, 0, 0]);
  expectClose((await topEigenvalues(diagonal(new Float64Array(100).fill(1)), { k: 3, end: 'smallest' })).values, [1, 1, 1], {
    atol: 1e-14,
  });
});

test('all eigenvalues of a small operator are exact, also in one dimension', async () => {
  expectClose((await topEigenvalues(diagonal([4]))).values, [4]);
  expectClose((await topEigenvalues(rotated([1, -2, 3, 3, 0]), { k: 5 })).values, [3, 3, 1, 0, -2], { atol: 1e-13 });
});

test('a restarted search agrees with one that never restarts', async () => {
  const op = rotated(indefinite);
  const tight = await topEigenvalues(op, { k: 3, subspace: 9 });
  const roomy = await topEigenvalues(op, { k: 3, subspace: 300 });
  expect(tight.converged && roomy.converged).toBe(true);
  expectClose(tight.values, roomy.values, { atol: 1e-9 });
});

test('an f32 operator gives f32 vectors and values within its noise', async () => {
  const found = await topEigenvalues(diagonal(indefinite, 'float32'), { k: 2 });
  expect(found.vectors[0]).toBeInstanceOf(Float32Array);
  expectClose(found.values, [3.88, 3.650692], { rtol: 1e-6 });
});

test('running out of products is reported, not thrown', async () => {
  const found = await topEigenvalues(rotated(Float64Array.from({ length: 500 }, (_, i) => 1 - i * 1e-6)), { k: 2, maxIterations: 12 });
  expect(found.converged).toBe(false);
  expect(found.values).toHaveLength(2);
});

test('the same seed gives the same bits', async () => {
  const [a, b] = [
    await topEigenvalues(rotated(indefinite), { k: 2, seed: 4 }),
    await topEigenvalues(rotated(indefinite), { k: 2, seed: 4 }),
  ];
  expect(a).toEqual(b);
});

test('eigenvalues of random spectra are those put in', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 3, maxLength: 60 }), async (spectrum) => {
      const { values } = await topEigenvalues(rotated(spectrum), { k: 3 });
      expectClose(values, spectrum.sort((a, b) => b - a).slice(0, 3), { atol: 1e-6 });
    }),
    { numRuns: 150 },
  ));

test('k beyond the size, and an unknown end, are refused by name', async () => {
  await expect(topEigenvalues(diagonal([1, 2]), { k: 3 })).rejects.toThrow(/k: expected an integer from 1 to 2, got 3/);
  await expect(topEigenvalues(diagonal([1, 2]), { end: 'top' as 'largest' })).rejects.toThrow(
    /end: expected one of largest, smallest, magnitude/,
  );
});

test('fewer products than eigenvalues asked for give all of them, not settled, rather than an error', async () => {
  const found = await topEigenvalues(diagonal(Float64Array.from({ length: 60 }, (_, i) => i * i)), { k: 12, maxIterations: 3 });
  expect(found.converged).toBe(false);
  expect(found.values).toHaveLength(12);
  expect(found.vectors).toHaveLength(12);
});
