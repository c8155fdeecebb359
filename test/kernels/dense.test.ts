import * as passes from '../../src/kernels/dense.js';
import * as losses from '../../src/kernels/dense-loss.js';
import type { Arena } from '../../src/runtime/arena.js';
import { slice } from '../../src/runtime/arena.js';
import { expectClose, randomF32, randomF64 } from '../helpers/close.js';
import { onBoth } from '../helpers/tiers.js';

const dense = { ...passes, ...losses };

const shapes = [
  [1, 1],
  [3, 2],
  [5, 4],
  [7, 5],
  [70, 9],
  [130, 17],
] as const;

describe.each([
  ['f32', randomF32, 4e-6, 'float32'],
  ['f64', randomF64, 1e-14, 'float64'],
] as const)('%s', (_type, random, tolerance, precision) => {
  const agrees = (work: (arena: Arena) => any, scale = 1) => {
    const [fast, plain] = onBoth(work);
    expectClose(fast as number[], plain as number[], { rtol: tolerance, atol: tolerance * scale });
    return fast;
  };

  test.each(shapes)('rows, column sums and products of %i × %i agree with their twins', (rows, cols) => {
    const n = rows * cols;
    agrees((arena) => {
      const out = arena.real(precision, n);
      dense.fillRows(arena.put(random(cols)), out, rows);
      return out;
    });
    agrees((arena) => {
      const out = arena.put(random(cols, 3));
      dense.addColumnSums(arena.put(random(n)), out, rows);
      return out;
    }, rows);
    agrees((arena) => {
      const out = arena.real(precision, n);
      dense.multiply(arena.put(random(n)), arena.put(random(n, 2)), out);
      return out;
    });
    agrees((arena) => {
      const out = arena.real(precision, n);
      const [a, b, c, d, e] = [1, 2, 3, 4, 5].map((seed) => arena.put(random(n, seed)));
      dense.activationTurn(a!, b!, c!, d!, e!, out);
      return out;
    }, 10);
  });

  test.each(shapes)('softmax loss of %i × %i: shares, seeds and losses agree with their twins', (rows, cols) => {
    const n = rows * cols;
    const labels = Int32Array.from({ length: rows }, (_, i) => (i * 7) % cols);
    agrees((arena) => {
      const all = arena.zeroReal(precision, 2 * n + 1);
      const total = dense.softmaxLoss(
        arena.put(random(n).map((x) => 4 * x)),
        arena.put(labels),
        arena.put(random(rows, 2).map(Math.abs)),
        slice(all, 0, n),
        slice(all, n, n),
        arena.alloc('f64', rows),
      );
      arena.view(all)[2 * n] = total / rows;
      return all;
    }, 10);
    agrees((arena) => {
      const out = arena.real(precision, n);
      dense.softmaxCurvature(arena.put(random(n, 3).map(Math.abs)), arena.put(random(rows, 4)), arena.put(random(n, 5)), out);
      return out;
    }, 10 * cols);
  });

  test.each(shapes)('squared loss, row scaling and outer rows of %i × %i agree with their twins', (rows, cols) => {
    const n = rows * cols;
    agrees((arena) => {
      const out = arena.real(precision, n);
      dense.squaredLoss(arena.put(random(n)), arena.put(random(n, 2)), arena.put(random(rows, 3)), out, arena.alloc('f64', rows));
      dense.scaleRows(0.5, arena.put(random(rows, 4)), out, out);
      return out;
    });
    agrees((arena) => {
      const stride = 3 * cols + 2;
      const out = arena.zeroReal(precision, rows * stride);
      dense.outerRows(arena.put(random(rows * 3)), arena.put(random(n, 2)), out, rows, stride, 1);
      return out;
    });
  });
});

test('the softmax seed of one sample is softmax minus one-hot, its loss log 2 for two equal logits', () => {
  const [fast] = onBoth((arena: Arena) => {
    const delta = arena.alloc('f64', 3);
    const total = dense.softmaxLoss(
      arena.put(Float64Array.of(700, 700)),
      arena.put(Int32Array.of(1)),
      arena.put(Float64Array.of(1)),
      arena.alloc('f64', 2),
      slice(delta, 0, 2),
      arena.alloc('f64', 1),
    );
    arena.view(delta)[2] = total;
    return delta;
  });
  expectClose(fast as Float64Array, [0.5, -0.5, Math.log(2)], { rtol: 1e-14 });
});

test('blocks that do not fit are refused by name', () => {
  expect(() => onBoth((arena: Arena) => (dense.fillRows(arena.zeros('f64', 3), arena.zeros('f64', 5), 2), 0))).toThrow(
    /out: expected 6 elements, got 5/,
  );
});
