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
};
