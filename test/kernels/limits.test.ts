import { readPeak, tilePeak } from '../../src/kernels/limits.js';
import { expectClose, randomF32, randomF64 } from '../helpers/close.js';
import { onBoth } from '../helpers/tiers.js';

test('the f32 tile sums every product of the two panels, once per round', () => {
  const [fast, plain] = onBoth((arena) => tilePeak(arena.put(randomF32(4 * 16, 1)), arena.put(randomF32(8 * 16, 2)), 3));
  expectClose(fast as number[], plain as number[], { rtol: 1e-4, atol: 1e-3 });
});

test('the f64 tile sums every product of the two panels, once per round', () => {
  const [fast, plain] = onBoth((arena) => tilePeak(arena.put(randomF64(4 * 16, 1)), arena.put(randomF64(4 * 16, 2)), 3));
  expectClose(fast as number[], plain as number[], { rtol: 1e-12, atol: 1e-12 });
});

test('the read loop meets every word of its input', () => {
  const words = new Float32Array(randomF32(96));
  const [fast, plain] = onBoth((arena) => readPeak(arena.put(words), 2));
  expectClose(fast as number[], [new Int32Array(words.buffer).reduce((a, b) => a ^ b)]);
  expectClose(plain as number[], fast as number[]);
});

test('lengths that do not fill the loops are refused by name', () => {
  expect(() => onBoth((arena) => readPeak(arena.zeros('f32', 33), 1))).toThrow(/x: expected 64 elements, got 33/);
  expect(() => onBoth((arena) => tilePeak(arena.zeros('f32', 8), arena.zeros('f32', 8), 1))).toThrow(/b: expected 16 elements, got 8/);
});
