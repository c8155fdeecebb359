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
};
