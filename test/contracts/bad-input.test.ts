// Optimizers, penalties and schedules answer any one wrong value, in any place of their input, by an error of their own that names it, or with
// finite numbers: never by a bare TypeError, never with NaN. The wrong inputs are generated from one good input of each.
import { numbersOf } from '../../src/bench/agreement.js';
import { gradualSchedule } from '../../src/compression/index.js';
import { AfterpassError } from '../../src/core/errors.js';
import { brandOf } from '../../src/core/tensor.js';
import { ElleSchedule } from '../../src/curvature/index.js';
import { mfacOptimizer } from '../../src/mfac/index.js';
import * as optimizers from '../../src/optimizers/index.js';
import { registry } from '../../src/optimizers/registry.js';
import { Instance } from '../../src/runtime/instance.js';
import { quadratic } from '../helpers/quadratic.js';

type Fields = Record<string, unknown>;
interface Case {
  /** Makes the good input; called anew for every try. */
  readonly good: () => Fields;
  readonly call: (input: never) => unknown;
}

const { adam, sgd, sam, gradNormSmoothNewton, trajectoryLoss, LogitMemory, spectralRegularizer, wassersteinInitRegularizer } = optimizers;
const params = () => Float64Array.of(1, -2, 0.5, 3);
const layout = () => [
  { name: 'w', node: '', opType: 'Gemm', role: 'weight', shape: [1, 2], offset: 0 },
  { name: 'b', node: '', opType: 'Gemm', role: 'bias', shape: [2], offset: 2 },
];
const logits = () => ({ data: Float64Array.of(1, 2, 0, -1), shape: [2, 2] });

type Made = (options?: never) => {
  init(w: Float64Array): unknown;
  step(w: unknown, g: unknown, s: unknown): void;
  update(g: unknown, s: unknown, w: unknown): unknown;
};
const optimizer = (make: Made, options: () => Fields): Case[] =>
  (['update', 'step'] as const).map((how) => ({
    good: () => ({ options: options(), params: params(), grads: params(), state: make(options() as never).init(params()) }),
    call: ({ options: given, params: w, grads, state }: { options: never; params: Float64Array; grads: unknown; state: unknown }) => {
      const made = make(given);
      if (how === 'update') return made.update(grads, state, w);
      made.step(w, grads, state);
      return w;
    },
  }));

const cases: Record<string, Case[]> = {
  adam: optimizer(adam as never, () => ({ learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1 })),
  sgd: optimizer(sgd as never, () => ({ learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.1 })),
  'mfac-optimizer': optimizer(mfacOptimizer as never, () => ({
    learningRate: 0.1,
    momentum: 0.9,
    weightDecay: 0.1,
    window: 2,
    damping: 0.1,
    sparse: false,
  })),
  sam: [
    {
      good: () => ({
        base: sgd(),
        options: { rho: 0.1, kind: 'asam', eta: 0.1 },
        params: params(),
        gradient: (w: Float64Array) => ({ value: 1, grad: w.slice() }),
        state: sgd().init(params()),
      }),
      call: async ({ base, options, params: w, gradient, state }: { [name: string]: never }) => {
        await sam(base, options).step(w, gradient, state);
        return w;
      },
    },
    {
      good: () => ({ answer: { grad: params() } }),
      call: ({ answer }: { answer: never }) => sam(sgd()).step(params(), () => answer, sgd().init(params())),
    },
    {
      good: () => ({ params: params(), grads: params() }),
      call: ({ params: w, grads }: { [name: string]: never }) => sam(sgd()).perturbation(w, grads),
    },
  ],
  'grad-norm-smooth-newton': [
    {
      good: () => ({
        model: quadratic([1, 4], [1, -2]),
        options: { approximation: 'hessian', maxIterations: 2, tolerance: 1e-3, gamma: 1, maxTries: 3 },
      }),
      call: ({ model, options }: { [name: string]: never }) => gradNormSmoothNewton(model, [], options),
    },
  ],
  'trajectory-loss': [
    {
      good: () => ({ logits: logits(), past: logits(), options: { temperature: 2, weight: 0.3 } }),
      call: ({ logits: now, past, options }: { [name: string]: never }) => trajectoryLoss(now, past, options),
    },
  ],
  'logit-memory': [
    {
      good: () => ({ samples: 4, classes: 2, options: { delay: 1 }, epoch: 1, indices: Int32Array.of(1, 3), logits: logits() }),
      call: ({ samples, classes, options, epoch, indices, logits: z }: { [name: string]: never }) => {
        const memory = new LogitMemory(samples, classes, options);
        memory.record(epoch, indices, z);
        return [memory.past((epoch as number) + 1, indices)?.data ?? 0, memory.past(epoch, indices)?.data ?? 0];
      },
    },
  ],
  'spectral-regularizer': [
    {
      good: () => ({ layout: layout(), options: { exponent: 2, iterations: 2, seed: 1 }, params: params() }),
      call: ({ layout: at, options, params: w }: { [name: string]: never }) => spectralRegularizer(at, options).evaluate(w),
    },
  ],
  'wasserstein-init-regularizer': [
    {
      good: () => ({ initial: params(), layout: layout(), params: params() }),
      call: ({ initial, layout: at, params: w }: { [name: string]: never }) => wassersteinInitRegularizer(initial, at).evaluate(w),
    },
  ],
  'gradual-schedule': [
    {
      good: () => ({ options: { from: 0.1, to: 0.9, steps: 3, shape: 'density' } }),
      call: ({ options }: { options: never }) => gradualSchedule(options),
    },
  ],
  'elle-schedule': [
    {
      good: () => ({ options: { largest: 10, decay: 0.9, deviations: 2 }, error: 1 }),
      call: ({ options, error }: { [name: string]: never }) => new ElleSchedule(options).next(error),
    },
  ],
};

const wrong: unknown[] = [undefined, null, Number.NaN, Infinity, -1, 1.5, 'x', true, {}, [], () => Number.NaN];
/** Arrays of floats are also tried with NaN inside, one longer, empty, and in the other precision. */
function wrongFor(value: unknown): unknown[] {
  if (typeof value === 'function') return wrong.filter((other) => typeof other !== 'function');
  const brand = brandOf(value);
  if (!brand.startsWith('Float')) return wrong;
  const array = value as Float64Array;
  return [...wrong, array.map(() => Number.NaN), Float64Array.of(...array, 1), new Float64Array(0), Float32Array.from(array)];
}

/** Every place inside plain objects and arrays, as the path to it. */
function* placesOf(value: unknown, path: string[] = []): Generator<string[]> {
  const plain = Array.isArray(value) || (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype);
  if (!plain || path.length > 3) return;
  for (const [name, inner] of Object.entries(value as Fields)) {
    yield [...path, name];
    yield* placesOf(inner, [...path, name]);
  }
}
const read = (from: Fields, path: readonly string[]): unknown => path.reduce((at, name) => (at as Fields)[name] as Fields, from);

const { arena } = new Instance();
async function finite(result: unknown): Promise<boolean> {
  return numbersOf(await result, arena).every(Number.isFinite);
}

test('every optimizer and penalty of the registry is here', () => {
  expect(Object.keys(cases)).toEqual(expect.arrayContaining(Object.keys(registry)));
});

const tried = Object.entries(cases).flatMap(([name, list]) => list.map((one, i): [string, Case] => [`${name}, case ${i + 1}`, one]));
test.each(tried)('%s: its good input gives finite numbers, any wrong value in it an error by name', async (_name, { good, call }) => {
  expect(await finite(call(good() as never))).toBe(true);
  const complaints: string[] = [];
  for (const path of placesOf(good())) {
    for (const value of wrongFor(read(good(), path))) {
      const input = good();
      (read(input, path.slice(0, -1)) as Fields)[path.at(-1) as string] = value;
      const told = `${path.join('.')} = ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`;
      try {
        // What is in a state is the optimizer's own: only its form is looked at.
        if (!(await finite(call(input as never))) && path[0] !== 'state') complaints.push(`${told}: numbers that are not finite`);
      } catch (error) {
        if (!(error instanceof AfterpassError && /^[\w.[\]]+: expected .+, got /.test(error.message))) complaints.push(`${told}: ${error}`);
      }
    }
  }
  expect(complaints).toEqual([]);
});
