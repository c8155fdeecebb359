import { ThreadPool } from '../../../src/threads/index.js';

// One small deterministic call per method of the transport area.
type Area = typeof import('../../../src/transport/index.js');

const cost = Float64Array.of(0, 1, 4, 1, 0.5, 1, 4, 1, 0.25);
const a = [0.5, 0.3, 0.2];
const b = [0.2, 0.2, 0.6];

export const calls: Record<string, (area: Area) => unknown> = {
  sinkhorn: ({ sinkhorn }) => {
    const { f, g, value, transportCost, plan } = sinkhorn({ cost, a, b }, { epsilon: 0.1 });
    return { f, g, value, transportCost, plan: plan() };
  },
  'sinkhorn-unbalanced': ({ sinkhornUnbalanced }) => {
    const { f, g, value, mass, plan } = sinkhornUnbalanced({ cost, a: [1, 0.5, 0], b }, { epsilon: 0.1, marginalPenalty: [0.5, 2] });
    return { f, g, value, mass, plan: plan() };
  },
  'sinkhorn-partial': ({ sinkhornPartial }) => {
    const { f, g, level, value, plan } = sinkhornPartial({ cost, a, b }, { epsilon: 0.1, mass: 0.6 });
    return { f, g, level, value, plan: plan() };
  },
  'sinkhorn-divergence': ({ sinkhornDivergence }) => {
    const { value, gradX, gradY, gradA } = sinkhornDivergence(
      {
        x: [
          [0, 0],
          [1, 0.5],
          [2, 1],
        ],
        y: [
          [0, 1],
          [1, 1],
        ],
        a,
      },
      { epsilon: 0.1 },
    );
    return { value, gradX, gradY, gradA };
  },
  wasserstein1d: ({ wasserstein1d }) => wasserstein1d({ x: [0.5, -1, 2], y: [0.25, 1], b: [0.4, 0.6] }, { p: 3 }),
  'sliced-wasserstein': ({ slicedWasserstein }) =>
    slicedWasserstein(
      {
        x: [
          [0, 1],
          [2, 0.5],
        ],
        y: [
          [1, 1],
          [0, 0],
          [3, 1],
        ],
      },
      { projections: 6 },
    ),
  'max-sliced-wasserstein': ({ maxSlicedWasserstein }) =>
    maxSlicedWasserstein(
      {
        x: [
          [0, 1],
          [2, 0.5],
        ],
        y: [
          [1, 1],
          [0, 0],
          [3, 1],
        ],
      },
      { projections: 6 },
    ),
  'bures-wasserstein': ({ buresWasserstein }) =>
    buresWasserstein(
      { mean: [0, 1], covariance: { data: Float64Array.of(2, 0.5, 0.5, 1), shape: [2, 2] } },
      { covariance: { data: Float64Array.of(1, -0.25, -0.25, 3), shape: [2, 2] } },
    ),
  'bures-barycenter': ({ buresBarycenter }) =>
    buresBarycenter([
      { data: Float64Array.of(2, 0.5, 0.5, 1), shape: [2, 2] },
      { data: Float64Array.of(1, -0.25, -0.25, 3), shape: [2, 2] },
    ]),
  'bures-factorization-loss': ({ buresFactorizationLoss }) => {
    const { value, grads } = buresFactorizationLoss(
      [
        { data: Float64Array.of(1, -0.5, 2), shape: [1, 3] },
        { data: Float64Array.of(0.5, 1), shape: [2, 1] },
      ],
      { data: Float64Array.of(2, 0.5, 0.5, 1), shape: [2, 2] },
      { smoothing: 0.1 },
    );
    return { value, one: grads[0], two: grads[1] };
  },
  'progressive-partial': ({ progressivePartial }) => {
    const logits = { data: Float64Array.of(2, 0, 1, 0, 1, 3, 0.5, 0, 0, 1, 2, 0), shape: [4, 3] };
    const { plan, columnMass, objective, potentials } = progressivePartial({ logits }, { mass: 0.6 });
    return { plan, columnMass, objective, potentials };
  },
  'semantic-partial': ({ semanticPartial }) => {
    const logits = { data: Float64Array.of(2, 0, 1, 0, 1, 3, 0.5, 0, 0, 1, 2, 0), shape: [4, 3] };
    const { plan, objectives } = semanticPartial(
      {
        logits,
        features: [
          [1, 0],
          [0, 1],
          [1, 1],
          [1, 2],
        ],
      },
      { mass: 0.6, neighbours: 2 },
    );
    return { plan, objectives: Float64Array.from(objectives) };
  },
  'dirichlet-max-density': ({ dirichletMaxDensity }) => {
    const { density, objective, multiplier } = dirichletMaxDensity({ data: cost, shape: [3, 3] }, { beta: 0.01 });
    return { density: density.data, objective, multiplier };
  },
  'residual-resample': ({ residualResample }) => residualResample({ data: cost, shape: [3, 3] }, 5, { seed: 3 }),
  'adversarial-adaptive-sampler': ({ adversarialAdaptiveSampler }) => {
    const sampler = adversarialAdaptiveSampler({ shape: [3, 3], upper: [2, 1] });
    sampler.update(cost);
    return sampler.draw(4);
  },
  assignment: ({ assignment }) =>
    assignment({
      cost: [
        [4, 1, 3],
        [2, 0, 5],
      ],
    }),
  'minibatch-coupling': ({ minibatchCoupling }) =>
    minibatchCoupling({
      x: [
        [0, 1],
        [2, 0.5],
      ],
      y: [
        [3, 1],
        [0, 0],
      ],
    }),
  emd: ({ emd }) => {
    const { value, f, g, plan } = emd({ cost, a, b });
    return { value, f, g, plan: plan(), partial: emd({ cost, a, b }, { mass: 0.4 }).value };
  },
  'prototype-logits': ({ prototypeLogits }) =>
    prototypeLogits({ data: Float64Array.of(1, 0, 0.9, 0.1, 0, 1, 0.2, 1, -1, 0.1), shape: [5, 2] }, { classes: 3 }),
  'blackbox-solver-grad': ({ blackboxSolverGrad }) =>
    blackboxSolverGrad((c) => Array.from(c, (v) => (v === Math.min(...c) ? 1 : 0)), [1, 2, 4], [1, 0, -2], { lambda: 2 }),
  'graph-matching': ({ graphMatching }) =>
    graphMatching({
      node: { data: Float64Array.of(1, 0, 0, 1), shape: [2, 2] },
      edge: Float64Array.from({ length: 16 }, (_, k) => (k * 7) % 5),
    }),
  'sinkhorn-barycenter': ({ sinkhornBarycenter }) =>
    sinkhornBarycenter({ cost, histograms: { data: Float64Array.of(0.5, 0.3, 0.2, 0, 0.5, 0.5), shape: [2, 3] } }, { epsilon: 0.5 }),
  'parallel-sinkhorn-batch': async ({ parallelSinkhornBatch }) => {
    const pool = await ThreadPool.open({ threads: 2, eager: true });
    try {
      const { values } = await parallelSinkhornBatch([{ cost, a, b }, { cost: [0, 1, 1, 0] }], { epsilon: 0.2, pool });
      return { values };
    } finally {
      pool.close();
    }
  },
  'sinkhorn-batch': ({ sinkhornBatch }) => ({ values: sinkhornBatch([{ cost, a, b }, { cost: [0, 1, 1, 0] }], { epsilon: 0.2 }).values }),
  'group-fairness-gaps': ({ groupFairnessGaps }) => groupFairnessGaps([0, 1, 1, 2], [0, 1, 2, 2], [5, 5, 3, 3]),
  'swapped-prediction': ({ swappedPrediction }) => {
    const view = (k: number) => ({ data: Float64Array.from({ length: 8 }, (_, i) => ((i * k) % 5) / 5), shape: [4, 2] });
    const { value, grad, codes } = swappedPrediction(view(2), view(3));
    return { value, one: grad[0], two: grad[1], codes: codes[0] };
  },
  'swav-codes': ({ swavCodes }) => swavCodes({ data: Float64Array.of(0.9, 0.1, 0.2, 0.8, 0.5, 0.6, 0.7, 0.1), shape: [4, 2] }),
};
