// One-dimensional, sliced and Gaussian transport against golden/ot-sort.
import { buresWasserstein, maxSlicedWasserstein, slicedWasserstein, wasserstein1d } from '../../../src/transport/index.js';
import { expectClose } from '../../helpers/close.js';
import type { GoldenAdapter, OtSortCase } from '../discover.js';

const f64 = (c: OtSortCase, name: string): Float64Array => Float64Array.from(c.array(name).data);
const f32 = (c: OtSortCase, name: string): Float32Array => Float32Array.from(c.array(name).data);
const number = (c: OtSortCase, name: string): number => c.params[name] as number;

function runLine(c: OtSortCase): void {
  const [a, b, p] = [f64(c, 'a'), f64(c, 'b'), number(c, 'p')];
  const r = wasserstein1d({ x: f64(c, 'x'), y: f64(c, 'y'), a, b }, { p });
  expectClose(r.power, c.scalars.value!, { rtol: c.tolerances.value_rel! });
  if (c.has('grad_x')) {
    expectClose(r.gradX, f64(c, 'grad_x'), { atol: 1e-12 });
    expectClose(r.gradY, f64(c, 'grad_y'), { atol: 1e-12 });
  }
  const single = wasserstein1d({ x: f32(c, 'x'), y: f32(c, 'y'), a, b }, { p });
  expectClose(single.power, c.scalars.value!, { rtol: c.tolerances.f32_value_rel! });
}

function runSliced(c: OtSortCase): void {
  const [d, L, p] = [number(c, 'd'), number(c, 'L'), number(c, 'p')];
  const columns = f64(c, 'dirs');
  const directions = { data: Float64Array.from({ length: L * d }, (_, at) => columns[(at % d) * L + Math.floor(at / d)]!), shape: [L, d] };
  const x = { data: f64(c, 'X'), shape: [number(c, 'n'), d] };
  const y = { data: f64(c, 'Y'), shape: [number(c, 'm'), d] };
  const r = slicedWasserstein({ x, y }, { p, directions });
  expectClose(r.distance, c.scalars.value!, { rtol: c.tolerances.value_rel! });
  expectClose(r.gradX, f64(c, 'grad_X'), { atol: 1e-12 });
  const best = maxSlicedWasserstein({ x, y }, { p, directions, refine: 0 });
  expectClose(best.distance, c.scalars.max_sliced!, { rtol: c.tolerances.value_rel! });
  const single = slicedWasserstein({ x: { ...x, data: f32(c, 'X') }, y: { ...y, data: f32(c, 'Y') } }, { p, directions });
  expectClose(single.distance, c.scalars.value!, { rtol: c.tolerances.f32_value_rel! });
}

function runBures(c: OtSortCase): void {
  const [d, rank] = [number(c, 'd'), number(c, 'rank')];
  const side = (k: 0 | 1) => ({ mean: f64(c, `m${k}`), covariance: { data: f64(c, `S${k}`), shape: [d, d] } });
  const r = buresWasserstein(side(0), side(1));
  if (rank < d) {
    expectClose(r.power, c.scalars.w2sq!, { atol: c.tolerances.singular_value_abs! });
    expect(r.map).toBeUndefined();
    return;
  }
  expectClose(r.power, c.scalars.w2sq!, { rtol: c.tolerances.value_rel! });
  expectClose(r.map!, f64(c, 'A'), { atol: c.tolerances.A_abs! });
  expectClose(r.gradX.covariance!, f64(c, 'grad_S0'), { atol: c.tolerances.A_abs! });
}

export default { pillar: 'transport', otSort: { wasserstein1d: runLine, sliced: runSliced, bures: runBures } } satisfies GoldenAdapter;
