// Optimal transport against POT and SciPy.
import { randomF32, randomF64 } from '../../../build/src/bench/case.js';
import * as transport from '../../../build/src/transport/index.js';
import { fromFunction } from '../engine.mjs';

/** Squared distances of two point clouds in the plane, scaled to mean 1. */
function costs(n, array = Float32Array) {
  const [x, y] = [randomF64(2 * n, 1), randomF64(2 * n, 2)];
  const cost = new array(n * n);
  let sum = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) sum += cost[i * n + j] = (x[2 * i] - y[2 * j]) ** 2 + (x[2 * i + 1] - y[2 * j + 1]) ** 2;
  return { data: cost.map((c) => (c * n * n) / sum), shape: [n, n] };
}

const plan = (result) => result.plan().data ?? result.plan();

function fixedIterations(method, n, iterations, epsilon, { python }, { aim, met }) {
  const cost = costs(n);
  // Both run exactly these iterations (no early stop) and pay their set-up: the time is divided by the count.
  const options = { epsilon, method, tolerance: 1e-300, maxIterations: iterations };
  const run = () => transport.sinkhorn({ cost }, options);
  return {
    name: `Sinkhorn, ${method === 'log' ? 'log domain' : 'scaling domain'}, ${iterations} iterations`,
    size: [n],
    aim,
    met,
    per: iterations,
    tolerance: 0.02,
    ours: () => fromFunction(run, plan(run())),
    rivals: { 'POT float32 (OpenBLAS AVX-512)': python('pot_sinkhorn', { cost }, { method, iterations, epsilon }) },
  };
}

const ratioOf = (least) => (row) => !(row.rivals['POT float32 (OpenBLAS AVX-512)']?.ratio < least);

function partial({ python }) {
  if (!transport.progressivePartial) return [];
  const [n, k, mass, epsilon, penalty] = [5120, 100, 0.1, 0.1, 1];
  const logits = { data: randomF32(n * k, 7).map((v) => 2 * v), shape: [n, k] };
  const solve = () => transport.progressivePartial({ logits }, { mass, clusterPenalty: penalty, epsilon });
  return [
    {
      name: 'P2OT, mass 0.1',
      size: [n, k],
      aim: '>= 20x the published iteration in NumPy f64 to the same error',
      met: ({ rivals }) => !(rivals['published iteration (NumPy f64, 1325 iterations)']?.ratio < 20),
      tolerance: 1e-2,
      ours: () => fromFunction(solve, plan1(solve())),
      rivals: {
        'published iteration (NumPy f64, 1325 iterations)': python(
          'p2ot_published',
          { logits },
          { mass, epsilon, penalty, iterations: 1325 },
        ),
      },
    },
  ];
}

const plan1 = ({ plan: given }) => (typeof given === 'function' ? given() : given);

function exact({ python }) {
  const problems = [];
  const n = 512;
  const cost = costs(n, Float64Array);
  if (transport.assignment) {
    const solve = () => transport.assignment(cost).value;
    problems.push({
      name: 'assignment',
      size: [n],
      aim: 'no target in DESIGN section 6',
      ours: () => fromFunction(solve, solve()),
      rivals: { 'SciPy linear_sum_assignment': python('scipy_assignment', { cost }) },
    });
  }
  if (transport.emd) {
    const solve = () => transport.emd({ cost }).value;
    problems.push({
      name: 'exact transport (emd)',
      size: [n],
      aim: 'no target in DESIGN section 6',
      ours: () => fromFunction(solve, solve()),
      rivals: { 'POT emd2': python('pot_emd', { cost }) },
    });
  }
  return problems;
}

/** All problems of this file. */
export const optimalTransport = (context) => [
  ...[
    [128, 6],
    [512, 1.8],
    [1024, 1.8],
    [2048, 1.5],
  ].map(([n, least]) => fixedIterations('scaling', n, 100, 0.5, context, { aim: `>= ${least}x POT float32`, met: ratioOf(least) })),
  fixedIterations('log', 512, 20, 0.5, context, { aim: '<= 0.35 ms per iteration', met: ({ median }) => median / 20 <= 0.35 }),
  fixedIterations('log', 1024, 20, 0.5, context, { aim: '<= 1.3 ms per iteration', met: ({ median }) => median / 20 <= 1.3 }),
  ...partial(context),
  ...exact(context),
];
