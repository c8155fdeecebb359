// docs/optimizers.md: steps and seconds that M-FAC, Adam and SGD need to the losses that Adam reaches at epoch 10 (at its default rate and at
// its best), from fresh weights.
// node scripts/optimizer-comparison.mjs [--models DIR] [--data DIR] [--seeds 5] [--out FILE]     (after `npm run build`; 10 minutes)
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { takeSamples } from '../build/src/core/batches.js';
import { readNpz } from '../build/src/core/npy.js';
import { Random } from '../build/src/core/random.js';
import { mfacOptimizer } from '../build/src/mfac/index.js';
import { OnnxModel } from '../build/src/onnx/index.js';
import { adam, sgd } from '../build/src/optimizers/index.js';

const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: join('..', 'shared', 'models') },
    data: { type: 'string', default: join('..', 'shared', 'data') },
    seeds: { type: 'string', default: '5' },
    out: { type: 'string', default: join('docs', 'optimizers.md') },
  },
});
const seeds = Array.from({ length: Number(options.seeds) }, (_, i) => i);
const epochs = { target: 10, most: 30 };
const window = 256;
const momentum = 0.9;

const problems = [
  { name: 'breast-cancer MLP', model: 'breast-cancer-mlp.onnx', data: 'breast-cancer.npz', batchSize: 32, damping: 1e-3 },
  { name: 'digits CNN', model: 'digits-cnn.onnx', data: 'digits.npz', batchSize: 64, damping: 1e-3 },
];
const optimizers = [
  {
    name: 'M-FAC',
    rates: [1e-3, 3e-3, 1e-2, 3e-2, 1e-1],
    make: (learningRate, damping) => mfacOptimizer({ learningRate, window, damping, momentum }),
  },
  { name: 'Adam', rates: [3e-4, 1e-3, 3e-3, 1e-2, 3e-2], make: (learningRate) => adam({ learningRate }) },
  { name: 'SGD', rates: [3e-3, 1e-2, 3e-2, 1e-1, 3e-1], make: (learningRate) => sgd({ learningRate, momentum }) },
];

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** Fresh weights: normal with variance 2 / fan-in (He et al. 2015), biases 0. */
function reset(model, seed) {
  const random = new Random(seed);
  const w = model.getParameters();
  for (const { role, shape, offset, opType } of model.layout) {
    const size = shape.reduce((a, b) => a * b, 1);
    const fanIn = role !== 'weight' ? 0 : opType === 'MatMul' ? shape[0] : size / shape[0];
    for (let i = 0; i < size; i++) w[offset + i] = fanIn ? random.normal() * Math.sqrt(2 / fanIn) : 0;
  }
  model.setParameters(w);
}

/**
 * Trains until the loss on all training data is at the last of the falling `targets` or the epochs run out; it is looked at four times an
 * epoch, off the clock. @returns steps and seconds to each target (Infinity: not reached), and the loss at the end
 */
async function train(model, { data, batchSize, seed, optimizer, targets = [], limit }) {
  reset(model, seed);
  const random = new Random(seed + 1000);
  const n = data.y.length;
  const every = Math.max(1, Math.floor(n / batchSize / 4));
  const params = model.getParameters();
  const state = optimizer.init(params);
  const hits = targets.map(() => ({ steps: Infinity, seconds: Infinity }));
  let [steps, seconds] = [0, 0];
  try {
    for (let epoch = 0; epoch < limit; epoch++) {
      const order = random.permutation(n);
      for (let from = 0; from < n; from += batchSize) {
        const start = process.cpuUsage();
        const { grad } = await model.gradient(takeSamples(data, order.subarray(from, from + batchSize)));
        optimizer.step(params, grad, state);
        model.setParameters(params);
        const { user, system } = process.cpuUsage(start);
        seconds += (user + system) / 1e6;
        steps++;
        if (steps % every !== 0 || !targets.length) continue;
        const loss = await model.loss(data);
        if (!Number.isFinite(loss)) return { hits, loss: Infinity };
        hits.forEach((hit, i) => {
          if (loss <= targets[i] && hit.steps === Infinity) Object.assign(hit, { steps, seconds });
        });
        if (loss <= targets.at(-1)) return { hits, loss };
      }
    }
    return { hits, loss: await model.loss(data) };
  } catch (error) {
    if (!/finite/.test(error.message)) throw error; // a rate that is too large
    return { hits, loss: Infinity };
  } finally {
    optimizer.dispose?.(state);
  }
}

const count = (steps) => (Number.isFinite(steps) ? String(steps) : '–');
const sections = [];
for (const problem of problems) {
  const model = await OnnxModel.open(join(options.models, problem.model), { threads: 1, weights: 'live' });
  const archive = readNpz(readFileSync(join(options.data, problem.data)));
  const data = { x: archive.x_train, y: archive.y_train.data };
  const run = (setting) => train(model, { data, batchSize: problem.batchSize, ...setting });

  const reached = new Map();
  for (const rate of optimizers[1].rates) {
    const losses = [];
    for (const seed of seeds) losses.push((await run({ seed, optimizer: adam({ learningRate: rate }), limit: epochs.target })).loss);
    reached.set(rate, median(losses));
  }
  const targets = [reached.get(1e-3), Math.min(...reached.values())];
  const tried = [];
  for (const { name, rates, make } of optimizers) {
    for (const rate of rates) {
      const runs = [];
      for (const seed of seeds) runs.push(await run({ seed, optimizer: make(rate, problem.damping), targets, limit: epochs.most }));
      tried.push({
        name,
        rate,
        to: targets.map((_, i) => ({
          steps: median(runs.map(({ hits }) => hits[i].steps)),
          seconds: median(runs.map(({ hits }) => hits[i].seconds)),
          reached: runs.filter(({ hits }) => hits[i].steps < Infinity).length,
        })),
      });
      console.error(problem.name, JSON.stringify(tried.at(-1)));
    }
  }
  const tables = targets.map((target, i) => {
    const rows = optimizers.map(({ name }) => {
      const own = tried.filter((t) => t.name === name);
      const best = own.reduce((a, b) => (b.to[i].steps < a.to[i].steps ? b : a));
      const all = own.map(({ rate, to }) => `${rate}: ${count(to[i].steps)}`).join(', ');
      const { steps, seconds, reached } = best.to[i];
      return steps < Infinity
        ? `| ${name} | ${best.rate} | ${count(steps)} | ${Number((1000 * seconds).toPrecision(3))} | ${reached} of ${seeds.length} | ${all} |`
        : `| ${name} | – | – | – | at most ${Math.max(...own.map(({ to }) => to[i].reached))} of ${seeds.length} | ${all} |`;
    });
    return `Target ${target.toPrecision(3)}, of Adam at ${i ? `its best rate, ${[...reached].find(([, loss]) => loss === target)[0]}` : 'its default rate, 0.001'}:

| optimizer | rate | steps | CPU ms | runs that reach it | steps at every rate |
|---|---|---|---|---|---|
${rows.join('\n')}
`;
  });
  sections.push(`## ${problem.name}

${model.parameterCount} parameters, ${data.y.length} samples, batches of ${problem.batchSize}. M-FAC: window ${window}, damping ${problem.damping}.

${tables.join('\n')}`);
  model.dispose();
}

writeFileSync(
  options.out,
  `# M-FAC, Adam and SGD

Written by \`npm run optimizers\` on ${cpus()[0]?.model.trim()}, Node ${process.version}, one thread.

How many steps and how much time each optimizer needs to the training losses that Adam has after ${epochs.target} epochs: at its default rate, and at the one of its
rates that is lowest there (medians of ${seeds.length} seeds). Every run starts from fresh weights (normal, variance 2 / fan-in) drawn by its seed. Each optimizer has five
learning rates to choose from; a table shows the one that needs the fewest steps, and the steps at every rate (–: half of the runs or more do not reach the target in
${epochs.most} epochs). The loss on all training data is looked at four times an epoch, off the clock. Times are CPU time of the steps (gradient and update).
SGD and M-FAC have momentum ${momentum}; the damping of M-FAC was set by hand on one seed of the first problem, one value for both.

${sections.join('\n')}`,
);
