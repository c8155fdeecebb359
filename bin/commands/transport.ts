// afterpass transport A B | --cost C
import type { CommandModule } from 'yargs';
import { DomainError } from '../../src/core/errors.js';
import { writeNpy, writeNpz } from '../../src/core/npy.js';
import { asFloats, type FloatArray, type Tensor } from '../../src/core/tensor.js';
import * as transportation from '../../src/transport/index.js';
import { writeCsv } from '../io/csv.js';
import { readArray } from '../io/npy.js';
import { checkOutput, writeOutput } from '../io/output.js';
import { matrixPicture, pointPicture } from '../io/plan-picture.js';
import { table, write } from '../io/print.js';
import { choice, type GlobalArgs, integer, number, text } from '../options.js';

interface Args extends GlobalArgs {
  first: string | undefined;
  second: string | undefined;
  cost: string | undefined;
  a: string | undefined;
  b: string | undefined;
  method: Method;
  costFunction: 'sqeuclidean' | 'euclidean' | 'cosine' | 'half-sqeuclidean';
  epsilon: number;
  tolerance: number | undefined;
  maxIterations: number | undefined;
  marginalPenalty: number;
  mass: number | undefined;
  out: string | undefined;
  potentials: string | undefined;
  picture: string | undefined;
  force: boolean;
}
type Points = Tensor<FloatArray>;
type Problem =
  | { x: Points; y: Points; costFunction: Args['costFunction']; a?: FloatArray; b?: FloatArray }
  | { cost: Points; a?: FloatArray; b?: FloatArray };
interface Outcome {
  value: number;
  transportCost?: number;
  error?: number;
  iterations: number;
  converged: boolean;
  mass?: number;
  f?: Float64Array;
  g?: Float64Array;
  plan?: () => transportation.Plan;
}
type Method = 'auto' | 'scaling' | 'log' | 'stabilized' | 'sinkhorn-unbalanced' | 'sinkhorn-partial' | 'sinkhorn-divergence' | 'emd';
const methods: readonly Method[] = [
  'auto',
  'scaling',
  'log',
  'stabilized',
  'sinkhorn-unbalanced',
  'sinkhorn-partial',
  'sinkhorn-divergence',
  'emd',
];

function solve(problem: Problem, args: Args): Outcome {
  const { method, epsilon, marginalPenalty, mass } = args;
  const limits = {
    ...(args.tolerance !== undefined && { tolerance: args.tolerance }),
    ...(args.maxIterations !== undefined && { maxIterations: args.maxIterations }),
  };
  switch (method) {
    case 'emd':
      return transportation.emd(problem, {
        ...(mass !== undefined && { mass }),
        ...(args.maxIterations !== undefined && { maxIterations: args.maxIterations }),
      });
    case 'sinkhorn-partial':
      if (mass === undefined) throw new DomainError('--mass: expected the mass to move for sinkhorn-partial, got none');
      return transportation.sinkhornPartial(problem, { epsilon, mass, ...limits });
    case 'sinkhorn-unbalanced':
      return transportation.sinkhornUnbalanced(problem, { epsilon, marginalPenalty, ...limits });
    case 'sinkhorn-divergence':
      if (!('x' in problem)) throw new DomainError('--method: expected two point sets for sinkhorn-divergence, got a cost matrix');
      return transportation.sinkhornDivergence(problem, { epsilon, ...limits });
    default:
      return transportation.sinkhorn(problem, { epsilon, method, ...limits });
  }
}

/** `afterpass transport`. */
export const transport: CommandModule<GlobalArgs, Args> = {
  command: 'transport [first] [second]',
  describe: 'Optimal transport between two point sets, or under a cost matrix',
  builder: (yargs) =>
    yargs
      .positional('first', { type: 'string', describe: 'points [n, d]: npy, csv, npz:key, or - for stdin' })
      .positional('second', { type: 'string', describe: 'points [m, d]' })
      .options({
        cost: text('cost', 'Cost matrix [n, m] in place of points'),
        a: text('a', 'Weights [n]; uniform if left out'),
        b: text('b', 'Weights [m]; uniform if left out'),
        method: choice('method', 'Solver', methods, 'auto'),
        'cost-function': choice(
          'cost-function',
          'Ground cost of points',
          ['sqeuclidean', 'euclidean', 'cosine', 'half-sqeuclidean'],
          'sqeuclidean',
        ),
        epsilon: number('epsilon', 'Entropic strength, in units of the cost', { low: 0, open: true, high: Infinity, initial: 0.05 }),
        tolerance: number('tolerance', 'L1 error of the marginals, relative to the mass', { low: 0 }),
        'max-iterations': integer('max-iterations', 'Full iterations', { low: 1 }),
        'marginal-penalty': number('marginal-penalty', 'Of sinkhorn-unbalanced', { low: 0, open: true, high: Infinity, initial: 1 }),
        mass: number('mass', 'To move, for sinkhorn-partial and emd', { low: 0, open: true, high: Infinity }),
        out: text('out', 'Write the plan as npy or csv'),
        potentials: text('potentials', 'Write f and g as npz'),
        picture: text('picture', 'Draw the plan as SVG: lines between points in the plane, else the matrix'),
        force: { type: 'boolean', default: false, describe: 'Replace existing outputs' },
      }) as never,
  handler: (args) => {
    for (const name of ['out', 'potentials', 'picture'] as const) {
      if (args[name] !== undefined) checkOutput(args[name], { force: args.force, name: `--${name}` });
    }
    const problem = readProblem(args);
    const start = performance.now();
    const outcome = solve(problem, args);
    const seconds = (performance.now() - start) / 1000;
    if ((args.out ?? args.picture) && !outcome.plan) throw new DomainError(`--method: expected one with a plan, got ${args.method}`);
    const files = writeFiles(problem, outcome, args);
    const { value, transportCost, error, iterations, converged, mass } = outcome;
    const shape = 'x' in problem ? [problem.x.shape[0], problem.y.shape[0]] : problem.cost.shape;
    const summary = {
      method: args.method,
      shape,
      epsilon: args.method === 'emd' ? undefined : args.epsilon,
      value,
      transportCost,
      mass,
      error,
      iterations,
      converged,
      ...files,
      seconds,
    };
    write(summary, args, ({ seconds: _, ...rest }) =>
      table(
        ['result', 'value'],
        Object.entries(rest)
          .filter(([, entry]) => entry !== undefined)
          .map(([name, entry]) => [name, typeof entry === 'number' ? entry : Array.isArray(entry) ? entry.join(' x ') : String(entry)]),
      ),
    );
    if (!converged) process.exitCode = 1;
  },
};

function readProblem({ first, second, cost, a, b, costFunction }: Args): Problem {
  const weights = { ...(a !== undefined && { a: vector('--a', a) }), ...(b !== undefined && { b: vector('--b', b) }) };
  if (cost !== undefined) {
    if (first !== undefined) throw new DomainError('--cost: expected either points or a cost matrix, got both');
    return { cost: matrix('--cost', cost), ...weights };
  }
  if (first === undefined || second === undefined) {
    throw new DomainError(`transport: expected two point sets or --cost, got ${first === undefined ? 'neither' : 'one point set'}`);
  }
  return { x: matrix('first', first || '-'), y: matrix('second', second || '-'), costFunction, ...weights };
}

/** A float matrix from a file; a vector is one column. */
function matrix(name: string, path: string): Points {
  const { data, shape } = readArray(path);
  if (shape.length === 0 || shape.length > 2) throw new DomainError(`${name}: expected a matrix, got shape [${shape.join(', ')}]`);
  return { data: asFloats(name, data), shape: shape.length === 2 ? shape : [shape[0]!, 1] };
}

function vector(name: string, path: string): FloatArray {
  return asFloats(name, readArray(path).data);
}

function writeFiles(problem: Problem, { plan, f, g }: Outcome, { out, potentials, picture }: Args) {
  const P = out !== undefined || picture !== undefined ? plan?.() : undefined;
  if (out !== undefined && P) writeOutput(out, /\.csv$/i.test(out) ? writeCsv(P) : writeNpy(P));
  if (potentials !== undefined) {
    if (!f || !g) throw new DomainError('--potentials: expected a method with potentials, got sinkhorn-divergence');
    writeOutput(potentials, writeNpz({ f: { data: f, shape: [f.length] }, g: { data: g, shape: [g.length] } }));
  }
  if (picture !== undefined && P) {
    const planar = 'x' in problem && problem.x.shape[1] === 2 && problem.x.shape[0]! + problem.y.shape[0]! <= 2000;
    const [rows, cols] = P.shape;
    writeOutput(
      picture,
      planar ? pointPicture({ data: problem.x.data, rows }, { data: problem.y.data, rows: cols }, P) : matrixPicture(P, rows, cols),
    );
  }
  return { out, potentials, picture };
}
