import { logSumExpRows, softmaxRows } from '../../src/kernels/softmax-rows.js';
import { aroundVector, expectClose, randomF32, randomF64 } from '../helpers/close.js';
import { onBoth } from '../helpers/tiers.js';

describe.each([
  ['f32', randomF32, Float32Array, 1e-6],
  ['f64', randomF64, Float64Array, 4e-15],
] as const)('%s', (_type, random, Type, rtol) => {
  test.each(aroundVector)('softmax and log-sum-exp over %i columns agree with their twins and with the formula', (cols) => {
    const x = random(3 * cols).map((v) => 10 * v);
    const lse = [0, 1, 2].map((i) => {
      const row = Array.from(x.subarray(i * cols, (i + 1) * cols));
      const top = Math.max(...row);
      return top + Math.log(row.reduce((sum, v) => sum + Math.exp(v - top), 0));
    });
    for (const got of onBoth((arena) => {
      const out = arena.put(x);
      softmaxRows(out, out, 3, cols);
      return out;
    }))
      expectClose(
        got as Float32Array,
        Array.from(x, (v, at) => Math.exp(v - lse[Math.floor(at / cols)]!)),
        { rtol: 20 * rtol, atol: 1e-30 },
      );
    for (const got of onBoth((arena) => {
      const out = arena.put(new Type(3));
      logSumExpRows(out, arena.put(x), 3, cols);
      return out;
    }))
      expectClose(got as Float32Array, lse, { rtol, atol: rtol });
  });

  test('huge logits do not overflow; rows of -inf, +inf and NaN give what the formula gives', () => {
    const inf = Infinity;
    const rows = [
      [1e30, 1e30, 0, -1e30, -inf],
      [-inf, -inf, -inf, -inf, -inf],
      [0, inf, 0, 0, 0],
      [0, 0, NaN, 0, 0],
      [0, 0, 0, 0, NaN],
    ];
    const x = Type.from(rows.flat());
    for (const got of onBoth((arena) => {
      const out = arena.put(x);
      softmaxRows(out, out, 5, 5);
      return out;
    }))
      expect(Array.from(got as Float32Array)).toEqual([0.5, 0.5, 0, 0, 0, ...new Array(20).fill(NaN)]);
    for (const got of onBoth((arena) => {
      const out = arena.put(new Type(5));
      logSumExpRows(out, arena.put(x), 5, 5);
      return out;
    }))
      expect(Array.from(got as Float32Array)).toEqual([Type.of(1e30)[0], -inf, inf, NaN, NaN]);
  });
});

test('no columns, or a wrong length, is refused by name', () => {
  onBoth((arena) => {
    const x = arena.zeros('f32', 6);
    expect(() => softmaxRows(x, x, 6, 0)).toThrow(/cols: expected an integer >= 1, got 0/);
    expect(() => logSumExpRows(x, x, 2, 3)).toThrow(/out: expected 2 elements, got 6/);
    return 0;
  });
});
