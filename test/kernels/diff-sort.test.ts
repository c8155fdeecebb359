import { diffsort, diffsortBack, distributions } from '../../src/kernels/diff-sort.js';
import { networkRows } from '../../src/kernels/sort-network.js';
import type { Arena } from '../../src/runtime/arena.js';
import { wiringOf } from '../../src/sorting/wiring.js';
import { expectClose, randomF32, randomF64 } from '../helpers/close.js';
import { onBoth } from '../helpers/tiers.js';

describe.each([
  ['f32', randomF32, 3e-5],
  ['f64', randomF64, 1e-12],
] as const)('%s', (_type, random, tolerance) => {
  test.each(distributions)('%s network agrees with its scalar twin: values, P, U P and the gradient', (distribution) => {
    for (const [n, batch, lambda] of [
      [1, 1, 0.25],
      [2, 3, 0.5],
      [7, 5, 0.25],
      [18, 4, 0.25],
    ] as const) {
      for (const network of ['odd-even', 'bitonic'] as const) {
        const { pairs, spans } = wiringOf(n, network, false);
        const net = (arena: Arena) => ({
          n,
          pairs: arena.put(pairs),
          spans: arena.put(spans),
          distribution,
          steepness: 3,
          artLambda: lambda,
        });
        const places = (arena: Arena) => arena.put(random(2 * n, 8));
        const works = [
          (arena: Arena) => {
            const y = arena.put(random(batch * n));
            diffsort(arena, { y }, arena.put(random(batch * n)), net(arena));
            return y;
          },
          (arena: Arena) => {
            const z = arena.put(random(batch * n * n));
            diffsort(arena, { z }, arena.put(random(batch * n)), net(arena));
            return z;
          },
          (arena: Arena) => {
            const z = arena.put(random(batch * 2 * n));
            diffsort(arena, { z }, arena.put(random(batch * n)), net(arena), places(arena));
            return z;
          },
          (arena: Arena) => {
            const gx = arena.put(random(batch * n));
            const grads = { gy: arena.put(random(batch * n, 3)), gz: arena.put(random(batch * n * n, 4)) };
            diffsortBack(arena, gx, grads, arena.put(random(batch * n)), net(arena));
            return gx;
          },
          (arena: Arena) => {
            const gx = arena.put(random(batch * n));
            diffsortBack(arena, gx, { gz: arena.put(random(batch * 2 * n, 4)) }, arena.put(random(batch * n)), net(arena), places(arena));
            return gx;
          },
        ];
        for (const work of works) {
          const [fast, plain] = onBoth(work);
          expectClose(fast as Float32Array, plain as Float32Array, { rtol: 20 * tolerance, atol: 20 * tolerance });
        }
      }
    }
  });
});

test.each([
  ['f32', randomF32],
  ['f64', randomF64],
] as const)('hard networks of %s agree with their scalar twins', (_type, random) => {
  for (const [n, batch] of [
    [1, 1],
    [3, 2],
    [16, 5],
    [33, 9],
  ] as const) {
    const { pairs } = wiringOf(n, 'bitonic', false);
    const [fast, plain] = onBoth((arena) => {
      const x = arena.put(random(n * batch) as Float32Array);
      const out = arena.alloc(x.type, n * batch);
      networkRows(arena, out, x, arena.put(pairs), n, true);
      return out;
    });
    expect(fast).toEqual(plain);
  }
});
