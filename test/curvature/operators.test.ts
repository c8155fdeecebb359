import { fisherOperator, ggnOperator, hessianOperator } from '../../src/curvature/operators.js';
import { expectClose, randomF32, randomF64 } from '../helpers/close.js';
import { matrixOf, network } from '../helpers/quadratic.js';

const products = (op: { size: number; apply(v: Float64Array, out: Float64Array): void | Promise<void> }) =>
  matrixOf(op.size, async (v) => {
    const out = new Float64Array(op.size);
    await op.apply(v, out);
    return out;
  });

test('the Hessian operator is symmetric and has the model’s size and precision', async () => {
  const { model, batch } = network([3, 4, 2], 7);
  const op = hessianOperator(model, batch);
  expect([op.size, op.precision]).toEqual([model.parameterCount, 'float64']);
  const H = await products(op);
  for (let i = 0; i < op.size; i++) for (let j = 0; j < i; j++) expectClose(H[i * op.size + j]!, H[j * op.size + i]!, { atol: 1e-14 });
});

test('for a cross-entropy model the Gauss–Newton operator is the expected Fisher matrix over the model’s own labels', async () => {
  const { model, batch } = network([3, 4, 2], 5);
  const G = await products(ggnOperator(model, batch));
  const d = model.parameterCount;
  const { data: logits } = await model.predict(batch.x);
  const want = new Float64Array(d * d);
  for (let c = 0; c < 2; c++) {
    const rows = await model.perSampleGradients({ x: batch.x, y: new Int32Array(5).fill(c) });
    for (let s = 0; s < 5; s++) {
      const share = 1 / (1 + Math.exp(logits[2 * s + 1 - c]! - logits[2 * s + c]!));
      for (let i = 0; i < d * d; i++)
        want[i] = want[i]! + (share / 5) * rows.data[s * d + Math.floor(i / d)]! * rows.data[s * d + (i % d)]!;
    }
  }
  expectClose(G, want, { atol: 1e-13 });
});

test('the Fisher operator is λI plus the mean of outer products, in either precision', async () => {
  const [m, d] = [7, 5];
  const gradients = randomF64(m * d);
  const want = Float64Array.from({ length: d * d }, (_, i) => {
    let sum = i % (d + 1) === 0 ? 0.3 : 0;
    for (let s = 0; s < m; s++) sum += (gradients[s * d + Math.floor(i / d)]! * gradients[s * d + (i % d)]!) / m;
    return sum;
  });
  const op = fisherOperator({ data: gradients, shape: [m, d] }, { damping: 0.3 });
  expectClose(await products(op), want, { atol: 1e-14 });
  const narrow = fisherOperator({ data: Float32Array.from(gradients), shape: [m, d] }, { damping: 0.3 });
  const out = new Float32Array(d);
  void narrow.apply(randomF32(d), out);
  expectClose(
    out,
    Array.from({ length: d }, (_, i) => randomF32(d).reduce((sum, x, j) => sum + x * want[i * d + j]!, 0)),
    { atol: 1e-5 },
  );
  op.dispose();
  expect(() => op.apply(new Float64Array(d), new Float64Array(d))).toThrow(/after dispose/);
});

test('what is no model, and gradients that are no matrix, are refused by name', () => {
  expect(() => hessianOperator({} as never, [])).toThrow(/model: expected a differentiable model with hvp, got an object/);
  expect(() => fisherOperator({ data: new Float64Array(4), shape: [4] })).toThrow(/gradients: expected shape \[m, d\]/);
  expect(() => fisherOperator({ data: new Float64Array([NaN]), shape: [1, 1] })).toThrow(/gradients: expected finite numbers/);
});
