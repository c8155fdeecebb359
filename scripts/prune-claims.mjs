// node scripts/prune-claims.mjs [obs | temperature] [first seed = 301] [networks = 24] — what the papers of systems/94 and systems/121 claim,
// on many small networks: paired differences, their mean, standard error and t. src/compression/README.md has the figures. Needs a build.
import { magnitudePrune, obsPrune } from '../build/src/compression/index.js';
import { Random } from '../build/src/core/random.js';
import { DenseModel } from '../build/src/dense/index.js';
import { StaticMfac } from '../build/src/mfac/index.js';
import { fit } from '../build/src/workflows/index.js';

const [which = 'obs', from = '301', count = '24'] = process.argv.slice(2);
const seeds = Array.from({ length: Number(count) }, (_, i) => Number(from) + i);

/** n samples of ten clusters in 16 dimensions (as test/compression/trained.ts). */
function clusters(n, seed) {
  const centres = new Random(5).fill(new Float64Array(160));
  const random = new Random(seed);
  const y = Int32Array.from({ length: n }, () => random.integer(10));
  const data = Float32Array.from({ length: n * 16 }, (_, at) => centres[y[at >> 4] * 16 + (at & 15)] + 0.9 * random.normal());
  return { x: { data, shape: [n, 16] }, y };
}

function network(widths, seed) {
  const random = new Random(seed);
  const layers = widths.slice(1).map((out, i) => {
    const data = random.fill(new Float32Array(out * widths[i])).map((v) => v * Math.sqrt(2 / widths[i]));
    return {
      weight: { data, shape: [out, widths[i]] },
      bias: new Float32Array(out),
      activation: i + 2 < widths.length ? 'relu' : 'identity',
    };
  });
  return DenseModel.create({ layers, loss: 'cross-entropy' });
}

async function accuracy(model, weights, { x, y }) {
  model.setParameters(Float32Array.from(weights));
  const { data } = await model.predict(x);
  const right = y.filter((label, i) => {
    const row = Array.from(data.subarray(10 * i, 10 * i + 10));
    return row.indexOf(Math.max(...row)) === label;
  });
  return right.length / y.length;
}

function prunableOf(model) {
  const mask = new Uint8Array(model.parameterCount);
  for (const { role, offset, shape } of model.layout) if (role === 'weight') mask.fill(1, offset, offset + shape[0] * shape[1]);
  return mask;
}

function paired(differences) {
  const n = differences.length;
  const mean = differences.reduce((a, b) => a + b) / n;
  const error = Math.sqrt(differences.reduce((sum, d) => sum + (d - mean) ** 2, 0) / (n - 1) / n);
  return `${mean.toFixed(3)} ± ${error.toFixed(3)}, t ${(mean / error).toFixed(1)}, positive at ${differences.filter((d) => d > 0).length} of ${n}`;
}

const sparsities = [0.8, 0.9, 0.95];
const forms = [
  [16, 'independent'],
  [64, 'independent'],
  [512, 'independent'],
  [Infinity, 'independent'],
  [Infinity, 'joint'],
];

/** Accuracy on fresh samples: [magnitude, ...forms][sparsity], every damping chosen on held-out samples. */
async function oneShot(seed) {
  const [train, held, fresh] = [clusters(600, 10 * seed + 2), clusters(600, 10 * seed + 3), clusters(1000, 10 * seed + 4)];
  const model = network([16, 48, 32, 10], seed);
  await fit(model, train, { epochs: 18, learningRate: 3e-3, batchSize: 50 });
  const dense = model.getParameters();
  const prunable = prunableOf(model);
  const gradients = await model.perSampleGradients(train);
  const magnitude = [];
  for (const sparsity of sparsities) magnitude.push(await accuracy(model, magnitudePrune(dense, { sparsity, prunable }).weights, fresh));
  const best = forms.map(() => sparsities.map(() => ({ held: -1, fresh: 0 })));
  for (const damping of [1e-4, 1e-3, 1e-2]) {
    for (const blockSize of new Set(forms.map(([size]) => size))) {
      const mfac = await StaticMfac.build(gradients, { damping, blockSize });
      for (const [f, [size, update]] of forms.entries()) {
        for (const [s, sparsity] of sparsities.entries()) {
          if (size !== blockSize) continue;
          const { weights } = obsPrune(dense, mfac, { sparsity, prunable, update });
          const found = await accuracy(model, weights, held);
          if (found > best[f][s].held) best[f][s] = { held: found, fresh: await accuracy(model, weights, fresh) };
        }
      }
      mfac.dispose();
    }
  }
  model.dispose();
  return [magnitude, ...best.map((row) => row.map((found) => found.fresh))];
}

const densities = [0.1, 0.2, 0.35, 0.5, 0.75, 1];

/** Error on fresh samples at every density of a network trained in such batches (small ones are hot), pruned by magnitude, retrained alike. */
async function errors(batchSize, seed) {
  const [train, fresh] = [clusters(800, 10 * seed + 2), clusters(1000, 10 * seed + 3)];
  const model = network([16, 64, 10], seed);
  await fit(model, train, { learningRate: 1e-2, batchSize, epochs: 20, seed });
  const dense = model.getParameters();
  const prunable = prunableOf(model);
  const out = [];
  for (const density of densities) {
    const { weights, mask } = magnitudePrune(dense, { sparsity: 1 - density, prunable });
    model.setParameters(weights);
    await fit(model, train, { learningRate: 1e-3, batchSize: 20, epochs: 2, mask, seed });
    out.push(1 - (await accuracy(model, model.getParameters(), fresh)));
  }
  model.dispose();
  return out;
}

const runs = [];
for (const seed of seeds) runs.push(which === 'obs' ? await oneShot(seed) : [await errors(160, seed), await errors(4, seed)]);
const mean = (values) => (values.reduce((a, b) => a + b) / values.length).toFixed(3);
if (which === 'obs') {
  for (const [s, sparsity] of sparsities.entries()) {
    console.log(`sparsity ${sparsity}: magnitude ${mean(runs.map((run) => run[0][s]))}`);
    for (const [f, [size, update]] of forms.entries()) {
      const of = (run) => run[f + 1][s];
      console.log(
        `  blocks of ${size}, ${update}: ${mean(runs.map(of))}, above magnitude by ${paired(runs.map((run) => of(run) - run[0][s]))}`,
      );
    }
  }
} else {
  for (const [d, density] of densities.entries())
    console.log(`density ${density}: hot - cold ${paired(runs.map(([c, h]) => h[d] - c[d]))}`);
}
