import { maxSlicedWasserstein, slicedWasserstein, wasserstein1d } from '../../src/transport/index.js';
import { expectClose, numericalGradient, randomF64 } from '../helpers/close.js';

const cloud = (n: number, d: number, seed: number) => ({ data: randomF64(n * d, seed), shape: [n, d] });

test('along the axes of the line it is the one-dimensional distance', () => {
  const [x, y] = [cloud(9, 1, 1), cloud(6, 1, 2)];
  const { powers, distance } = slicedWasserstein({ x, y }, { p: 2, directions: [[1], [-3]] });
  const line = wasserstein1d({ x: x.data, y: y.data }, { p: 2 });
  expectClose(powers, [line.power, line.power], { rtol: 1e-12 });
  expectClose(distance, line.distance, { rtol: 1e-12 });
});

test.each([2, 3])('p = %i: gradients agree with central differences', (p) => {
  const [x, y] = [cloud(6, 3, 1), cloud(5, 3, 2)];
  const a = [0.1, 0.2, 0.3, 0.1, 0.1, 0.2];
  const value = (v: Float64Array) => slicedWasserstein({ x: { data: v, shape: [6, 3] }, y, a }, { p, projections: 7 }).power;
  const r = slicedWasserstein({ x, y, a }, { p, projections: 7 });
  expectClose(r.gradX, numericalGradient(value, x.data), { atol: 1e-8 });
  const other = (v: Float64Array) => slicedWasserstein({ x, y: { data: v, shape: [5, 3] }, a }, { p, projections: 7 }).power;
  expectClose(r.gradY, numericalGradient(other, y.data), { atol: 1e-8 });
});

test('a translation by t costs |t|²/d in the mean over the sphere, and |t|² along the best direction', () => {
  const x = cloud(20, 4, 5);
  const y = { data: x.data.map((v, at) => v + (at % 4 === 1 ? 2 : 0)), shape: x.shape };
  expectClose(slicedWasserstein({ x, y }, { projections: 4000 }).power, 1, { atol: 0.05 });
  const best = maxSlicedWasserstein({ x, y }, { projections: 5, refine: 60 });
  expectClose(best.power, 4, { rtol: 1e-4 });
  expectClose(Math.abs(best.direction[1]!), 1, { atol: 1e-3 });
});

test('refinement never lowers the best direction tried', () => {
  for (let seed = 0; seed < 10; seed++) {
    const [x, y] = [cloud(12, 5, seed), cloud(9, 5, seed + 50)];
    const kept = maxSlicedWasserstein({ x, y }, { seed, projections: 8, refine: 0 });
    expect(maxSlicedWasserstein({ x, y }, { seed, projections: 8 }).power).toBeGreaterThanOrEqual(kept.power);
  }
});

test('the same seed draws the same directions', () => {
  const [x, y] = [cloud(5, 3, 1), cloud(5, 3, 2)];
  expect(slicedWasserstein({ x, y }, { seed: 3 })).toEqual(slicedWasserstein({ x, y }, { seed: 3 }));
  expect(slicedWasserstein({ x, y }, { seed: 3 }).power).not.toBe(slicedWasserstein({ x, y }, { seed: 4 }).power);
});

test('bad input is refused by name', () => {
  const [x, y] = [cloud(3, 2, 1), cloud(3, 3, 2)];
  expect(() => slicedWasserstein({ x, y })).toThrow(/y: expected shape \[any, 2\], got \[3, 3\]/);
  expect(() => slicedWasserstein({ x, y: x }, { directions: [[0, 0]] })).toThrow(/directions: expected non-zero rows/);
  expect(() => slicedWasserstein({ x, y: x }, { projections: 0 })).toThrow(/projections: expected an integer >= 1/);
});
