import { sameBits } from '../../src/kernels/memory.js';
import { slice } from '../../src/runtime/arena.js';
import { aroundVector, randomF32, randomF64 } from '../helpers/close.js';
import { onBoth } from '../helpers/tiers.js';

test.each([0, ...aroundVector, 63, 64, 65, 130])(
  '%i equal numbers are the same, and any one that differs is found, on both builds',
  (n) => {
    for (const data of [randomF32(n + 1, 1), randomF64(n + 1, 1)]) {
      const found = onBoth((arena) => {
        const result = arena.alloc('i32', n + 2);
        const a = arena.put(data);
        const answers = [sameBits(a, arena.put(data))];
        for (let i = 0; i <= n; i++) {
          const other = data.slice();
          other[i] = other[i]! + 1;
          // The last number lies beyond what is compared.
          answers.push(sameBits(slice(a, 0, n), slice(arena.put(other), 0, n)));
        }
        arena.view(result).set(answers.map(Number));
        return result;
      });
      for (const answers of found) expect(Array.from(answers as Int32Array)).toEqual([1, ...new Array(n).fill(0), 1]);
    }
  },
);

test('−0 is not 0, a NaN is itself, and unequal lengths are refused', () => {
  onBoth((arena) => {
    const put = (...numbers: number[]) => arena.put(Float32Array.from(numbers));
    expect(sameBits(put(0, 1), put(-0, 1))).toBe(false);
    expect(sameBits(put(NaN), put(NaN))).toBe(true);
    expect(() => sameBits(put(1), put(1, 2))).toThrow(/b: expected 1 element/);
    return put(0);
  });
});
