import { sinkhorn, sinkhornBatch } from '../../src/transport/index.js';
import { expectClose } from '../helpers/close.js';
import { drawProblem, randomWeights } from './problems.js';

test('a ragged batch is the loop over its problems, bit by bit', () => {
  const problems = [drawProblem(5, 7, 1), drawProblem(12, 3, 2), drawProblem(1, 1, 3)].map(({ cost, a, b }) => ({ cost, a, b }));
  const { values, results, converged } = sinkhornBatch(problems, { epsilon: 0.1 });
  expect(converged).toBe(true);
  problems.forEach((problem, k) => {
    const one = sinkhorn(problem, { epsilon: 0.1 });
    expect(values[k]).toBe(one.value);
    expect([...results[k]!.f]).toEqual([...one.f]);
  });
});

test('one cost with many weights gives what each of them gives', () => {
  const { cost, b } = drawProblem(10, 9, 4);
  const a = Float64Array.of(...randomWeights(10, 1), ...randomWeights(10, 2), ...randomWeights(10, 3));
  const { values } = sinkhornBatch(
    { cost: { data: cost, shape: [10, 9] }, a: { data: a, shape: [3, 10] }, b: { data: b, shape: [1, 9] } },
    { epsilon: 0.05, tolerance: 1e-11 },
  );
  for (let k = 0; k < 3; k++) {
    expectClose(values[k]!, sinkhorn({ cost, a: a.subarray(10 * k, 10 * k + 10), b }, { epsilon: 0.05, tolerance: 1e-11 }).value, {
      rtol: 1e-10,
    });
  }
});

test('an empty batch and rows that do not match are refused by name', () => {
  expect(() => sinkhornBatch([])).toThrow(/problems: expected at least one/);
  expect(() =>
    sinkhornBatch({
      cost: [0, 1, 1, 0],
      a: [
        [1, 0],
        [0, 1],
        [1, 1],
      ],
      b: [
        [1, 0],
        [0, 1],
      ],
    }),
  ).toThrow(/b: expected 3 rows or one, got 2/);
});
