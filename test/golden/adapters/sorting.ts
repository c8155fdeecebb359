// The sorting kinds of golden/ot-sort, in f64 and f32 at the manifest's tolerances.
import { argsort, sort, topK } from '../../../src/sorting/index.js';
import type { GoldenAdapter, OtSortCase } from '../discover.js';

/** The draws of the `large` cases. */
function mulberry32(seed: number): () => number {
  let s = seed;
  return () => {
    s = (s + 0x6d2b79f5) | 0;
    let t = Math.imul(s ^ (s >>> 15), s | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Hard sort of many draws; the transport cases of this kind belong to another adapter. */
function large(c: OtSortCase): void {
  if (c.params.op !== 'sort') return;
  const { n, k, seed } = c.params as { n: number; k: number; seed: number };
  const draw = mulberry32(seed);
  const x = Float32Array.from({ length: n }, draw);
  for (const data of [x, Float64Array.from(x)]) {
    const order = argsort(data);
    expect(order.filter((_, place) => place % (c.scalars.step as number) === 0)).toEqual(c.array('argsort_every').data);
    expect(topK(data, { k }).indices).toEqual(c.array('topk').data);
    expect(Array.from(sort(data))).toEqual(Array.from(order, (i) => data[i]));
  }
}

const adapter: GoldenAdapter = { pillar: 'sorting', otSort: { large } };
export default adapter;
