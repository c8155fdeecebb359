import { DomainError, ShapeError } from '../../src/core/errors.js';
import type { Batch } from '../../src/core/model-types.js';
import { gather } from '../../src/workflows/gather.js';

/** Samples numbered from `from`: x is [i, -i], y is i. */
function batch(from: number, count: number, more: Partial<Batch> = {}): Batch {
  const ids = Array.from({ length: count }, (_, i) => from + i);
  return { x: { data: Float32Array.from(ids.flatMap((i) => [i, -i])), shape: [count, 2] }, y: Int32Array.from(ids), ...more };
}
const dataOf = (x: Batch['x']) => x as { data: Float32Array; shape: number[] };

describe('gather', () => {
  test('joins all samples of several batches in their order', async () => {
    const { batch: got, of } = await gather([batch(0, 3), batch(3, 1), batch(4, 2)], { seed: 0 });
    expect(of).toBe(6);
    expect(got).toEqual(batch(0, 6));
  });

  test('draws from all batches without replacement, x and y together, the same for any division into batches', async () => {
    const { batch: got, of } = await gather([batch(0, 50), batch(50, 7), batch(57, 43)], { samples: 20, seed: 3 });
    const labels = Array.from(got.y as Int32Array);
    expect(of).toBe(100);
    expect(new Set(labels).size).toBe(20);
    expect(labels).toEqual(labels.toSorted((a, b) => a - b));
    expect(labels.some((i) => i >= 57) && labels.some((i) => i < 50)).toBe(true);
    expect(Array.from(dataOf(got.x).data)).toEqual(labels.flatMap((i) => [i, i === 0 ? -0 : -i]));
    expect((await gather([batch(0, 100)], { samples: 20, seed: 3 })).batch).toEqual(got);
  });

  test('a batch without weights counts with weight 1 where others have weights', async () => {
    const { batch: got } = await gather([batch(0, 2, { weights: Float32Array.of(0.5, 2) }), batch(2, 1)], { seed: 0 });
    expect(Array.from(got.weights as ArrayLike<number>)).toEqual([0.5, 2, 1]);
  });

  test('joins inputs by name and targets that are tensors', async () => {
    const named = (from: number): Batch => ({
      x: { a: batch(from, 2).x as never, b: { data: Int32Array.of(from, from + 1), shape: [2] } },
      y: { data: Float64Array.of(from, 0, from + 1, 0), shape: [2, 2] },
    });
    const { batch: got } = await gather([named(0), named(2)], { seed: 0 });
    expect(got.x).toEqual({ a: batch(0, 4).x, b: { data: Int32Array.of(0, 1, 2, 3), shape: [4] } });
    expect(got.y).toEqual({ data: Float64Array.of(0, 0, 1, 0, 2, 0, 3, 0), shape: [4, 2] });
  });

  test('refuses no samples and rows of different shapes by name', async () => {
    await expect(gather([], { seed: 0 })).rejects.toThrow(DomainError);
    const wide = { x: { data: new Float32Array(3), shape: [1, 3] }, y: Int32Array.of(0) };
    await expect(gather([batch(0, 1), wide], { seed: 0 })).rejects.toThrow(ShapeError);
    await expect(gather([batch(0, 1), wide], { seed: 0 })).rejects.toThrow('x: expected rows of shape [2] in every batch, got [3]');
  });
});
