// systems/221: The Pseudoinverse of A=CR is A⁺=R⁺C⁺ (?).
import fc from 'fast-check';
import { multiply, transpose } from '../../src/linalg/matrix.js';
import { pinvFromFactors, pseudoInverse, randomizedPinv } from '../../src/linalg/pseudo-inverse.js';
import { expectClose, randomF64 } from '../helpers/close.js';

/** The four Penrose conditions. */
function expectPenrose(a: Float64Array, plus: Float64Array, m: number, n: number, atol = 1e-10) {
  const [aPlus, plusA] = [multiply(a, plus, m, n, m), multiply(plus, a, n, m, n)];
  expectClose(multiply(aPlus, a, m, m, n), a, { atol });
  expectClose(multiply(plusA, plus, n, n, m), plus, { atol });
  expectClose(transpose(aPlus, m, m), aPlus, { atol });
  expectClose(transpose(plusA, n, n), plusA, { atol });
}
const lowRank = (m: number, n: number, r: number, seed = 1) => multiply(randomF64(m * r, seed), randomF64(r * n, seed + 1), m, r, n);

test('systems/221: the pseudoinverse meets the four Penrose conditions at every rank and shape', () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 7 }),
      fc.nat(99),
      (m, n, r, seed) => {
        const a = lowRank(m, n, Math.min(r, m, n), seed + 1);
        // Badly conditioned draws lose digits in any method: scale the allowance by the size of the answer.
        const plus = pseudoInverse({ data: a, shape: [m, n] }).data as Float64Array;
        const size = Math.max(1, ...plus.map(Math.abs));
        expectPenrose(a, plus, m, n, 1e-11 * size * size * Math.max(1, ...a.map(Math.abs)));
      },
    ),
    { numRuns: 80 },
  ));

test('systems/221: from factors of any rank the formula with four pseudoinverses is right where R⁺C⁺ is wrong', () => {
  const [m, k, n] = [7, 5, 6];
  const C = lowRank(m, k, 3, 11); // dependent columns
  const R = lowRank(k, n, 4, 13);
  const A = multiply(C, R, m, k, n);
  const want = pseudoInverse({ data: A, shape: [m, n] }).data;
  const plus = pinvFromFactors({ data: C, shape: [m, k] }, { data: R, shape: [k, n] });
  expectClose(plus.data, want, { atol: 1e-10 });
  expectPenrose(A, plus.data as Float64Array, m, n);
  const naive = multiply(
    pseudoInverse({ data: R, shape: [k, n] }).data as Float64Array,
    pseudoInverse({ data: C, shape: [m, k] }).data as Float64Array,
    n,
    k,
    m,
  );
  expect(Math.max(...naive.map((x, i) => Math.abs(x - want[i]!)))).toBeGreaterThan(0.01);
});

test('systems/221: with independent columns and rows R⁺C⁺ is enough, and the formula agrees', () => {
  const [C, R] = [randomF64(21, 1), randomF64(18, 2)];
  const plus = pinvFromFactors({ data: C, shape: [7, 3] }, { data: R, shape: [3, 6] });
  const short = multiply(
    pseudoInverse({ data: R, shape: [3, 6] }).data as Float64Array,
    pseudoInverse({ data: C, shape: [7, 3] }).data as Float64Array,
    6,
    3,
    7,
  );
  expectClose(plus.data, short, { atol: 1e-12 });
});

test('systems/221: two sketches of five columns are exact for a matrix of rank four, two of two columns are wrong', () => {
  const [m, n] = [40, 30];
  const A = lowRank(m, n, 4, 5);
  const want = pseudoInverse({ data: A, shape: [m, n] }, { tolerance: 1e-9 }).data;
  expectClose(randomizedPinv({ data: A, shape: [m, n] }, { size: 5 }).data, want, { atol: 1e-12 });
  const error = (size: number) =>
    Math.max(...randomizedPinv({ data: A, shape: [m, n] }, { size }).data.map((x, i) => Math.abs(x - want[i]!)));
  expect(error(2)).toBeGreaterThan(1e-3);
});

test('zero, one element and f32 matrices; factors and sketches that do not fit are refused by name', () => {
  expectClose(pseudoInverse({ data: new Float64Array(6), shape: [2, 3] }).data, new Float64Array(6));
  expectClose(pseudoInverse({ data: Float32Array.of(4), shape: [1, 1] }).data, [0.25]);
  expect(pseudoInverse({ data: Float32Array.of(4), shape: [1, 1] }).data).toBeInstanceOf(Float32Array);
  const a = { data: randomF64(6), shape: [2, 3] };
  expect(() => pinvFromFactors(a, a)).toThrow(/r: expected 3 rows, got 2/);
  expect(() => randomizedPinv(a, { size: 3 })).toThrow(/size: expected an integer from 1 to 2, got 3/);
});

test('systems/221: in f32 the rounding of a rank-deficient matrix is not inverted', () => {
  const [m, n] = [20, 12];
  const a = lowRank(m, n, 4, 5);
  const exact = pseudoInverse({ data: a, shape: [m, n] }).data;
  const single = pseudoInverse({ data: Float32Array.from(a), shape: [m, n] }).data;
  expect(single).toBeInstanceOf(Float32Array);
  expectClose(single, exact, { atol: 1e-5 * Math.max(...exact.map(Math.abs)) });
  const sketched = randomizedPinv({ data: Float32Array.from(a), shape: [m, n] }, { size: 7 }).data;
  expectClose(sketched, exact, { atol: 1e-3 * Math.max(...exact.map(Math.abs)) });
  const [C, R] = [lowRank(m, 6, 3, 11), lowRank(6, n, 4, 13)];
  const product = pseudoInverse({ data: multiply(C, R, m, 6, n), shape: [m, n] }).data;
  const factors = pinvFromFactors({ data: Float32Array.from(C), shape: [m, 6] }, { data: Float32Array.from(R), shape: [6, n] }).data;
  expectClose(factors, product, { atol: 1e-4 * Math.max(...product.map(Math.abs)) });
});
