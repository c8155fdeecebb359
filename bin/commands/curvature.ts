// afterpass curvature MODEL --data D [--report R.html]
import { basename } from 'node:path';
import type { CommandModule } from 'yargs';
import type { Batch } from '../../src/core/model-types.js';
import type { Tensor } from '../../src/core/tensor.js';
import { type CurvatureReport, curvatureReport } from '../../src/workflows/index.js';
import { type DataArgs, dataOptions, readData } from '../io/data.js';
import { interruptible } from '../io/interrupt.js';
import { type ModelArgs, modelOptions, withModel } from '../io/model.js';
import { checkOutput, writeOutput } from '../io/output.js';
import { progress, remark, short, table, write } from '../io/print.js';
import { choice, type GlobalArgs, integer, number, text } from '../options.js';
import { curvaturePage, factsOf } from '../report/curvature.js';

interface Args extends GlobalArgs, ModelArgs, DataArgs {
  report: string | undefined;
  force: boolean;
  top: number;
  steps: number;
  probes: number;
  'trace-tolerance': number;
  rho: number;
  samples: number | undefined;
  'batch-size': number;
  convention: 'pyhessian' | 'curvlinops';
}

/** `afterpass curvature`. */
export const curvature: CommandModule<GlobalArgs, Args> = {
  command: 'curvature <model>',
  describe: 'Hessian spectrum, trace, sharpness and stability limits of a trained model',
  builder: (yargs) =>
    yargs
      .positional('model', { type: 'string', describe: 'ONNX file, or - for stdin', demandOption: true })
      .options({
        ...dataOptions,
        report: text('report', 'Write one self-contained HTML file with plots'),
        force: { type: 'boolean', default: false, describe: 'Replace an existing report' },
        top: integer('top', 'Eigenvalues at each end', { low: 1, initial: 5 }),
        steps: integer('steps', 'Lanczos steps of the spectrum', { low: 2, initial: 30 }),
        probes: integer('probes', 'Passes of random probes for the trace at most', { low: 1, initial: 120 }),
        'trace-tolerance': number('trace-tolerance', 'Standard error of the trace to reach, as a share of it', {
          low: 0,
          open: true,
          initial: 0.01,
        }),
        rho: number('rho', 'Radius of SAM and adaptive sharpness', { low: 0, open: true, initial: 0.05 }),
        samples: integer('samples', 'Samples to use, drawn at random (all)', { low: 1 }),
        'batch-size': integer('batch-size', 'Mini-batches for optimizer directions and batch sharpness', { low: 1, initial: 32 }),
        convention: choice('convention', 'Smoothing of the density', ['pyhessian', 'curvlinops'], 'curvlinops'),
        ...modelOptions,
      })
      .example('$0 curvature model.onnx --data d.npz --report curvature.html', '') as never,
  handler: (args) =>
    interruptible(async (signal) => {
      if (args.report !== undefined) checkOutput(args.report, { force: args.force, name: '--report' });
      const data = readData(args);
      const bar = progress(args);
      try {
        const report = await withModel({ ...args, threads: args.threads ?? threadsFor(data) }, (model) =>
          curvatureReport(model, data, { ...optionsOf(args), signal, onProgress: bar.onProgress }),
        );
        bar.stop();
        if (args.report !== undefined) {
          writeOutput(args.report, await curvaturePage(basename(args.model || 'stdin'), report));
          remark(`report: ${args.report}`, args);
        }
        write({ ...report, ...(args.report !== undefined && { report: args.report }) }, args, (found) =>
          textOf(found, args['trace-tolerance']),
        );
        if (!report.converged) process.exitCode = 1;
      } finally {
        bar.stop();
      }
    }),
};

/** Numbers in a sample up to which one thread does as much as two (measured on 8 × 8 images, docs/performance-notes.md). */
const smallSample = 1024;

/** One thread for small samples: their graphs are many short operators, and waking threads costs more than they bring. */
function threadsFor({ x }: Batch): number | undefined {
  const inputs = (ArrayBuffer.isView(x.data) ? [x] : Object.values(x)) as readonly Tensor[];
  const size = inputs.reduce((sum, { data, shape }) => sum + data.length / Math.max(1, shape[0] ?? 1), 0);
  return size <= smallSample ? 1 : undefined;
}

function optionsOf({ top, steps, probes, rho, samples, convention, seed, ...args }: Args) {
  const traceTolerance = args['trace-tolerance'];
  return {
    k: top,
    steps,
    probes,
    traceTolerance,
    rho,
    convention,
    seed,
    batchSize: args['batch-size'],
    ...(samples !== undefined && { samples }),
  };
}

function textOf(report: CurvatureReport, tolerance: number): string {
  const { eigenvalues, residuals, smallest, smallestResiduals, directionalSharpness, samples, of, trace } = report;
  const reached = trace.standardError <= tolerance * Math.abs(trace.estimate);
  const ends = Array.from(eigenvalues, (value, i) => [i + 1, value, residuals[i], smallest[i], smallestResiduals[i]]);
  return [
    table(['', 'value', 'what it says'], factsOf(report)),
    table(['', 'largest eigenvalues', 'off by at most', 'smallest', 'off by about'], ends),
    table(['next step of', 'curvature along it'], Object.entries(directionalSharpness)),
    `${sparkline(report)}  density of eigenvalues from ${short(report.density.grid[0]!)} to ${short(report.density.grid.at(-1)!)}, log scale`,
    reached ? '' : `the trace is less sure than asked (${short(tolerance)} of it) after ${trace.probes} passes; --probes allows more`,
    samples < of ? `measured on ${samples} of ${of} samples; --samples ${of} takes all` : '',
  ]
    .filter(Boolean)
    .join('\n');
}

/** The density in 48 characters, each the highest value of its part of the axis on a logarithmic scale. */
function sparkline({ density: { density } }: CurvatureReport): string {
  const marks = ' ▁▂▃▄▅▆▇█';
  const peak = Math.max(...density);
  const width = density.length / 48;
  return Array.from({ length: 48 }, (_, i) => {
    const highest = Math.max(...density.slice(Math.floor(i * width), Math.floor((i + 1) * width)));
    const height = highest > 0 ? 1 + Math.log10(highest / peak) / 5 : 0;
    return marks[Math.round(Math.max(0, height) * 8)];
  }).join('');
}
