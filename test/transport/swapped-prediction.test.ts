import { emd, groupFairnessGaps, swappedPrediction, swavCodes } from '../../src/transport/index.js';
import { expectClose, numericalGradient, randomF64 } from '../helpers/close.js';
import { columnSums, rowSums } from './problems.js';

const shaped = (data: Float64Array | Float32Array, cols: number) => ({ data, shape: [data.length / cols, cols] });

test('systems/142: codes have both marginals after convergence, and the published loop after three iterations', () => {
  const scores = randomF64(60, 1).map((s) => 0.3 * s);
  const converged = swavCodes(shaped(scores, 5), { iterations: 500 });
  expectClose(rowSums(converged, 5), new Float64Array(12).fill(1), { atol: 1e-6 });
  expectClose(columnSums(converged, 5), new Float64Array(5).fill(12 / 5), { atol: 1e-6 });

  const Q = scores.map((s) => Math.exp(s / 0.05));
  for (let iteration = 0; iteration < 3; iteration++) {
    const columns = columnSums(Q, 5);
    for (let k = 0; k < 60; k++) Q[k]! /= columns[k % 5]! * 5;
    const rows = rowSums(Q, 5);
    for (let k = 0; k < 60; k++) Q[k]! /= rows[Math.floor(k / 5)]! * 12;
  }
  expectClose(
    swavCodes(shaped(scores, 5)),
    Q.map((q) => 12 * q),
    { rtol: 1e-9, atol: 1e-12 },
  );
  expectClose(
    swavCodes(shaped(new Float32Array(scores), 5)),
    Q.map((q) => 12 * q),
    { atol: 1e-5 },
  );
});

test('systems/142: as ε shrinks, codes become the exact transport on 12 x 3', () => {
  const scores = randomF64(36, 2);
  const codes = swavCodes(shaped(scores, 3), { epsilon: 2e-3, iterations: 5000 });
  const exact = emd({
    cost: shaped(
      scores.map((s) => -s),
      3,
    ),
  });
  expectClose(
    Float64Array.from(codes).reduce((s, q, k) => s - (q * scores[k]!) / 12, 0),
    exact.value,
    { atol: 2e-3 },
  );
});

test('systems/142: the gradient is that of differences with the codes held fixed', () => {
  const [one, two] = [randomF64(20, 3), randomF64(20, 4)];
  const { codes, grad, value } = swappedPrediction(shaped(one, 4), shaped(two, 4));
  const loss = (a: ArrayLike<number>, b: ArrayLike<number>) => {
    let sum = 0;
    for (const [scores, q] of [
      [a, codes[1]],
      [b, codes[0]],
    ] as const) {
      for (let i = 0; i < 5; i++) {
        let normaliser = 0;
        for (let k = 0; k < 4; k++) normaliser += Math.exp(scores[i * 4 + k]! / 0.1);
        for (let k = 0; k < 4; k++) sum -= (q[i * 4 + k]! * (scores[i * 4 + k]! / 0.1 - Math.log(normaliser))) / 10;
      }
    }
    return sum;
  };
  expectClose(value, loss(one, two), { rtol: 1e-9 });
  expectClose(
    grad[0],
    numericalGradient((x) => loss(x, two), one),
    { atol: 1e-6 },
  );
  expectClose(
    grad[1],
    numericalGradient((x) => loss(one, x), two),
    { atol: 1e-6 },
  );
});

test('systems/142: hit rate, recall and gaps by group are those of a table counted by hand', () => {
  // Group 1: classes 0 (2 of 3 found) and 1 (1 of 1); group 2: class 0 (1 of 2), 1 (0 of 1), 2 (2 of 2).
  const labels = [0, 0, 0, 1, 0, 0, 1, 2, 2];
  const predictions = [0, 0, 1, 1, 0, 2, 0, 2, 2];
  const groups = [1, 1, 1, 1, 2, 2, 2, 2, 2];
  const r = groupFairnessGaps(predictions, labels, groups);
  expect(Array.from(r.groups)).toEqual([1, 2]);
  expect(Array.from(r.counts)).toEqual([4, 5]);
  expectClose(r.hitRate, [3 / 4, 3 / 5], { rtol: 1e-12 });
  expectClose(r.recall, [(2 / 3 + 1) / 2, (1 / 2 + 0 + 1) / 3], { rtol: 1e-12 });
  expectClose([r.hitRateGap, r.recallGap], [0.15, 1 / 3], { rtol: 1e-12 });
  expect(() => groupFairnessGaps([0], [0, 1], [1])).toThrow(/labels: expected 1 elements, got 2/);
  expect(() => groupFairnessGaps([0, 1], [0, 1], [1, NaN])).toThrow(/groups: expected finite numbers, got NaN at index 1/);
});

test('views of different shape and NaN are refused by name', () => {
  expect(() => swappedPrediction([[1, 2]], [[1]])).toThrow(/second: expected shape \[1, 2\], got \[1, 1\]/);
  expect(() => swavCodes([[NaN, 1]])).toThrow(/scores: expected finite/);
});

test.each([0.05, 0.02, 0.005])('codes at ε %p are those of the published loop, also where its exponentials would vanish', (epsilon) => {
  const [rows, cols] = [9, 4];
  // Cosines: some samples are near one prototype, some far from all.
  const scores = randomF64(rows * cols, 5).map((s, k) => Math.max(-1, Math.min(1, k % 3 === 0 ? 1.5 * s : s - 0.6)));
  const sum = (logs: number[]) => {
    const top = Math.max(...logs);
    return top + Math.log(logs.reduce((total, x) => total + Math.exp(x - top), 0));
  };
  const [u, v] = [new Float64Array(cols), new Float64Array(rows)];
  for (let iteration = 0; iteration < 3; iteration++) {
    for (let k = 0; k < cols; k++) u[k] = -Math.log(cols) - sum(Array.from(v, (x, i) => x + scores[i * cols + k]! / epsilon));
    for (let i = 0; i < rows; i++) v[i] = -Math.log(rows) - sum(Array.from(u, (x, k) => x + scores[i * cols + k]! / epsilon));
  }
  const published = scores.map((s, k) => rows * Math.exp(s / epsilon + u[k % cols]! + v[Math.floor(k / cols)]!));
  expectClose(swavCodes(shaped(scores, cols), { epsilon }), published, { atol: 1e-9 });
  expectClose(swavCodes(shaped(new Float32Array(scores), cols), { epsilon }), published, { atol: 2e-4 });
});
