// Long runs do not grow: memory of WebAssembly only ever grows, so a block that is not released shows as bytes.
import { dot } from '../../src/kernels/dot.js';
import { gemm } from '../../src/kernels/gemm.js';
import { DynamicMfac } from '../../src/mfac/index.js';
import { instance, withArena } from '../../src/runtime/instance.js';
import { randomF64 } from '../helpers/close.js';
import { network } from '../helpers/quadratic.js';

test('10,000 Hessian products on one model do not grow its memory, on one batch or on changing ones', async () => {
  const { model, batch } = network([6, 8, 3], 20);
  const other = { x: { data: randomF64(6 * 300, 2), shape: [300, 6] }, y: Int32Array.from({ length: 300 }, (_, i) => i % 3) };
  const v = randomF64(model.parameterCount, 3);
  for (const data of [other, other, other, batch]) await model.hvp(data, v);
  const before = model.bytes;
  const shared = instance().bytes;
  const first = await model.hvp(batch, v);
  for (let call = 0; call < 10_000; call++) {
    if (call % 100 === 99) await model.hvp(other, v);
    else if (call % 10 === 9) await model.ggnvp(batch, v);
    else await model.hvp(batch, v);
  }
  expect(await model.hvp(batch, v)).toEqual(first);
  expect(model.bytes).toBe(before);
  expect(instance().bytes).toBe(shared);
  model.dispose();
});

test('100,000 kernel calls in arenas of their own do not grow the shared memory, nor do calls that throw', () => {
  const [a, b] = [randomF64(64, 1), randomF64(64, 2)];
  const call = () =>
    withArena((arena) => {
      const [x, y, out] = [arena.put(a), arena.put(b), arena.zeros('f64', 64)];
      gemm(8, 8, 8, x, y, out);
      return dot(x, out);
    });
  const once = call();
  const before = instance().bytes;
  let same = true;
  for (let i = 0; i < 50_000; i++) same &&= call() === once; // two kernels each
  expect(same).toBe(true);
  for (let i = 0; i < 1000; i++) {
    expect(() =>
      withArena((arena) => {
        arena.alloc('f64', 1000);
        throw new Error('in the middle');
      }),
    ).toThrow('in the middle');
  }
  expect(instance().bytes).toBe(before);
});

test('2,000 updates of a sliding window hold what the first did', () => {
  using mfac = new DynamicMfac({ size: 50, window: 8, damping: 1e-3 });
  const g = randomF64(50, 1);
  mfac.update(g);
  const before = mfac.bytes;
  for (let i = 0; i < 2000; i++) mfac.update(g);
  expect(mfac.bytes).toBe(before);
});
