import { minMaxDiscreteSolve } from '../../src/compression/index.js';
import { expectClose, randomF64 } from '../helpers/close.js';

/** max |A(v − w)| in plain loops. */
function violation(A: ArrayLike<number>, rows: number, w: ArrayLike<number>, v: ArrayLike<number>): number {
  let top = 0;
  for (let k = 0; k < rows; k++) {
    let sum = 0;
    for (let j = 0; j < w.length; j++) sum += A[k * w.length + j]! * (v[j]! - w[j]!);
    top = Math.max(top, Math.abs(sum));
  }
  return top;
}

test('systems/159 with ten binary or six ternary variables the search finds the exhaustive optimum nearly always', () => {
  let found = 0;
  for (let seed = 1; seed <= 10; seed++) {
    for (const [n, low, high] of [
      [10, 0, 1],
      [6, -1, 1],
    ] as const) {
      const rows = 15;
      const A = { data: randomF64(rows * n, seed), shape: [rows, n] };
      const w = randomF64(n, seed + 50).map((v) => v / 2 + (low + high) / 2);
      const width = high - low + 1;
      let best = Infinity;
      for (let c = 0; c < width ** n; c++) {
        const v = Array.from({ length: n }, (_, j) => low + (Math.floor(c / width ** j) % width));
        best = Math.min(best, violation(A.data, rows, w, v));
      }
      const { maximum } = minMaxDiscreteSolve(A, w, { step: 1, low, high, iterations: 200 });
      expect(maximum).toBeGreaterThanOrEqual(best - 1e-12);
      if (maximum < best + 1e-9) found++;
    }
  }
  expect(found).toBeGreaterThanOrEqual(18);
});

test('systems/159 residuals carried along are those computed afresh, and the result is better than rounding', () => {
  for (let seed = 1; seed <= 8; seed++) {
    const [rows, n] = [40, 25];
    const A = { data: randomF64(rows * n, seed), shape: [rows, n] };
    const w = randomF64(n, seed + 9);
    const { maximum, rounded, values, levels } = minMaxDiscreteSolve(A, w, { step: 0.2, low: -15, high: 15, iterations: 10 });
    expectClose(maximum, violation(A.data, rows, w, values), { rtol: 1e-9 });
    expectClose(
      rounded,
      violation(
        A.data,
        rows,
        w,
        w.map((v) => 0.2 * Math.min(15, Math.max(-15, Math.round(v / 0.2)))),
      ),
      { rtol: 1e-9 },
    );
    expect(maximum).toBeLessThan(rounded);
    for (const level of levels) expect(Math.abs(level)).toBeLessThanOrEqual(15);
  }
});

test('systems/159 no single step and no swap lowers the maximum of a finished search: the row filters drop none that does', () => {
  const [rows, n] = [150, 12];
  const A = { data: randomF64(rows * n, 3), shape: [rows, n] };
  const w = randomF64(n, 4);
  const { maximum, levels } = minMaxDiscreteSolve(A, w, { step: 0.3, iterations: 0 });
  const at = (change: (v: Int32Array) => void): number => {
    const moved = levels.slice();
    change(moved);
    return violation(
      A.data,
      rows,
      w,
      Array.from(moved, (v) => 0.3 * v),
    );
  };
  for (let i = 0; i < n; i++) {
    for (const up of [1, -1]) expect(at((v) => void (v[i] = v[i]! + up))).toBeGreaterThanOrEqual(maximum * (1 - 1e-9));
    for (let j = 0; j < n; j++) {
      if (i === j) continue;
      const swapped = at((v) => {
        v[i] = v[i]! + 1;
        v[j] = v[j]! - 1;
      });
      expect(swapped).toBeGreaterThanOrEqual(maximum * (1 - 1e-9));
    }
  }
});

test('systems/159 eight-bit taps of a low-pass filter deviate less from their response than rounded ones', () => {
  // Half of a symmetric windowed-sinc filter, 41 taps, cut-off 0.3; the response on a grid is linear in the taps.
  const half = 21;
  const taps = Array.from(
    { length: half },
    (_, j) => (j === 0 ? 0.3 : Math.sin(0.3 * Math.PI * j) / (Math.PI * j)) * (0.54 + 0.46 * Math.cos((Math.PI * j) / half)),
  );
  const grid = 96;
  const data = Float64Array.from({ length: grid * half }, (_, at) => {
    const [k, j] = [Math.floor(at / half), at % half];
    return (j === 0 ? 1 : 2) * Math.cos((Math.PI * k * j) / (grid - 1));
  });
  // Measured: 7 %, 4 % and 17 % less at steps of 2⁻⁷, 2⁻⁸ and 2⁻⁹.
  for (const [step, share] of [
    [2 ** -7, 0.94],
    [2 ** -8, 0.97],
    [2 ** -9, 0.84],
  ] as const) {
    const { maximum, rounded } = minMaxDiscreteSolve({ data, shape: [grid, half] }, taps, { step, low: -255, high: 255, iterations: 40 });
    expect(maximum).toBeLessThan(share * rounded);
  }
});

test('bad input is refused by name', () => {
  const A = { data: new Float64Array(4), shape: [2, 2] };
  expect(() => minMaxDiscreteSolve(A, [1], { step: 1 })).toThrow(/w: expected 2 elements, got 1/);
  expect(() => minMaxDiscreteSolve(A, [1, 2], { step: 0 })).toThrow(/step: expected a number > 0/);
  expect(() => minMaxDiscreteSolve(A, [1, 2], { step: 1, low: 3, high: 2 })).toThrow(/high: expected an integer >= 3/);
  expect(() => minMaxDiscreteSolve({ data: new Float64Array(2), shape: [2] }, [1], { step: 1 })).toThrow(/A: expected a matrix/);
});
