// afterpass label F --classes K
import type { CommandModule } from 'yargs';
import { DomainError } from '../../src/core/errors.js';
import { writeNpy } from '../../src/core/npy.js';
import { asFloats } from '../../src/core/tensor.js';
import * as transport from '../../src/transport/index.js';
import { writeCsv } from '../io/csv.js';
import { readArray } from '../io/npy.js';
import { checkOutput, writeOutput } from '../io/output.js';
import { table, write } from '../io/print.js';
import { choice, type GlobalArgs, integer, number, text } from '../options.js';

interface Args extends GlobalArgs {
  file: string;
  classes: number | undefined;
  from: 'logits' | 'features';
  mass: number;
  clusterPenalty: number;
  epsilon: number;
  temperature: number;
  method: 'newton' | 'anderson' | 'scaling';
  semanticWeight: number;
  neighbours: number;
  out: string | undefined;
  soft: string | undefined;
  force: boolean;
}

/** `afterpass label`. */
export const label: CommandModule<GlobalArgs, Args> = {
  command: 'label <file>',
  describe: 'Imbalance-aware pseudo-labels from features or logits (P2OT, SP2OT)',
  builder: (yargs) =>
    yargs
      .positional('file', {
        type: 'string',
        describe: 'features [N, d] or logits [N, K]: npy, csv, npz:key, or - for stdin',
        demandOption: true,
      })
      .options({
        classes: integer('classes', 'Number of clusters K', { low: 1 }),
        from: choice('from', 'What the file holds; logits where it has K columns, unless given', ['logits', 'features']),
        mass: number('mass', 'Share of the samples to label', { low: 0, high: 1, initial: 0.5 }),
        'cluster-penalty': number('cluster-penalty', 'Pull of cluster sizes towards equal ones', {
          low: 0,
          open: true,
          high: Infinity,
          initial: 1,
        }),
        epsilon: number('epsilon', 'Entropic strength', { low: 0, open: true, high: Infinity, initial: 0.1 }),
        temperature: number('temperature', 'Of cosine similarities to prototypes', { low: 0, open: true, high: Infinity, initial: 0.1 }),
        method: choice('method', 'Solver', ['newton', 'anderson', 'scaling'], 'newton'),
        'semantic-weight': number('semantic-weight', 'Agreement between similar features (SP2OT); 0 is P2OT', { low: 0, initial: 0 }),
        neighbours: integer('neighbours', 'Neighbours per sample for --semantic-weight', { low: 1, initial: 20 }),
        out: text('out', 'Write hard labels [N] as npy or csv; -1 is unlabelled'),
        soft: text('soft', 'Write soft labels [N, K] as npy'),
        force: { type: 'boolean', default: false, describe: 'Replace existing outputs' },
      }) as never,
  handler: (args) => {
    for (const name of ['out', 'soft'] as const)
      if (args[name] !== undefined) checkOutput(args[name], { force: args.force, name: `--${name}` });
    const { data, shape } = readArray(args.file || '-');
    if (shape.length !== 2) throw new DomainError(`file: expected a matrix, got shape [${shape.join(', ')}]`);
    const [samples, width] = shape as [number, number];
    const values = { data: asFloats('file', data), shape };
    const from = args.from ?? (args.classes === undefined || args.classes === width ? 'logits' : 'features');
    const classes = from === 'logits' ? width : args.classes;
    if (classes === undefined) throw new DomainError('--classes: expected the number of clusters for features, got none');
    if (from === 'logits' && args.classes !== undefined && args.classes !== width)
      throw new DomainError(`--classes: expected ${width}, the columns of the logits, got ${args.classes}`);
    if (args.semanticWeight > 0 && from === 'logits')
      throw new DomainError('--semantic-weight: expected features to compare samples by, got logits; use --from features');
    const start = performance.now();
    const logits =
      from === 'logits'
        ? values
        : {
            data: transport.prototypeLogits(values, { classes, temperature: args.temperature, seed: args.seed }).logits,
            shape: [samples, classes],
          };
    const { mass, clusterPenalty, epsilon, method, semanticWeight, neighbours } = args;
    const common = { mass, clusterPenalty, epsilon, method };
    const result =
      semanticWeight > 0
        ? transport.semanticPartial(
            { logits, features: values },
            { ...common, semanticWeight, neighbours: Math.min(neighbours, samples - 1) },
          )
        : transport.progressivePartial({ logits }, common);
    const seconds = (performance.now() - start) / 1000;
    const { labels, sizes } = harden(result.pseudoLabels, samples, classes);
    if (args.out !== undefined) {
      const tensor = { data: labels, shape: [samples] };
      writeOutput(args.out, /\.csv$/i.test(args.out) ? writeCsv(tensor) : writeNpy(tensor));
    }
    if (args.soft !== undefined) writeOutput(args.soft, writeNpy(result.pseudoLabels));
    const { objective, error, iterations, converged, columnMass } = result;
    const labelled = labels.filter((k) => k >= 0).length;
    const summary = { samples, classes, from, mass, labelled, sizes, columnMass, objective, error, iterations, converged, seconds };
    write(
      { ...summary, ...(args.out === undefined ? { labels } : { out: args.out }), ...(args.soft !== undefined && { soft: args.soft }) },
      args,
      () =>
        [
          table(
            ['cluster', 'samples', 'mass'],
            sizes.map((size, k) => [k, size, columnMass[k]!]),
          ),
          `${labelled} of ${samples} samples labelled in ${iterations} steps${args.out === undefined ? '' : `, written to ${args.out}`}`,
        ].join('\n'),
    );
    if (!converged) process.exitCode = 1;
  },
};

/** The heaviest cluster of every sample that is at least half labelled, −1 for the others; and how many each cluster got. */
function harden(soft: ArrayLike<number>, samples: number, classes: number): { labels: Int32Array; sizes: number[] } {
  const labels = new Int32Array(samples);
  const sizes = new Array<number>(classes).fill(0);
  for (let i = 0; i < samples; i++) {
    let [best, sum] = [0, 0];
    for (let k = 0; k < classes; k++) {
      sum += soft[i * classes + k]!;
      if (soft[i * classes + k]! > soft[i * classes + best]!) best = k;
    }
    labels[i] = sum >= 0.5 ? best : -1;
    if (sum >= 0.5) sizes[best]!++;
  }
  return { labels, sizes };
}
