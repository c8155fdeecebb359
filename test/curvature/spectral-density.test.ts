import { spectralDensity } from '../../src/curvature/spectral-density.js';
import { expectClose } from '../helpers/close.js';
import { diagonal, rotated } from '../helpers/operators.js';

const uniform = Float64Array.from({ length: 400 }, (_, i) => i / 399);
const integral = ({ grid, density }: { grid: Float64Array; density: Float64Array }) =>
  density.reduce((sum, x) => sum + x, 0) * (grid[1]! - grid[0]!);

test.each(['pyhessian', 'curvlinops'] as const)('%s: the density integrates to 1 and is flat where the spectrum is', async (convention) => {
  const found = await spectralDensity(rotated(uniform), { probes: 4, steps: 40, convention, sigmaSquared: 3e-3, bins: 600 });
  expectClose(integral(found), 1, { atol: 0.01 });
  for (let at = 0.1; at < 0.9; at += 0.2) {
    const inside = found.density.filter((_, i) => Math.abs(found.grid[i]! - at) < 0.1); // curvlinops' bumps are narrower than the node spacing
    expectClose(
      inside.reduce((sum, x) => sum + x / inside.length, 0),
      1,
      { atol: 0.25 },
    );
  }
});

test('moments of nodes and weights are exact up to degree 2k − 1', async () => {
  const start = Float64Array.from({ length: 400 }, (_, i) => (i % 2 ? 1 : -1));
  const { nodes, weights, iterations } = await spectralDensity(diagonal(uniform), { starts: [start], steps: 6 });
  expect(iterations).toBe(6);
  for (let degree = 0; degree < 12; degree++) {
    const quadrature = nodes[0]!.reduce((sum, x, i) => sum + weights[0]![i]! * x ** degree, 0);
    expectClose(
      quadrature,
      uniform.reduce((sum, x) => sum + x ** degree / 400, 0),
      { rtol: 1e-11 },
    );
  }
});

test('pyhessian: grid ends and width of a single Gaussian are as documented', async () => {
  const { grid, density } = await spectralDensity(diagonal(new Float64Array(20).fill(3)), {
    steps: 10,
    bins: 2001,
    overhead: 0.5,
    sigmaSquared: 0.01,
  });
  expectClose([grid[0]!, grid.at(-1)!], [2.5, 3.5], { atol: 1e-12 });
  expectClose(density[1000]! / density[1200]!, Math.exp(0.1 ** 2 / (2 * 0.01)), { rtol: 1e-9 });
});

test('curvlinops: each Gaussian has σ = 2/((steps − 1)√(8 ln κ)) of half the grid', async () => {
  const options = { starts: [[1, 1]], steps: 2, convention: 'curvlinops', kappa: 3, margin: 0.5, boundaries: [-1, 1], bins: 4001 } as const;
  const { grid, density } = await spectralDensity(diagonal([-1, 1]), options);
  expectClose([grid[0]!, grid.at(-1)!], [-2, 2], { atol: 1e-12 });
  const sigma = (2 * 2) / Math.sqrt(8 * Math.log(3));
  const want = Array.from(grid, (x) => [-1, 1].reduce((sum, node) => sum + Math.exp(-((x - node) ** 2) / (2 * sigma ** 2)) / 2, 0));
  expectClose(
    density,
    want.map((x) => x / Math.sqrt(2 * Math.PI) / sigma),
    { rtol: 1e-9 },
  );
});

test('a zero operator has all its mass at 0, and steps beyond the size are left out', async () => {
  const found = await spectralDensity(diagonal(new Float64Array(5)), { steps: 100 });
  expect(found.nodes[0]).toEqual(Float64Array.of(0));
  expect(Math.abs(found.grid[found.density.indexOf(Math.max(...found.density))]!)).toBeLessThan(2e-6);
  expect((await spectralDensity(diagonal([1, 2, 3]), { steps: 50, convention: 'curvlinops' })).nodes[0]).toHaveLength(3);
});

test('the same seed gives the same bits, another seed others', async () => {
  const at = async (seed: number) => (await spectralDensity(rotated(uniform), { steps: 5, bins: 50, seed })).density;
  expect(await at(1)).toEqual(await at(1));
  expect(await at(1)).not.toEqual(await at(2));
});

test('bad options are refused by name', async () => {
  const op = diagonal([1, 2, 3]);
  await expect(spectralDensity(op, { convention: 'other' as 'pyhessian' })).rejects.toThrow(
    /convention: expected one of pyhessian, curvlinops/,
  );
  await expect(spectralDensity(op, { steps: 1 })).rejects.toThrow(/steps: expected an integer >= 2, got 1/);
  await expect(spectralDensity(op, { sigmaSquared: 0 })).rejects.toThrow(/sigmaSquared: expected a number > 0, got 0/);
  await expect(spectralDensity(op, { convention: 'curvlinops', kappa: 1 })).rejects.toThrow(/kappa: expected a number > 1, got 1/);
});
