// Optimal transport against POT, SciPy and the published iterations.
import { randomF64 } from '../../../build/src/bench/case.js';
import * as transport from '../../../build/src/transport/index.js';
import { difference, fromFunction } from '../engine.mjs';

/** Squared distances of two point clouds in the plane, scaled to mean 1. */
function costs(n, array = Float32Array) {
  const [x, y] = [randomF64(2 * n, 1), randomF64(2 * n, 2)];
  const cost = new array(n * n);
  let sum = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) sum += cost[i * n + j] = (x[2 * i] - y[2 * j]) ** 2 + (x[2 * i + 1] - y[2 * j + 1]) ** 2;
  return { data: cost.map((c) => (c * n * n) / sum), shape: [n, n] };
}

const single = 'POT float32 (OpenBLAS AVX-512)';
const ratioOf = (name, least) => (row) => !(row.rivals[name]?.ratio < least);

/** Time per iteration, free of set-up on both sides: the difference of a long and a short run, neither of which stops early. */
function perIteration(method, n, [short, long], epsilon, { python }, { aim, met }) {
  const cost = costs(n);
  const options = (maxIterations) => ({ epsilon, method, tolerance: 1e-300, maxIterations });
  const run = (iterations) => () => transport.sinkhorn({ cost }, options(iterations));
  const pot = (iterations) => python('pot_sinkhorn', { cost }, { method, iterations, epsilon });
  return {
    name: `Sinkhorn iteration, ${method === 'log' ? 'log domain' : 'scaling domain'}`,
    size: [n],
    aim,
    met,
    per: long - short,
    // Scaling iterations are bound by one read of the kernel matrix each; those in the log domain by an exponential per entry.
    ...(method === 'scaling' && { work: { bytes: 4 * n * n * (long - short) }, reading: { bytes: 4 * n * n, times: long - short } }),
    tolerance: 0.02,
    ours: () => difference(fromFunction(run(long), run(long)().plan().data), fromFunction(run(short))),
    rivals: { [single]: async () => difference(await pot(long)(), await pot(short)()) },
  };
}

/** A whole call from cost to potentials: POT runs, without checks of its own, the iterations it needs to the L1 error that ours stops at. */
function wholeCall(n, epsilon, error, { python }) {
  const cost = costs(n);
  const run = () => transport.sinkhorn({ cost }, { epsilon, tolerance: error });
  return {
    name: `Sinkhorn, whole call to L1 error ${error}, epsilon ${epsilon}`,
    size: [n],
    aim: 'shown for comparison',
    tolerance: 0.02,
    ours: () => fromFunction(run, run().plan().data),
    rivals: { [single]: python('pot_to_error', { cost }, { epsilon, error }) },
  };
}

/** Uniform numbers of mulberry32, as the golden data draw them. */
function mulberry(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The golden problem `large`, n = 1024, at a fiftieth of its ε. */
function small({ python }) {
  const [n, epsilon, error] = [1024, 1e-3, 1e-6];
  const draw = mulberry(13);
  const numbers = (count) => Float64Array.from({ length: count }, draw);
  const [x, y] = [numbers(2 * n), numbers(2 * n)];
  const weights = () => {
    const raw = numbers(n).map((w) => w + 0.1);
    const sum = raw.reduce((s, w) => s + w, 0);
    return raw.map((w) => w / sum);
  };
  const [a, b] = [weights(), weights()];
  const data = Float64Array.from({ length: n * n }, (_, k) => {
    const [i, j] = [Math.floor(k / n), k % n];
    return (x[2 * i] - y[2 * j]) ** 2 + (x[2 * i + 1] - y[2 * j + 1]) ** 2;
  });
  const cost = { data, shape: [n, n] };
  const run = () => transport.sinkhorn({ cost, a, b }, { epsilon, tolerance: error });
  const vectors = { cost, a: { data: a, shape: [n] }, b: { data: b, shape: [n] } };
  const [stabilized, fastest] = ['POT stabilized, 1000 iterations', "POT's fastest method that reaches 1e-6"];
  return {
    name: 'Sinkhorn, golden `large`, epsilon 1e-3, to 1e-6 (f64)',
    size: [n],
    aim: '>= 10x POT stabilized (1000 iterations), >= 3x its fastest method',
    met: (row) => ratioOf(stabilized, 10)(row) && ratioOf(fastest, 3)(row),
    tolerance: 1e-4,
    ours: () => fromFunction(run, [run().transportCost]),
    rivals: {
      [fastest]: python('pot_to_error', vectors, { epsilon, error, value: true, weights: true }),
      // Stopped before it has converged: its plan is not compared.
      [stabilized]: python('pot_stabilized', vectors, { epsilon, iterations: 1000, tolerance: 0, weights: true }),
    },
  };
}

/** P2OT of logits of classes 100:1: NumPy runs, without checks, the published iterations that an error of 1e-6 needs. */
function partial(mass, { python }) {
  const [n, k, epsilon, penalty] = [5120, 100, 0.1, 1];
  const logits = { data: classes(n, k), shape: [n, k] };
  const solve = (method) => () =>
    transport.progressivePartial({ logits }, { mass, clusterPenalty: penalty, epsilon, method, maxIterations: 5000 });
  const published = 'published iteration (NumPy f64)';
  const kernel = 'the same iteration on our scaling kernel';
  const whole = mass === 0.1;
  return {
    name: `P2OT, mass ${mass} (f64)`,
    size: [n, k],
    aim: `>= 20x the published iteration in NumPy f64 to the same error${whole ? ', >= 4x our own scaling kernel' : ''}`,
    met: (row) => ratioOf(published, 20)(row) && (!whole || ratioOf(kernel, 4)(row)),
    tolerance: 1e-2,
    ours: () => fromFunction(solve('newton'), solve('newton')().plan),
    rivals: {
      [published]: python('p2ot_published', { logits }, { mass, epsilon, penalty, error: 1e-6 }),
      [kernel]: () => fromFunction(solve('scaling'), solve('scaling')().plan),
    },
  };
}

/** Logits of classes whose sizes fall from 100 to 1: noise of deviation 2, and 4 more on the true class. */
function classes(n, k) {
  const data = randomF64(n * k, 7).map((v) => 2 * v);
  const sizes = Array.from({ length: k }, (_, j) => 100 ** (-j / (k - 1)));
  const total = sizes.reduce((s, w) => s + w, 0);
  let [label, upTo] = [0, (n * sizes[0]) / total];
  for (let i = 0; i < n; i++) {
    while (i >= upTo && label < k - 1) upTo += (n * sizes[++label]) / total;
    data[i * k + label] += 4;
  }
  return data;
}

function exact(n, { python }) {
  const cost = costs(n, Float64Array);
  const assign = () => transport.assignment({ cost }).value;
  const solve = () => transport.emd({ cost }).value;
  const [scipy, pot] = ['SciPy linear_sum_assignment', 'POT emd2'];
  return [
    {
      name: 'assignment',
      size: [n],
      aim: 'no slower than SciPy',
      met: ratioOf(scipy, 1),
      ours: () => fromFunction(assign, assign()),
      rivals: { [scipy]: python('scipy_assignment', { cost }) },
    },
    {
      name: 'exact transport (emd)',
      size: [n],
      aim: "at most 1.5x the time of POT's C++",
      met: ratioOf(pot, 1 / 1.5),
      ours: () => fromFunction(solve, solve()),
      rivals: { [pot]: python('pot_emd', { cost }) },
    },
  ];
}

function lines({ python }) {
  const n = 2048;
  const [x, y] = [randomF64(n, 1), randomF64(n, 2)];
  const line = () => transport.wasserstein1d({ x, y }).power;
  const flat = (data) => ({ data, shape: [data.length] });
  const [d, projections] = [16, 50];
  const cloud = (seed) => ({ data: randomF64(n * d, seed), shape: [n, d] });
  const [from, to, directions] = [cloud(3), cloud(4), { data: unitRows(randomF64(projections * d, 5), d), shape: [projections, d] }];
  const sliced = () => transport.slicedWasserstein({ x: from, y: to }, { directions }).distance;
  return [
    {
      name: 'Wasserstein distance on a line, with gradients',
      size: [n],
      aim: '<= 0.1 ms',
      met: ({ median }) => median <= 0.1,
      ours: () => fromFunction(line, line()),
      rivals: { 'POT wasserstein_1d (value only)': python('pot_line', { x: flat(x), y: flat(y) }) },
    },
    {
      name: `sliced Wasserstein, ${projections} directions of ${d} dimensions, with gradients`,
      size: [n],
      aim: 'shown for comparison',
      ours: () => fromFunction(sliced, sliced()),
      rivals: { 'POT sliced_wasserstein_distance (value only)': python('pot_sliced', { x: from, y: to, directions }) },
    },
  ];
}

function unitRows(data, d) {
  for (let row = 0; row < data.length; row += d) {
    const length = Math.hypot(...data.subarray(row, row + d));
    for (let k = row; k < row + d; k++) data[k] /= length;
  }
  return data;
}

/** All problems of this file. */
export const optimalTransport = (context) => [
  ...[
    [128, 6],
    [512, 1.8],
    [1024, 1.8],
    [2048, 1.5],
  ].map(([n, least]) =>
    perIteration('scaling', n, [20, 120], 0.5, context, {
      aim: `>= 70 % of plain reading of K; >= ${least}x POT float32`,
      met: (row) => row.share >= 0.7 && ratioOf(single, least)(row),
    }),
  ),
  perIteration('log', 512, [5, 25], 0.5, context, { aim: '<= 0.35 ms per iteration', met: ({ median }) => median / 20 <= 0.35 }),
  perIteration('log', 1024, [5, 25], 0.5, context, { aim: '<= 1.3 ms per iteration', met: ({ median }) => median / 20 <= 1.3 }),
  ...[128, 512, 1024, 2048].map((n) => wholeCall(n, 0.05, 1e-4, context)),
  small(context),
  ...[0.1, 0.5, 0.9].map((mass) => partial(mass, context)),
  ...[512, 1024, 2048].flatMap((n) => exact(n, context)),
  ...lines(context),
];
