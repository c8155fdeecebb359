import { mfacOptimizer } from '../../src/mfac/index.js';
import { expectClose, randomF64, relativeError } from '../helpers/close.js';
import { denseFisher, inverse, times } from './dense.js';

test('the first step is the dense F⁻¹ of one gradient over a window with empty slots', () => {
  const [d, window, damping] = [9, 4, 1e-2];
  const g = randomF64(d, 1);
  const w = randomF64(d, 2);
  const optimizer = mfacOptimizer({ learningRate: 0.5, window, damping });
  const { updates } = optimizer.update(g, optimizer.init(w), w);
  const rows = new Float64Array(window * d);
  rows.set(g);
  const want = times(inverse(denseFisher(rows, window, d, damping), d), g).map((v) => -0.5 * v);
  expect(relativeError(updates, want)).toBeLessThan(1e-10);
});

test('step in place and pure update give the same numbers, and update changes nothing', () => {
  const optimizer = mfacOptimizer({ learningRate: (t) => 0.1 / (t + 1), momentum: 0.9, weightDecay: 0.01, window: 3, damping: 0.1 });
  const a = randomF64(6, 1);
  let b = a.slice();
  const inPlace = optimizer.init(a);
  let pure = optimizer.init(b);
  for (let t = 0; t < 8; t++) {
    const g = a.map((w, i) => (i + 1) * w);
    const kept = [b.slice(), pure.velocity!.slice(), pure.mfac.pushes] as const;
    const { updates, state } = optimizer.update(g, pure, b);
    expect([b, pure.velocity, pure.mfac.pushes]).toEqual(kept);
    optimizer.step(a, g, inPlace);
    b = b.map((w, i) => w + updates[i]!);
    pure = state;
    expectClose(b, a, { rtol: 1e-12, atol: 1e-14 });
  }
  expect(inPlace.step).toBe(8);
});

test('systems/94 least squares with badly scaled inputs: M-FAC at its best rate falls below gradient descent at its best', () => {
  const [d, samples, size, steps] = [12, 240, 8, 150];
  const scale = Float64Array.from({ length: d }, (_, i) => 10 ** (-2 * (i / (d - 1))));
  const x = randomF64(samples * d, 1).map((v, at) => v * scale[at % d]!);
  const target = randomF64(d, 2);
  const residual = (w: Float64Array, s: number): number => {
    let sum = 0;
    for (let j = 0; j < d; j++) sum += x[s * d + j]! * (w[j]! - target[j]!);
    return sum;
  };
  const loss = (w: Float64Array): number => {
    let sum = 0;
    for (let s = 0; s < samples; s++) sum += residual(w, s) ** 2 / (2 * samples);
    return sum;
  };
  const train = (move: (w: Float64Array, g: Float64Array) => void): number => {
    const w = new Float64Array(d);
    for (let t = 0; t < steps; t++) {
      const g = new Float64Array(d);
      for (let s = t * size; s < (t + 1) * size; s++) {
        const r = residual(w, s % samples) / size;
        for (let j = 0; j < d; j++) g[j] = g[j]! + r * x[(s % samples) * d + j]!;
      }
      move(w, g);
    }
    return loss(w);
  };
  const rates = [1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1];
  const plain = Math.min(...rates.map((rate) => train((w, g) => g.forEach((v, j) => void (w[j] = w[j]! - rate * v)))));
  const mfac = Math.min(
    ...rates.map((learningRate) => {
      const optimizer = mfacOptimizer({ learningRate, window: 60, damping: 1e-4 });
      const state = optimizer.init(new Float64Array(d));
      return train((w, g) => optimizer.step(w, g, state));
    }),
  );
  expect(mfac).toBeLessThan(plain);
});

test('sparse mode moves what is not zero as the dense optimizer of those parameters alone, and nothing else', () => {
  const w = Float64Array.of(1, 0, -2, 0, 0.5);
  const small = Float64Array.of(1, -2, 0.5);
  const options = { learningRate: 0.1, weightDecay: 0.1, window: 2, damping: 0.1 };
  const [sparse, dense] = [mfacOptimizer({ ...options, sparse: true }), mfacOptimizer(options)];
  const [a, b] = [sparse.init(w), dense.init(small)];
  for (let t = 0; t < 5; t++) {
    const g = randomF64(5, t + 1);
    sparse.step(w, g, a);
    dense.step(small, Float64Array.of(g[0]!, g[2]!, g[4]!), b);
  }
  expectClose(w, [small[0]!, 0, small[1]!, 0, small[2]!], { rtol: 1e-12 });
});

test('bad input is refused by name', () => {
  expect(() => mfacOptimizer({ momentum: 1 })).toThrow(/momentum: expected a number from 0/);
  expect(() => mfacOptimizer({ window: 0 })).toThrow(/window: expected an integer >= 1/);
  const optimizer = mfacOptimizer({ window: 2 });
  const w = new Float32Array(3);
  expect(() => optimizer.step(w, new Float32Array(2), optimizer.init(w))).toThrow(/grads: expected 3 elements, got 2/);
});
