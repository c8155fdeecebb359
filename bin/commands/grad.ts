// afterpass grad MODEL --out G.onnx
import type { CommandModule } from 'yargs';
import type { Dim } from '../../src/onnx/graph.js';
import {
  encodeModel,
  gradientModel,
  hvpModel,
  jvpModel,
  type LossName,
  lossNames,
  readModel,
  unsupportedOps,
} from '../../src/onnx/index.js';
import { UnreachedError, UsageError } from '../io/failure.js';
import { modelFile } from '../io/model.js';
import { checkOutput, writeOutput } from '../io/output.js';
import { table, write } from '../io/print.js';
import { choice, type GlobalArgs, text } from '../options.js';

interface Args extends GlobalArgs {
  model: string;
  hvp: boolean;
  jvp: boolean;
  check: boolean;
  live: boolean;
  loss: LossName | undefined;
  wrt: string;
  output: string | undefined;
  extents: string | undefined;
  out: string | undefined;
  force: boolean;
}

interface Port {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly Dim[] | undefined;
}

/** `afterpass grad`. */
export const grad: CommandModule<GlobalArgs, Args> = {
  command: 'grad <model>',
  describe: 'Write a gradient, Jacobian or Hessian product as an ONNX model',
  builder: (yargs) =>
    yargs.positional('model', { type: 'string', describe: 'ONNX file, or - for stdin', demandOption: true }).options({
      out: text('out', 'Derivative model'),
      hvp: { type: 'boolean', default: false, describe: 'Hessian-vector product in place of the gradient' },
      jvp: { type: 'boolean', default: false, describe: 'Jacobian-vector product in place of the gradient' },
      check: { type: 'boolean', default: false, describe: 'Only list operators that have no rule' },
      loss: choice<LossName>('loss', 'Loss appended to the output', lossNames),
      wrt: text('wrt', 'parameters, inputs, all, or names by commas', 'parameters'),
      live: { type: 'boolean', default: false, describe: 'Parameters become inputs of the derivative model' },
      output: text('output', 'Output to differentiate (the first one)'),
      extents: text('extents', 'Numbers for extents that inputs leave open: height=224,width=224'),
      force: { type: 'boolean', default: false, describe: 'Replace an existing output' },
    }) as never,
  handler: (args) => {
    if (args.hvp && args.jvp) throw new UsageError('--jvp: expected one product, got --hvp too');
    if (args.out === undefined && !args.check)
      throw new UsageError('--out: expected a file for the derivative model (or --check), got none');
    if (args.out !== undefined) checkOutput(args.out, args);
    const model = readModel(modelFile(args.model));
    const unsupported = unsupportedOps(model);
    if (args.check) {
      const { feeds, outputs, nodes } = model.graph;
      write({ inputs: feeds.map(port), outputs: outputs.map(port), nodes: nodes.length, unsupported }, args, () =>
        unsupported.length
          ? table(
              ['node', 'operator'],
              unsupported.map(({ node, op, domain }) => [node, domain ? `${domain}.${op}` : op]),
            )
          : 'every operator has a rule',
      );
      if (unsupported.length) throw new UnreachedError(`model: expected operators with a rule, got ${unsupported.length} without`);
      return;
    }
    const make = args.hvp ? hvpModel : args.jvp ? jvpModel : gradientModel;
    const names = ['parameters', 'inputs', 'all'].includes(args.wrt) ? (args.wrt as 'all') : args.wrt.split(',');
    const derived = make(model, {
      wrt: names,
      weights: args.live ? 'live' : 'baked',
      ...(args.output !== undefined && { of: args.output }),
      ...(args.extents !== undefined && { extents: extentsOf(args.extents) }),
      ...(args.loss !== undefined && { loss: args.loss }),
    });
    const bytes = encodeModel(derived);
    writeOutput(args.out as string, bytes);
    const { inputs, outputs, nodes } = derived.graph;
    write(
      { inputs: inputs.map(port), outputs: outputs.map(port), nodes: nodes.length, unsupported, out: args.out, bytes: bytes.length },
      args,
      (result) =>
        [
          table(
            ['', 'name', 'type', 'shape'],
            [...result.inputs.map((p) => row('input', p)), ...result.outputs.map((p) => row('output', p))],
          ),
          `${result.nodes} nodes in ${result.out}`,
        ].join('\n'),
    );
  },
};

/** name=number pairs by commas. */
function extentsOf(text: string): Record<string, number> {
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const match = /^(.+)=(\d+)$/.exec(pair);
      if (!match) throw new UsageError(`--extents: expected name=number pairs, got '${pair}'`);
      return [match[1], Number(match[2])];
    }),
  );
}

function port({ name, type, shape }: Port): Port {
  return { name, type, shape };
}

function row(kind: string, { name, type, shape }: Port): string[] {
  return [kind, name, type, shape ? `[${shape.join(', ')}]` : 'any'];
}
