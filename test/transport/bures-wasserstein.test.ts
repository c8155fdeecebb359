import { buresBarycenter, buresWasserstein } from '../../src/transport/index.js';
import { expectClose, numericalGradient, randomF64 } from '../helpers/close.js';

/** B Bᵀ + floor·I with B [d, k]: rank k where floor is 0. */
function covariance(d: number, seed: number, k = d + 2, floor = 0): { data: Float64Array; shape: number[] } {
  const b = randomF64(d * k, seed);
  const data = new Float64Array(d * d);
  for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) for (let l = 0; l < k; l++) data[i * d + j]! += b[i * k + l]! * b[j * k + l]!;
  for (let i = 0; i < d; i++) data[i * d + i]! += floor;
  return { data, shape: [d, d] };
}
const diagonal = (values: number[]) => ({
  data: Float64Array.from({ length: values.length ** 2 }, (_, at) => (at % (values.length + 1) === 0 ? values[at % values.length]! : 0)),
  shape: [values.length, values.length],
});

test('commuting covariances: the distance is that of their standard deviations', () => {
  const r = buresWasserstein({ mean: [1, 0, 0], covariance: diagonal([1, 4, 9]) }, { mean: [0, 0, 2], covariance: diagonal([4, 4, 1]) });
  expectClose(r.power, 1 + 4 + (1 + 0 + 4), { rtol: 1e-12 });
  expectClose(r.map!, diagonal([2, 1, 1 / 3]).data, { atol: 1e-12 });
});

test('A S_x A = S_y, and the distance to itself is zero', () => {
  for (const d of [1, 2, 5, 9]) {
    const [x, y] = [covariance(d, d), covariance(d, d + 20)];
    const { map } = buresWasserstein({ covariance: x }, { covariance: y });
    const product = new Float64Array(d * d);
    for (let i = 0; i < d; i++)
      for (let j = 0; j < d; j++)
        for (let k = 0; k < d; k++)
          for (let l = 0; l < d; l++) product[i * d + j]! += map![i * d + k]! * x.data[k * d + l]! * map![l * d + j]!;
    expectClose(product, y.data, { atol: 1e-9, rtol: 1e-9 });
    expectClose(buresWasserstein({ covariance: x }, { covariance: x }).power, 0, { atol: 1e-12 * d });
  }
});

test('gradients by mean and covariance agree with central differences, on both sides', () => {
  const d = 4;
  const x = { mean: randomF64(d, 1), covariance: covariance(d, 2) };
  const y = { mean: randomF64(d, 3), covariance: covariance(d, 4) };
  const r = buresWasserstein(x, y);
  expectClose(
    r.gradX.mean,
    numericalGradient((m) => buresWasserstein({ ...x, mean: m }, y).power, x.mean),
    { atol: 1e-7 },
  );
  expectClose(
    r.gradY.mean,
    numericalGradient((m) => buresWasserstein(x, { ...y, mean: m }).power, y.mean),
    { atol: 1e-7 },
  );
  // Differences along symmetric directions: the covariance moves as S + t(E_ij + E_ji)/2.
  const along = (g: Float64Array, s: Float64Array, value: (moved: Float64Array) => number) => {
    for (let i = 0; i < d; i++)
      for (let j = 0; j <= i; j++) {
        const moved = (t: number) => s.map((v, at) => v + (at === i * d + j ? t / 2 : 0) + (at === j * d + i ? t / 2 : 0));
        expectClose((value(moved(1e-5)) - value(moved(-1e-5))) / 2e-5, g[i * d + j]!, { atol: 1e-6 });
      }
  };
  along(r.gradX.covariance!, x.covariance.data, (s) => buresWasserstein({ ...x, covariance: { data: s, shape: [d, d] } }, y).power);
  along(r.gradY.covariance!, y.covariance.data, (s) => buresWasserstein(x, { ...y, covariance: { data: s, shape: [d, d] } }).power);
});

test('singular covariances have a distance and no map', () => {
  const [low, full] = [covariance(5, 1, 2), covariance(5, 2)];
  const r = buresWasserstein({ covariance: low }, { covariance: full });
  expect(r.map).toBeUndefined();
  expect(r.gradX.covariance).toBeUndefined();
  expect(r.gradY.covariance).toBeDefined();
  const near = buresWasserstein({ covariance: covariance(5, 1, 2, 1e-9) }, { covariance: full });
  expectClose(r.power, near.power, { rtol: 1e-3 });
});

test('the barycenter of commuting covariances has the squared mean of their roots', () => {
  const r = buresBarycenter([diagonal([1, 4]), diagonal([9, 4]), diagonal([4, 16])], { weights: [1, 1, 2] });
  expect(r.converged).toBe(true);
  expectClose(r.covariance, diagonal([((1 + 3 + 2 * 2) / 4) ** 2, ((2 + 2 + 2 * 4) / 4) ** 2]).data, { atol: 1e-10 });
});

test('at the barycenter the mean of the maps is the identity', () => {
  const all = [covariance(4, 1), covariance(4, 2), covariance(4, 3)];
  const { covariance: center, converged } = buresBarycenter(all);
  expect(converged).toBe(true);
  const mean = new Float64Array(16);
  for (const s of all) {
    const { map } = buresWasserstein({ covariance: { data: center, shape: [4, 4] } }, { covariance: s });
    for (let at = 0; at < 16; at++) mean[at]! += map![at]! / 3;
  }
  expectClose(mean, diagonal([1, 1, 1, 1]).data, { atol: 1e-9 });
});

test('bad input is refused by name', () => {
  expect(() => buresWasserstein({ covariance: diagonal([1, -1]) }, { covariance: diagonal([1, 1]) })).toThrow(
    /x.covariance: expected no negative eigenvalue/,
  );
  expect(() => buresWasserstein({ covariance: diagonal([1]) }, { covariance: diagonal([1, 1]) })).toThrow(
    /y.covariance: expected 1 elements/,
  );
  expect(() => buresBarycenter([])).toThrow(/covariances: expected at least one/);
});

test('a barycenter with a singular covariance among its own converges to the default tolerance', () => {
  for (let seed = 0; seed < 12; seed++) {
    const d = [3, 5, 7][seed % 3]!;
    const all = [covariance(d, 100 + seed, d, 0.1), covariance(d, seed, d), covariance(d, 50 + seed, d - 1)];
    expect(buresBarycenter(all, { weights: [1, 2, 0.5] }).converged).toBe(true);
  }
});
