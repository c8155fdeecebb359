import { Random } from '../../src/core/random.js';
import { argsortSegments, sortSegments } from '../../src/kernels/radix.js';
import { selectRows, topKRows } from '../../src/kernels/top-k.js';
import { onBoth } from '../helpers/tiers.js';
import { fillers } from '../sorting/inputs.js';

const types = { f32: Float32Array, f64: Float64Array, i32: Int32Array, u32: Uint32Array };

describe.each(Object.entries(types))('%s', (_name, Type) => {
  test.each([0, 1, 2, 47, 48, 49, 300, 6001])('sort and argsort of %i elements agree with merging', (n) => {
    for (const [filler, fill] of Object.entries(fillers)) {
      for (const descending of [false, true]) {
        const x = Type.from(fill(n, new Random(n))) as Float32Array;
        const limits = Int32Array.of(0, n >> 1, n);
        const [sorted, merged] = onBoth((arena) => {
          const data = arena.put(x);
          const out = arena.alloc(data.type, n);
          sortSegments(arena, out, data, arena.put(limits), descending);
          return out;
        });
        const [order, mergedOrder] = onBoth((arena) => {
          const out = arena.alloc('i32', n);
          argsortSegments(arena, out, arena.put(x), arena.put(limits), descending);
          return out;
        });
        expect([filler, sorted]).toEqual([filler, merged]);
        expect([filler, order]).toEqual([filler, mergedOrder]);
      }
    }
  });

  test.each(['normal', 'few values', 'special', 'reversed'])(
    'segments dealt out by their highest digit agree with merging: %s',
    (filler) => {
      const n = 61_003;
      const x = Type.from((fillers[filler] as (typeof fillers)[string])(n, new Random(7))) as Float32Array;
      const limits = Int32Array.of(0, 30_500, n);
      for (const descending of [false, true]) {
        const [sorted, merged] = onBoth((arena) => {
          const data = arena.put(x);
          const out = arena.alloc(data.type, n);
          sortSegments(arena, out, data, arena.put(limits), descending);
          return out;
        });
        const [order, mergedOrder] = onBoth((arena) => {
          const out = arena.alloc('i32', n);
          argsortSegments(arena, out, arena.put(x), arena.put(limits), descending);
          return out;
        });
        const same = (a: ArrayLike<unknown>, b: ArrayLike<unknown>) => Array.from(a).every((value, i) => Object.is(value, b[i]));
        expect(same(sorted, merged)).toBe(true);
        expect(same(order, mergedOrder)).toBe(true);
      }
    },
  );

  test('top-k and selection agree with counting', () => {
    for (const [filler, fill] of Object.entries(fillers)) {
      const x = Type.from(fill(2 * 700, new Random(3))) as Float32Array;
      for (const k of [1, 3, 350, 700]) {
        const [indices, counted] = onBoth((arena) => {
          const data = arena.put(x);
          const out = arena.alloc('i32', 2 * k);
          topKRows(arena, arena.alloc(data.type, 2 * k), out, data, 2, k, true);
          return out;
        });
        expect([filler, indices]).toEqual([filler, counted]);
        const [chosen, wanted] = onBoth((arena) => {
          const data = arena.put(x);
          const out = arena.alloc(data.type, 2);
          selectRows(arena, out, data, 2, k - 1, false);
          return out;
        });
        expect([filler, chosen]).toEqual([filler, wanted]);
      }
    }
  });
});
