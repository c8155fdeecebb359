import { axpy, dot, nrm2 } from '../../src/kernels/dot.js';
import { aroundVector, expectClose, randomF32, randomF64 } from '../helpers/close.js';
import { onBoth } from '../helpers/tiers.js';

describe.each([
  ['f32', randomF32, 1e-5],
  ['f64', randomF64, 1e-14],
] as const)('%s', (_type, random, rtol) => {
  test.each([0, ...aroundVector, 100, 1001])('dot over %i elements agrees with its scalar twin', (n) => {
    const [fast, plain] = onBoth((arena) => dot(arena.put(random(n, 1)), arena.put(random(n, 2))));
    expectClose(fast as number[], plain as number[], { rtol, atol: rtol * Math.sqrt(n) });
  });

  test.each(aroundVector)('axpy over %i elements agrees with its scalar twin', (n) => {
    const [fast, plain] = onBoth((arena) => {
      const y = arena.put(random(n, 2));
      axpy(0.3, arena.put(random(n, 1)), y);
      return y;
    });
    expectClose(fast as Float32Array, plain as Float32Array, { rtol, atol: rtol });
  });

  test.each(aroundVector)('nrm2 over %i elements agrees with its scalar twin', (n) => {
    const [fast, plain] = onBoth((arena) => nrm2(arena.put(random(n))));
    expectClose(fast as number[], plain as number[], { rtol });
  });
});

test('the norm of huge and tiny f32 vectors neither overflows nor vanishes', () => {
  for (const scale of [1e30, 1e-30]) {
    const [fast] = onBoth((arena) => nrm2(arena.put(new Float32Array(7).fill(scale))));
    expectClose(fast as number[], [Math.sqrt(7) * Math.fround(scale)], { rtol: 1e-12 });
  }
});

test('vectors of different lengths are refused by name', () => {
  expect(() => onBoth((arena) => dot(arena.zeros('f32', 3), arena.zeros('f32', 4)))).toThrow(/y: expected 3 elements, got 4/);
});
