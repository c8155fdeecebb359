import fc from 'fast-check';
import { Random } from '../../src/core/random.js';
import {
  argsort,
  neuralSortMatrix,
  type RelaxedMatrix,
  type RelaxedMatrixOptions,
  type Rows,
  softSortMatrix,
} from '../../src/sorting/index.js';
import { expectClose, numericalGradient, randomF64 } from '../helpers/close.js';

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, v, i) => sum + v * (b[i] as number), 0);
type Form = (x: Rows, options: RelaxedMatrixOptions) => RelaxedMatrix<Rows>;
const forms: Record<string, Form> = {
  'SoftSort, power 1': (x, options) => softSortMatrix(x, options),
  'SoftSort, power 2': (x, options) => softSortMatrix(x, { ...options, power: 2 }),
  NeuralSort: (x, options) => neuralSortMatrix(x, options),
};

describe.each(Object.entries(forms))('%s', (_name, form) => {
  test('rows sum to 1, and their largest entries are the sorted order in either direction', () =>
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: -40, max: 40 }), { minLength: 1, maxLength: 12 }), (x) => {
        const n = x.length;
        for (const direction of ['ascending', 'descending'] as const) {
          const { data } = form(x, { direction }).matrix;
          const best = Array.from({ length: n }, (_, i) => {
            const row = Array.from(data.subarray(i * n, (i + 1) * n));
            expectClose(
              dot(
                row,
                row.map(() => 1),
              ),
              1,
              { atol: 1e-12 },
            );
            return row.indexOf(Math.max(...row));
          });
          expect(best).toEqual([...argsort(x, { direction })]);
        }
      }),
    ));

  test('columns follow a permutation of x, and a small temperature gives the permutation', () => {
    const x = Float64Array.from(new Random(3).permutation(9));
    const order = new Random(5).permutation(9);
    const { data } = form(x, { temperature: 2 }).matrix;
    const turned = form(
      Float64Array.from(order, (i) => x[i] as number),
      { temperature: 2 },
    ).matrix.data;
    expectClose(
      turned,
      Float64Array.from(turned, (_, at) => data[Math.floor(at / 9) * 9 + (order[at % 9] as number)] as number),
      { atol: 1e-14 },
    );
    const hard = form(x, { temperature: 1e-4 }).matrix.data;
    expectClose(
      hard,
      Float64Array.from(hard, (_, at) => (x[at % 9] === Math.floor(at / 9) ? 1 : 0)),
      { atol: 1e-12 },
    );
  });

  test('the gradient agrees with differences', () => {
    const [x, g] = [randomF64(12, 1), randomF64(72, 2)];
    for (const direction of ['ascending', 'descending'] as const) {
      const value = (data: Float64Array) => dot(form({ data, shape: [2, 6] }, { temperature: 0.7, direction }).matrix.data, g);
      const { data } = form({ data: x, shape: [2, 6] }, { temperature: 0.7, direction }).backward(g) as unknown as { data: Float64Array };
      expectClose(data, numericalGradient(value, x), { atol: 1e-7 });
    }
  });
});

test.each([
  ['temperature 0', () => softSortMatrix([1, 2], { temperature: 0 }), /temperature: expected a number > 0, got 0/],
  ['power 3', () => softSortMatrix([1, 2], { power: 3 as 2 }), /power: expected 1 or 2, got 3/],
  ['NaN', () => neuralSortMatrix([NaN]), /x: expected finite numbers, got NaN at index 0/],
  ['an empty row', () => neuralSortMatrix([]), /x: expected at least one element in a row, got none/],
])('%s is refused by name', (_what, call, message) => {
  expect(call).toThrow(message);
});

test.each(Object.entries(forms))('%s of scores far from 0 in single precision is that of the shifted scores', (_name, form) => {
  const near = randomF64(40, 3).map((v) => Math.round(256 * v) / 256);
  const far = Float32Array.from(near, (v) => v + 4096);
  const [one, other] = [form(near, { temperature: 0.5 }), form(far, { temperature: 0.5 })];
  expectClose(other.matrix, one.matrix, { atol: 1e-6 });
  const grad = randomF64(1600, 4);
  expectClose(other.backward(grad), one.backward(grad), { rtol: 1e-4, atol: 1e-4 });
});

test.each(Object.entries(forms))('%s of scores near the largest float is hard, not NaN', (_name, form) => {
  const { matrix } = form(Float32Array.from([1e37, -1e37, 3e37]), {});
  expectClose(matrix, [0, 1, 0, 1, 0, 0, 0, 0, 1]);
});
