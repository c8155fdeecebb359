import { Random } from '../../src/core/random.js';
import { prototypeLogits } from '../../src/transport/index.js';

test('planted directions are found, and every sample scores highest on its own', () => {
  const draw = new Random(2);
  const truth = Array.from({ length: 90 }, (_, i) => (i < 60 ? 0 : i < 80 ? 1 : 2));
  const data = Float64Array.from({ length: 270 }, (_, k) => (truth[Math.floor(k / 3)] === k % 3 ? 1 : 0) + 0.1 * draw.normal());
  const { logits } = prototypeLogits({ data, shape: [90, 3] }, { classes: 3, seed: 1 });
  const label = (i: number) => [0, 1, 2].reduce((best, k) => (logits[i * 3 + k]! > logits[i * 3 + best]! ? k : best), 0);
  const names = new Map([0, 60, 80].map((i) => [label(i), truth[i]]));
  expect(names.size).toBe(3);
  expect(truth.every((t, i) => names.get(label(i)) === t)).toBe(true);
});

test('the scale of a sample does not matter, and more clusters than samples are refused', () => {
  const one = prototypeLogits(
    [
      [1, 0],
      [0, 1],
    ],
    { classes: 2 },
  );
  const two = prototypeLogits(
    [
      [5, 0],
      [0, 0.1],
    ],
    { classes: 2 },
  );
  expect([...one.logits]).toEqual([...two.logits]);
  expect(() => prototypeLogits([[1, 0]], { classes: 2 })).toThrow(/classes: expected an integer from 1 to 1, got 2/);
  expect(() => prototypeLogits([[0, 0]], { classes: 1 })).toThrow(/features: expected vectors that are not 0/);
});
