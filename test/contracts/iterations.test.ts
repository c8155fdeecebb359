// What synchronous iterative solvers promise: `onIteration` tells every iteration, and false from it stops them.
import { readdirSync, readFileSync } from 'node:fs';
import { numbersOf } from '../../src/bench/agreement.js';
import { minMaxDiscreteSolve } from '../../src/compression/index.js';
import { Iterations } from '../../src/core/iterations.js';
import { secondMomentRadius } from '../../src/curvature/index.js';
import { frechetMean, gyroBatchNorm } from '../../src/linalg/index.js';
import { Instance } from '../../src/runtime/instance.js';
import { transportQuantile, transportRank, transportSort } from '../../src/sorting/index.js';
import * as transport from '../../src/transport/index.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { kebab, loadAreas } from './areas.js';

const cost = { data: randomF64(36, 5).map((x) => x * x), shape: [6, 6] };
const points = { data: randomF64(12, 4), shape: [6, 2] };
const other = { data: randomF64(12, 14), shape: [6, 2] };
const matrices = [1, 2].map((seed) => {
  const [a, b] = [2 + seed, 0.5 * seed];
  return { data: Float64Array.of(a, b, b, 3), shape: [2, 2] };
});
const row = Float64Array.of(3, 1, 2, 2.9, 0.1, 7);
type Watch = (info: { readonly iteration: number; readonly error: number }) => boolean;
const solvers: Record<string, (onIteration: Watch) => object> = {
  sinkhorn: (onIteration) => transport.sinkhorn({ cost }, { epsilon: 0.05, onIteration }),
  sinkhornUnbalanced: (onIteration) => transport.sinkhornUnbalanced({ cost }, { marginalPenalty: 1, onIteration }),
  sinkhornPartial: (onIteration) => transport.sinkhornPartial({ cost }, { mass: 0.5, onIteration }),
  sinkhornDivergence: (onIteration) => transport.sinkhornDivergence({ x: points, y: other }, { onIteration }),
  sinkhornBatch: (onIteration) => transport.sinkhornBatch([{ cost }, { cost }], { onIteration }),
  progressivePartial: (onIteration) => transport.progressivePartial({ cost }, { onIteration }),
  semanticPartial: (onIteration) =>
    transport.semanticPartial({ cost, similarity: { data: randomF64(36, 7), shape: [6, 6] } }, { semanticWeight: 5, onIteration }),
  sinkhornBarycenter: (onIteration) =>
    transport.sinkhornBarycenter({ cost, histograms: { data: cost.data.slice(0, 12), shape: [2, 6] } }, { epsilon: 0.1, onIteration }),
  buresBarycenter: (onIteration) => transport.buresBarycenter(matrices, { onIteration }),
  graphMatching: (onIteration) =>
    transport.graphMatching(
      { node: { data: randomF64(9, 6), shape: [3, 3] }, edge: { data: randomF64(81, 7), shape: [9, 9] } },
      { onIteration },
    ),
  dirichletMaxDensity: (onIteration) =>
    transport.dirichletMaxDensity({ data: Float64Array.of(0, 1, 9, 1, 0), shape: [5] }, { beta: 0.01, onIteration }),
  emd: (onIteration) => {
    const n = 150;
    return transport.emd(
      { x: { data: randomF64(2 * n, 1), shape: [n, 2] }, y: { data: randomF64(2 * n, 2), shape: [n, 2] } },
      { onIteration },
    );
  },
  maxSlicedWasserstein: (onIteration) => transport.maxSlicedWasserstein({ x: points, y: other }, { onIteration }),
  prototypeLogits: (onIteration) => transport.prototypeLogits({ data: randomF64(120, 3), shape: [60, 2] }, { classes: 5, onIteration }),
  frechetMean: (onIteration) => frechetMean({ data: Float64Array.of(0.5, 0, -0.2, 0.6, 0.1, -0.7), shape: [3, 2] }, { onIteration }),
  gyroBatchNorm: (onIteration) => gyroBatchNorm({ data: Float64Array.of(0.5, 0, -0.2, 0.6, 0.1, -0.7), shape: [3, 2] }, { onIteration }),
  transportSort: (onIteration) => transportSort(row, { onIteration }),
  transportRank: (onIteration) => transportRank(row, { onIteration }),
  transportQuantile: (onIteration) => transportQuantile(row, { q: 0.3, onIteration }),
  minMaxDiscreteSolve: (onIteration) => minMaxDiscreteSolve(cost, randomF64(6, 2), { step: 0.1, iterations: 5, onIteration }),
  secondMomentRadius: (onIteration) => secondMomentRadius(matrices, { learningRate: 0.1, batchSize: 1, onIteration }),
};

test.each(Object.entries(solvers))('%s tells every iteration and stops at the first false', (_name, solve) => {
  const all: number[] = [];
  solve(({ iteration, error }) => {
    expect(error).not.toBeNaN();
    all.push(iteration);
    return true;
  });
  expect(all.length).toBeGreaterThan(0);
  expect(all).toEqual([...new Set(all)].sort((a, b) => a - b));
  const seen: number[] = [];
  const stopped = solve(({ iteration }) => {
    seen.push(iteration);
    return false;
  });
  expect(seen).toEqual([all[0]]);
  if (all.length > 1 && 'converged' in stopped) expect(stopped.converged).toBe(false);
});

// Balanced Sinkhorn looks at its error after every iteration while somebody listens, and ends that much earlier.
const earlier = [
  'sinkhorn',
  'sinkhornUnbalanced',
  'sinkhornDivergence',
  'sinkhornBatch',
  'transportSort',
  'transportRank',
  'transportQuantile',
];
test.each(Object.entries(solvers))('%s gives the same result with somebody listening as without', (name, solve) => {
  const { arena } = new Instance();
  const [heard, silent] = [solve(() => true), solve(undefined as unknown as Watch)].map((result) => {
    const { error: _, iterations = 0, converged = true, ...rest } = result as { error?: number; iterations?: number; converged?: boolean };
    return { numbers: numbersOf(rest, arena), iterations, converged };
  }) as [{ numbers: number[]; iterations: number; converged: boolean }, { numbers: number[]; iterations: number; converged: boolean }];
  expect(heard.converged).toBe(silent.converged);
  if (earlier.includes(name)) {
    expect(heard.iterations).toBeLessThanOrEqual(silent.iterations);
    expectClose(heard.numbers, silent.numbers, { rtol: 1e-4, atol: 1e-6 });
  } else expect(heard).toEqual(silent);
});

/** Options that bound a search; a fixed small number of steps, which nothing decides, is none. */
const bounds = /`(maxIterations|outerIterations|refine)`|`iterations` \(100\)/;
/** Several rows or problems on one another's options. */
const like = /as for `(\w+)`/;

test('every synchronous method with a bound on its iterations is among these', async () => {
  const methods = new Set((await loadAreas()).flatMap(({ registry = {} }) => Object.keys(registry)));
  const docs = new Map<string, string>();
  for (const file of readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))) {
    const text = readFileSync(`src/${file}`, 'utf8');
    for (const [, doc, name] of text.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport function (\w+)/g))
      docs.set(name as string, doc as string);
  }
  const iterates = (name: string): boolean => {
    const doc = docs.get(name) ?? '';
    const shared = like.exec(/@param options[\s\S]*?(?=@returns|@throws|$)/.exec(doc)?.[0] ?? '')?.[1];
    return bounds.test(doc) || (shared !== undefined && shared !== name && iterates(shared));
  };
  const found = [...docs.keys()].filter((name) => methods.has(kebab(name)) && iterates(name));
  expect(found.sort()).toEqual(Object.keys(solvers).sort());
});

test('iterations of several solves are counted on, and false ends them all', () => {
  const told: number[] = [];
  const several = new Iterations<{ iteration: number }>(({ iteration }) => told.push(iteration) < 4);
  const solve = (steps: number): number => {
    const { onIteration } = several.next();
    for (let k = 1; k <= steps; k++) if (onIteration?.({ iteration: k }) === false) return k;
    return steps;
  };
  expect([solve(2), solve(3), solve(3)]).toEqual([2, 2, 1]);
  expect(told).toEqual([1, 2, 3, 4]);
  expect(several.stopped).toBe(true);
  expect(new Iterations(undefined).next()).toEqual({});
});
