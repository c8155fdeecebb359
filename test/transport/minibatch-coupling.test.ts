import { Random } from '../../src/core/random.js';
import { minibatchCoupling } from '../../src/transport/index.js';
import { expectClose } from '../helpers/close.js';

const cloud = (n: number, seed: number, shift = 0) => {
  const draw = new Random(seed);
  return { data: Float64Array.from({ length: 2 * n }, () => draw.normal() + shift), shape: [n, 2] };
};

/** Mean over pairs of the variance of x₁ given where the straight paths are at time ½, by neighbours: how much paths cross. */
function crossing(x: Float64Array, y: Float64Array, indices: ArrayLike<number>): number {
  const n = indices.length;
  const at = (i: number, k: number) => 0.5 * (x[2 * i + k]! + y[2 * indices[i]! + k]!);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const near = Array.from({ length: n }, (_, j) => j).sort(
      (p, q) => (at(p, 0) - at(i, 0)) ** 2 + (at(p, 1) - at(i, 1)) ** 2 - (at(q, 0) - at(i, 0)) ** 2 - (at(q, 1) - at(i, 1)) ** 2,
    );
    for (let k = 0; k < 2; k++) {
      const ends = near.slice(0, 8).map((j) => y[2 * indices[j]! + k]!);
      const mean = ends.reduce((s, v) => s + v, 0) / 8;
      sum += ends.reduce((s, v) => s + (v - mean) ** 2, 0) / 8 / n;
    }
  }
  return sum;
}

test('systems/188: coupled noise lowers the crossing of trajectories against random pairs', () => {
  const [x, y] = [cloud(128, 1), cloud(128, 2, 0.5)];
  const random = new Random(3).permutation(128);
  const exact = minibatchCoupling(x, y);
  expect(new Set(exact.indices).size).toBe(128);
  expect(crossing(x.data, y.data, exact.indices)).toBeLessThan(0.5 * crossing(x.data, y.data, random));
  const entropic = minibatchCoupling(x, y, { method: 'entropic', epsilon: 0.05 });
  expect(crossing(x.data, y.data, entropic.indices)).toBeLessThan(0.6 * crossing(x.data, y.data, random));
});

test('a permuted copy is paired with itself, and entropic draws follow the seed', () => {
  const x = cloud(40, 5);
  const order = new Random(1).permutation(40);
  const y = { data: Float64Array.from({ length: 80 }, (_, k) => x.data[2 * order[k >> 1]! + (k & 1)]!), shape: [40, 2] };
  const { indices, value } = minibatchCoupling(x, y);
  expect([...indices].every((j, i) => order[j] === i)).toBe(true);
  expectClose(value, 0);
  const draw = (seed: number) => [...minibatchCoupling(x, cloud(30, 6), { method: 'entropic', seed, epsilon: 1 }).indices];
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
});

test('batches of different size or dimension are refused by name', () => {
  expect(() =>
    minibatchCoupling(
      [[1, 2]],
      [
        [1, 2],
        [3, 4],
      ],
    ),
  ).toThrow(/y: expected 1 points/);
  expect(() => minibatchCoupling([[1, 2]], [[1]])).toThrow(/y: expected 2 columns/);
});
