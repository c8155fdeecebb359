// docs/optimizers.md: steps and seconds that M-FAC, Adam and SGD need to the losses that Adam reaches at epoch 10 (at its default rate and at
// its best), from fresh weights. Settings are chosen on seeds of their own, by steps.
// node scripts/optimizer-comparison.mjs [--models DIR] [--data DIR] [--seeds 5] [--out FILE]     (after `npm run build`; 20 minutes)
// --tune FILE [--problem NAME] [--optimizer NAME] only chooses settings and writes them; --tuned FILE (repeatable) measures with settings
// chosen before: choosing goes by steps alone and may share the machine with other work, times may not.
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
    problem: { type: 'string' },
    optimizer: { type: 'string' },
    tune: { type: 'string' },
    tuned: { type: 'string', multiple: true },
  },
});
const seeds = Array.from({ length: Number(options.seeds) }, (_, i) => i);
/** Fresh weights and orders that no reported figure uses. */
const tuningSeeds = [100, 101, 102];
const epochs = { target: 10, tuning: 12, most: 30 };

const problems = [
  { name: 'breast-cancer MLP', model: 'breast-cancer-mlp.onnx', data: 'breast-cancer.npz', batchSize: 32 },
  { name: 'digits CNN', model: 'digits-cnn.onnx', data: 'digits.npz', batchSize: 64 },
].filter(({ name }) => !options.problem || name === options.problem);
const pairs = (a, b) => a.flatMap((x) => b.map((y) => [x, y]));
/** Five learning rates and nine settings each. */
const optimizers = [
  {
    name: 'M-FAC',
    rates: [1e-3, 3e-3, 1e-2, 3e-2, 1e-1],
    settings: pairs([32, 64, 128], [1e-4, 1e-3, 1e-2]).map(([window, damping]) => ({ window, damping, momentum: 0.9 })),
    words: ({ window, damping }) => `window ${window}, damping ${damping}`,
    make: mfacOptimizer,
  },
  {
    name: 'Adam',
    rates: [3e-4, 1e-3, 3e-3, 1e-2, 3e-2],
    settings: pairs([0.8, 0.9, 0.95], [0.95, 0.99, 0.999]).map(([beta1, beta2]) => ({ beta1, beta2 })),
    words: ({ beta1, beta2 }) => `β ${beta1}, ${beta2}`,
    make: adam,
  },
  {
    name: 'SGD',
    rates: [3e-3, 1e-2, 3e-2, 1e-1, 3e-1],
    settings: [{ momentum: 0 }, ...pairs([0.5, 0.8, 0.9, 0.95], [false, true]).map(([momentum, nesterov]) => ({ momentum, nesterov }))],
    words: ({ momentum, nesterov }) => `momentum ${momentum}${nesterov ? ', Nesterov' : ''}`,
    make: sgd,
  },
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
async function train(model, { data, batchSize, seed, optimizer, targets = [], limit, mostSteps = Infinity }) {
  reset(model, seed);
  const random = new Random(seed + 1000);
  const n = data.y.length;
  const every = Math.max(1, Math.floor(n / batchSize / 4));
  const params = model.getParameters();
  const state = optimizer.init(params);
  const hits = targets.map(() => ({ steps: Infinity, seconds: Infinity, own: Infinity }));
  let [steps, seconds, own] = [0, 0, 0];
  const clock = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  try {
    for (let epoch = 0; epoch < limit; epoch++) {
      const order = random.permutation(n);
      for (let from = 0; from < n; from += batchSize) {
        const start = clock();
        const { grad } = await model.gradient(takeSamples(data, order.subarray(from, from + batchSize)));
        const middle = clock();
        optimizer.step(params, grad, state);
        own += clock() - middle;
        model.setParameters(params);
        seconds += clock() - start;
        steps++;
        if (steps % every !== 0 || !targets.length) continue;
        const loss = await model.loss(data);
        if (!Number.isFinite(loss)) return { hits, loss: Infinity };
        hits.forEach((hit, i) => {
          if (loss <= targets[i] && hit.steps === Infinity) Object.assign(hit, { steps, seconds, own });
        });
        if (loss <= targets.at(-1) || steps > mostSteps) return { hits, loss };
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

/** Adam's losses at epoch 10 by rate, medians over seeds: the targets are that of its default rate and the lowest. */
async function targetsOf(run, chosen) {
  const reached = new Map();
  for (const rate of optimizers[1].rates) {
    const losses = [];
    for (const seed of chosen) losses.push((await run({ seed, optimizer: adam({ learningRate: rate }), limit: epochs.target })).loss);
    reached.set(rate, median(losses));
  }
  const lowest = Math.min(...reached.values());
  return { targets: [reached.get(1e-3), lowest], bestRate: [...reached].find(([, loss]) => loss === lowest)[0] };
}

/**
 * Learning rate and setting of each optimizer for each target: the fewest steps (median of the tuning seeds). Of M-FAC's settings the one with
 * the smallest window that needs at most a tenth more, whose steps cost less.
 */
async function tune(run) {
  const { targets } = await targetsOf(run, tuningSeeds);
  const chosen = {};
  for (const { name, rates, settings, make } of optimizers.filter(({ name }) => !options.optimizer || name === options.optimizer)) {
    const tried = [];
    let mostSteps = Infinity; // nothing that needs more than a tenth more steps than the fewest can be chosen
    for (const setting of settings) {
      for (const learningRate of rates) {
        const runs = [];
        for (const seed of tuningSeeds)
          runs.push(await run({ seed, optimizer: make({ ...setting, learningRate }), targets, limit: epochs.tuning, mostSteps }));
        tried.push({ setting, learningRate, steps: targets.map((_, i) => median(runs.map(({ hits }) => hits[i].steps))) });
        mostSteps = Math.min(mostSteps, 1.1 * tried.at(-1).steps.at(-1));
      }
      console.error(name, JSON.stringify(setting), JSON.stringify(tried.slice(-rates.length).map(({ steps }) => steps)));
    }
    chosen[name] = targets.map((_, i) => {
      const fewest = Math.min(...tried.map(({ steps }) => steps[i]));
      const able = tried.filter(({ steps }) => steps[i] <= 1.1 * fewest);
      const window = Math.min(...able.map(({ setting }) => setting.window ?? 0));
      const { setting, learningRate, steps } = able
        .filter((t) => (t.setting.window ?? 0) === window)
        .reduce((a, b) => (b.steps[i] < a.steps[i] ? b : a));
      return { setting, learningRate, tuningSteps: steps[i] };
    });
  }
  return chosen;
}

/** Adds to every choice the median steps on the seeds of the figures, at every rate with the chosen setting. */
async function addSteps(run, chosen) {
  const { targets, bestRate } = await targetsOf(run, seeds);
  for (const { name, rates, make } of optimizers) {
    for (const [i, choice] of (chosen[name] ?? []).entries()) {
      choice.steps ??= [];
      for (const learningRate of rates.slice(choice.steps.length)) {
        const optimizer = make({ ...choice.setting, learningRate });
        const runs = [];
        for (const seed of seeds) runs.push((await run({ seed, optimizer, targets: [targets[i]], limit: epochs.most })).hits[0].steps);
        const steps = median(runs);
        choice.steps.push([learningRate, Number.isFinite(steps) ? steps : null]); // JSON has no infinity
      }
      console.error(name, targets[i], JSON.stringify(choice));
    }
  }
  return { targets, bestRate, ...chosen };
}

const count = (steps) => (Number.isFinite(steps) ? String(steps) : '–'); // of null and infinity
const milliseconds = (seconds) => Number((1000 * seconds).toPrecision(3));
const given = {};
for (const file of options.tuned ?? []) {
  for (const [name, chosen] of Object.entries(JSON.parse(readFileSync(file, 'utf8')))) given[name] = { ...given[name], ...chosen };
}
const choices = {};
const sections = [];
for (const problem of problems) {
  const model = await OnnxModel.open(join(options.models, problem.model), { threads: 1, weights: 'live' });
  const archive = readNpz(readFileSync(join(options.data, problem.data)));
  const data = { x: archive.x_train, y: archive.y_train.data };
  const run = (setting) => train(model, { data, batchSize: problem.batchSize, ...setting });
  const chosen = given[problem.name] ?? (await tune(run));
  choices[problem.name] = chosen;
  if (options.tune && options.optimizer) continue;
  if (!chosen.targets) choices[problem.name] = await addSteps(run, chosen);
  if (options.tune) continue;

  const { targets, bestRate } = choices[problem.name];
  const tables = [];
  for (const [i, target] of targets.entries()) {
    const found = new Map(optimizers.map(({ name }) => [name, []]));
    for (const seed of seeds) {
      for (const { name, make } of optimizers) {
        const { setting, learningRate } = chosen[name][i];
        const optimizer = make({ ...setting, learningRate });
        found.get(name).push((await run({ seed, optimizer, targets: [target], limit: epochs.most })).hits[0]);
      }
    }
    const rows = optimizers.map(({ name, words }) => {
      const { setting, learningRate, steps } = choices[problem.name][name][i];
      const of = (what) => median(found.get(name).map((hit) => hit[what]));
      const reached = found.get(name).filter((hit) => hit.steps < Infinity);
      const each = median(reached.map((hit) => hit.own / hit.steps));
      const figures =
        reached.length > seeds.length / 2 ? `${of('steps')} | ${milliseconds(of('seconds'))} | ${milliseconds(each)}` : '– | – | –';
      const all = steps.map(([rate, number]) => `${rate}: ${count(number)}`).join(', ');
      return `| ${name} | ${words(setting)} | ${learningRate} | ${figures} | ${reached.length} of ${seeds.length} | ${all} |`;
    });
    console.error([problem.name, target, ...rows].join('\n'));
    tables.push(`Target ${target.toPrecision(3)}, of Adam at ${i ? `its best rate, ${bestRate}` : 'its default rate, 0.001'}:

| optimizer | setting | rate | steps | CPU ms | ms of a step in the optimizer | runs that reach it | steps at every rate |
|---|---|---|---|---|---|---|---|
${rows.join('\n')}
`);
  }
  sections.push(`## ${problem.name}

${model.parameterCount} parameters, ${data.y.length} samples, batches of ${problem.batchSize}.

${tables.join('\n')}`);
  model.dispose();
}

if (options.tune) writeFileSync(options.tune, JSON.stringify(choices, null, 2));
else {
  const seedWords = `${tuningSeeds.slice(0, -1).join(', ')} and ${tuningSeeds.at(-1)}`;
  writeFileSync(
    options.out,
    `# M-FAC, Adam and SGD

Written by \`npm run optimizers\` on ${cpus()[0]?.model.trim()}, Node ${process.version}, one thread.

How many steps and how much time each optimizer needs to the training losses that Adam has after ${epochs.target} epochs: with its default settings, and at the one of its
rates that is lowest there (medians of ${seeds.length} seeds). Every run starts from fresh weights (normal, variance 2 / fan-in) drawn by its seed. Each optimizer has five
learning rates and nine settings to choose from (M-FAC window 32, 64, 128 and damping 1e-4, 1e-3, 1e-2, momentum .9; Adam β₁ .8, .9, .95 and β₂ .95, .99, .999; SGD
momentum 0, .5, .8, .9, .95 with and without Nesterov). The pair is chosen on seeds ${seedWords}, which no figure below uses: the fewest steps to the targets of those
seeds within ${epochs.tuning} epochs; of M-FAC's, the smallest window that needs at most a tenth more than the fewest. "Steps at every rate": with the chosen setting, on the
seeds of the figures (–: half of the runs or more do not reach the target in ${epochs.most} epochs). The loss on all training data is looked at four times an epoch, off the
clock. Times are CPU time of the steps (gradient and update).

${sections.join('\n')}`,
  );
}
