// Optimal transport against golden/ot-sort. Every kind runs in f64 (tight) and, where the cases allow it, in f32.
import {
  emd,
  minibatchCoupling,
  progressivePartial,
  semanticPartial,
  sinkhorn,
  sinkhornDivergence,
  sinkhornPartial,
  sinkhornUnbalanced,
} from '../../../src/transport/index.js';
import { expectClose } from '../../helpers/close.js';
import { drawProblem } from '../../transport/problems.js';
import type { GoldenAdapter, OtSortCase } from '../discover.js';

const exact = { tolerance: 1e-11, maxIterations: 200_000 };
const f64 = (c: OtSortCase, name: string): Float64Array => Float64Array.from(c.array(name).data);
const f32 = (c: OtSortCase, name: string): Float32Array => Float32Array.from(c.array(name).data);
const number = (c: OtSortCase, name: string): number => c.params[name] as number;

function runSinkhorn(c: OtSortCase): void {
  const epsilon = number(c, 'reg');
  const [a, b] = [f64(c, 'a'), f64(c, 'b')];
  for (const method of ['auto', 'stabilized', 'log', 'scaling'] as const) {
    const r = sinkhorn({ cost: f64(c, 'M'), a, b }, { epsilon, method, ...exact });
    expect(r.converged).toBe(true);
    expectClose(r.plan(), f64(c, 'P'), { atol: 1e-9 });
    expectClose(r.f, f64(c, 'f'), { atol: 1e-7, rtol: 1e-7 });
    expectClose(r.g, f64(c, 'g'), { atol: 1e-7, rtol: 1e-7 });
    expectClose(r.transportCost, c.scalars.linear_cost!, { rtol: 1e-9 });
    if (c.scalars.ot_eps) expectClose(r.value, c.scalars.ot_eps, { rtol: 1e-9 });
  }
  const single = sinkhorn({ cost: f32(c, 'M'), a, b }, { epsilon });
  expect(single.converged).toBe(true);
  expect(single.f).toBeInstanceOf(Float64Array);
  expectClose(single.plan(), f64(c, 'P'), { atol: 2e-5 });
  expectClose(single.transportCost, c.scalars.linear_cost!, { rtol: 2e-4 });
}

function runUnbalanced(c: OtSortCase): void {
  const epsilon = number(c, 'reg');
  const marginalPenalty = [c.params.rm1 ?? Infinity, c.params.rm2 ?? Infinity] as [number, number];
  const [a, b] = [f64(c, 'a'), f64(c, 'b')];
  for (const method of ['auto', 'stabilized', 'log', 'scaling'] as const) {
    const r = sinkhornUnbalanced({ cost: f64(c, 'M'), a, b }, { epsilon, marginalPenalty, method, ...exact });
    expect(r.converged).toBe(true);
    expectClose(r.plan(), f64(c, 'P'), { atol: 1e-9 });
    expectClose(r.f, f64(c, 'f'), { atol: 1e-7 });
    expectClose(r.value, c.scalars.objective!, { rtol: 1e-9 });
    expectClose(r.transportCost, c.scalars.linear_cost!, { rtol: 1e-9 });
    expectClose(r.mass, c.scalars.mass!, { rtol: 1e-9 });
  }
  const single = sinkhornUnbalanced({ cost: f32(c, 'M'), a, b }, { epsilon, marginalPenalty });
  expectClose(single.plan(), f64(c, 'P'), { atol: 2e-5 });
}

function runEmd(c: OtSortCase): void {
  if (!c.has('M')) {
    const shape = [number(c, 'n'), 2];
    for (const read of [f64, f32]) {
      const { columns, value } = minibatchCoupling({ x: { data: read(c, 'x0'), shape }, y: { data: read(c, 'x1'), shape } });
      expect([...columns]).toEqual([...c.array('perm').data]);
      expectClose(value, c.scalars.cost!, { rtol: read === f64 ? 1e-10 : 1e-5 });
    }
    return;
  }
  const [M, a, b] = [f64(c, 'M'), f64(c, 'a'), f64(c, 'b')];
  const r = emd({ cost: M, a, b });
  expectClose(r.value, c.scalars.cost!, { rtol: 1e-10 });
  const [n, m] = [a.length, b.length];
  let dual = 0;
  for (let i = 0; i < n; i++) dual += a[i]! * r.f[i]!;
  for (let j = 0; j < m; j++) dual += b[j]! * r.g[j]!;
  expectClose(dual, r.value, { rtol: 1e-10 });
  for (let k = 0; k < n * m; k++) expect(r.f[Math.floor(k / m)]! + r.g[k % m]!).toBeLessThanOrEqual(M[k]! + 1e-10);
  expectClose(emd({ cost: f32(c, 'M'), a, b }).value, c.scalars.cost!, { rtol: 1e-5 });
}

function runPartial(c: OtSortCase): void {
  const [a, b, mass] = [f64(c, 'a'), f64(c, 'b'), number(c, 'mass')];
  expectClose(emd({ cost: f64(c, 'M'), a, b }, { mass }).value, c.scalars.cost!, { rtol: 1e-9 });
  const r = sinkhornPartial({ cost: f64(c, 'M'), a, b }, { mass, epsilon: number(c, 'reg'), tolerance: 1e-12, maxIterations: 100_000 });
  expectClose(r.plan(), f64(c, 'P_ent'), { atol: 1e-8 });
  expectClose(r.transportCost, c.scalars.cost_ent!, { rtol: 1e-9 });
  const single = sinkhornPartial({ cost: f32(c, 'M'), a, b }, { mass, epsilon: number(c, 'reg') });
  expectClose(single.plan(), f64(c, 'P_ent'), { atol: 2e-5 });
}

function runDivergence(c: OtSortCase): void {
  const points = (name: 'x' | 'y', single = false) => ({
    data: single ? f32(c, name) : f64(c, name),
    shape: [number(c, name === 'x' ? 'n' : 'm'), number(c, 'd')],
  });
  const [a, b] = [f64(c, 'a'), f64(c, 'b')];
  const [epsilon, marginalPenalty] = [number(c, 'eps'), (c.params.rho as number | null) ?? Infinity];
  const half = sinkhornDivergence(
    { x: points('x'), y: points('y'), costFunction: 'half-sqeuclidean', a, b },
    { epsilon, marginalPenalty, ...exact },
  );
  expectClose(half.value, c.scalars.value!, { atol: 1e-9 });
  expectClose(half.gradX!, f64(c, 'grad_x'), { atol: 1e-8 });
  // The same under |x − y|², with everything twice as large.
  const whole = sinkhornDivergence(
    { x: points('x'), y: points('y'), a, b },
    { epsilon: 2 * epsilon, marginalPenalty: 2 * marginalPenalty, ...exact },
  );
  const value = whole.value / 2;
  expectClose(value, c.scalars.value!, { atol: 1e-9 });
  const single = sinkhornDivergence(
    { x: points('x', true), y: points('y', true), costFunction: 'half-sqeuclidean', a, b },
    { epsilon, marginalPenalty },
  );
  expectClose(single.value, c.scalars.value!, { rtol: 2e-4 });
}

function runPartialLabels(c: OtSortCase): void {
  const [N, K, epsilon] = [number(c, 'N'), number(c, 'K'), number(c, 'eps')];
  const common = { mass: number(c, 'rho'), clusterPenalty: number(c, 'lam'), epsilon };
  const logits = { data: f64(c, 'logits'), shape: [N, K] };
  if (c.has('Qt')) {
    const steps = f64(c, 'Qt');
    for (let t = 1; t <= number(c, 'T'); t++) {
      const options = { ...common, semanticWeight: number(c, 'lam1'), outerIterations: t, outerTolerance: 0, tolerance: 1e-12 };
      const r = semanticPartial({ logits, similarity: f64(c, 'S') }, options);
      expectClose(r.plan, steps.subarray((t - 1) * N * K, t * N * K), { atol: 1e-9 / N });
      expectClose(r.objective, c.array('objective_t').data[t - 1]!, { rtol: 1e-9 });
    }
    return;
  }
  const real = (extended: Float64Array) => Float64Array.from({ length: N * K }, (_, k) => extended[Math.floor(k / K) * (K + 1) + (k % K)]!);
  const want = real(f64(c, 'Qh'));
  for (const method of ['newton', 'anderson', 'scaling'] as const) {
    const r = progressivePartial({ logits }, { ...common, method, tolerance: 1e-12, maxIterations: 20_000 });
    expect(r.converged).toBe(true);
    if (method === 'newton') expect(r.iterations).toBeLessThanOrEqual(20);
    expectClose(r.plan, want, { atol: 1e-9 / N });
    expectClose(r.objective, c.scalars.objective!, { rtol: 1e-9 });
    expectClose(
      r.columnMass.reduce((s, x) => s + x, 0),
      common.mass,
      { rtol: 1e-9 },
    );
  }
  const ten = progressivePartial({ logits }, { ...common, method: 'scaling', tolerance: 0, maxIterations: 10 });
  expectClose(ten.plan, real(f64(c, 'scaling10')), { atol: 1e-9 / N });
  const single = progressivePartial({ logits: { data: f32(c, 'logits'), shape: [N, K] } }, common);
  expectClose(single.plan, want, { atol: 2e-5 / N });
}

function runLarge(c: OtSortCase): void {
  if (c.params.op !== 'sinkhorn') return;
  const { cost, a, b } = drawProblem(number(c, 'n'), number(c, 'm'), number(c, 'seed'));
  expectClose(emd({ cost, a, b }).value, c.scalars.emd!, { rtol: 1e-9 });
  const r = sinkhorn({ cost, a, b }, { epsilon: number(c, 'reg'), tolerance: 1e-10 });
  expect(r.converged).toBe(true);
  expectClose(r.value, c.scalars.ot_eps!, { rtol: 1e-9 });
  expectClose(r.transportCost, c.scalars.linear_cost!, { rtol: 1e-9 });
  expectClose(r.f.subarray(0, 8), f64(c, 'f_first8'), { atol: 1e-7 });
  expectClose(r.g.subarray(0, 8), f64(c, 'g_first8'), { atol: 1e-7 });
  const single = sinkhorn({ cost: Float32Array.from(cost), a, b }, { epsilon: number(c, 'reg') });
  expect(single.converged).toBe(true);
  expectClose(single.transportCost, c.scalars.linear_cost!, { rtol: 2e-4 });
}

export default {
  pillar: 'transport',
  otSort: {
    sinkhorn: runSinkhorn,
    emd: runEmd,
    unbalanced: runUnbalanced,
    partial: runPartial,
    sinkhorn_divergence: runDivergence,
    p2ot: runPartialLabels,
    large: runLarge,
  },
} satisfies GoldenAdapter;
