import { gradualSchedule } from '../../src/compression/index.js';
import { expectClose } from '../helpers/close.js';

test('systems/84 the cubic schedule ends at its target, starts where it is told, and never falls', () => {
  const s = gradualSchedule({ from: 0.2, to: 0.9, steps: 10 });
  expectClose(
    s,
    Array.from({ length: 10 }, (_, i) => 0.9 - 0.7 * (1 - (i + 1) / 10) ** 3),
    { rtol: 1e-14 },
  );
  expect(s[9]).toBe(0.9);
  expect(Array.from(s)).toEqual(Array.from(s).sort((a, b) => a - b));
  expect(Array.from(gradualSchedule({ to: 0.5, steps: 1 }))).toEqual([0.5]);
  expectClose(gradualSchedule({ to: 0.8, steps: 4, shape: 'linear' }), [0.2, 0.4, 0.6, 0.8], { rtol: 1e-14 });
});

test('the density schedule removes the same share of what is left in every step', () => {
  const s = gradualSchedule({ from: 0.5, to: 0.95, steps: 5, shape: 'density' });
  const ratios = Array.from(s, (v, t) => (1 - v) / (1 - (t ? s[t - 1]! : 0.5)));
  expectClose(ratios, new Array(5).fill(0.1 ** 0.2), { rtol: 1e-12 });
});

test('bad input is refused by name', () => {
  expect(() => gradualSchedule({ to: 1.1, steps: 3 })).toThrow(/to: expected a number from 0 to 1/);
  expect(() => gradualSchedule({ to: 1, steps: 0 })).toThrow(/steps: expected an integer >= 1/);
});
