#!/usr/bin/env node
// The command line: verbs from commands/, results on stdout, everything else on stderr.
import { readFileSync } from 'node:fs';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { commands } from './commands/index.js';
import { exitCodeOf, explain, translate } from './io/failure.js';
import { integer } from './options.js';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0); // the reader of a pipe has seen enough
  throw error;
});

const verbs = commands.map(({ command }) => String(command).split(' ')[0] as string);
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };

const program = yargs(hideBin(process.argv))
  .scriptName('afterpass')
  .version(version) // yargs would take the one of the project it runs in
  .usage('$0 <verb> …\n\nEverything a network needs after its forward pass.')
  .options({
    json: { type: 'boolean', default: false, describe: 'Print one JSON object on stdout' },
    seed: integer('seed', 'Start of every random stream', { low: 0, initial: 0 }),
    threads: integer('threads', 'Threads: of ONNX Runtime (its own choice if left out), and of matrix work (1)', { low: 1, high: 1024 }),
    quiet: { type: 'boolean', default: false, describe: 'No progress and no remarks on stderr' },
  })
  .command(commands as never)
  .demandCommand(1, 1, 'Not enough non-option arguments: got 0, need at least 1')
  .strict()
  .recommendCommands()
  .detectLocale(false)
  .updateStrings({ string: 'value' }) // numbers come as text, to be read strictly: help would call them strings
  .parserConfiguration({ 'greedy-arrays': false, 'boolean-negation': false })
  .group(['json', 'seed', 'threads', 'quiet', 'help', 'version'], 'Everywhere:')
  .wrap(Math.min(120, process.stdout.columns ?? 100))
  .exitProcess(false)
  .fail((message, error) => {
    throw error && error.name !== 'YError' ? error : translate(message ?? error.message, process.argv[2], verbs);
  });

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`error: ${explain(error)}\n`);
  process.exitCode = exitCodeOf(error);
}
