// What went wrong, in one line and an exit code: 2 for misuse and bad input, 1 for the rest, 130 when interrupted.
import { AbortError, AfterpassError, DomainError, GraphError, ShapeError } from '../../src/core/errors.js';

/** Misuse of the command line itself. */
export class UsageError extends DomainError {}

/** A run that ended, but did not reach what was asked. */
export class UnreachedError extends AfterpassError {
  constructor(message: string) {
    super(message, 'ERR_UNREACHED');
  }
}

type Rewrite = (names: string, verb: string) => string;
const rewrites: readonly (readonly [RegExp, Rewrite])[] = [
  [/^(--.+: expected .+)$/, (message) => message], // an option's own check, through yargs
  [/^Unknown (?:arguments?|commands?): (.+)$/, (names, verb) => unknown(names.split(', '), verb)],
  [/^Did you mean (.+)\?$/, (name, verb) => `verb: expected one that exists, got '${verb}'; did you mean '${name}'?`],
  [
    /^(?:Missing required arguments?|Not enough arguments following): (.+)$/,
    (names) => `--${names.replaceAll(', ', ', --')}: expected a value, got none`,
  ],
  [
    /^Not enough non-option arguments: got (\d+)/,
    (got, verb) => (verb && got === '0' ? `arguments: expected a file, got none` : 'verb: expected one, got none'),
  ],
  [/^Too many non-option arguments: got (\d+)/, (got) => `arguments: expected fewer, got ${got}`],
];

/** `--y=labels` as `--y`: an option the way it was typed. */
const spelling = (word: string): string => word.replace(/=.*$/s, '');

function unknown(names: readonly string[], verb: string): string {
  if (names.includes(verb)) return `verb: expected one that exists, got '${verb}'`;
  const typed = process.argv.slice(2);
  const options = names.flatMap((name) => typed.map(spelling).find((word) => word === `-${name}` || word === `--${name}`) ?? []);
  if (options.length) return `${options.join(', ')}: expected an option of '${verb}', got an unknown one`;
  return `arguments: expected fewer, got '${names.join("', '")}' too`;
}

/** The yargs message as an error in the house's form; `word` is the first one typed, `verbs` are those that exist. */
export function translate(message: string, word = '', verbs: readonly string[] = []): UsageError {
  const verb = word.startsWith('-') ? '' : word;
  const line = message.split('\n')[0] as string;
  if (verb && !verbs.includes(verb) && !line.startsWith('Did you mean'))
    return new UsageError(`verb: expected one that exists, got '${verb}' (see afterpass --help)`);
  for (const [pattern, rewrite] of rewrites) {
    const match = pattern.exec(line);
    if (!match) continue;
    const text = rewrite(match[1] as string, verb);
    const about = verb && !text.startsWith('verb:') ? ` ${verb}` : '';
    return new UsageError(`${text} (see afterpass${about} --help)`);
  }
  return new UsageError(`arguments: expected what --help shows, got '${line}'`);
}

/** Options whose messages are about what the files hold. */
const ofData = ['data', 'input', 'loss', 'model', 'x', 'y'];
const dashed = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** The library's message with the name of an option as it was typed: `learningRate: …` as `--learning-rate: …`. */
export function asTyped(message: string, words: readonly string[]): string {
  const name = /^([a-z][A-Za-z0-9]*): /.exec(message)?.[1];
  if (!name || ofData.includes(name) || !words.map(spelling).includes(dashed(name))) return message;
  const rest = message.slice(name.length).replace(/(?<=which takes ).+$/, (names) => names.split(', ').map(dashed).join(', '));
  return dashed(name) + rest;
}

/** The message to print; an error that nobody foresaw keeps its name. */
export function explain(error: unknown): string {
  if (error instanceof AfterpassError) return asTyped(error.message, process.argv.slice(2));
  if (process.env.AFTERPASS_DEBUG) return String((error as Error)?.stack ?? error);
  return `${(error as Error)?.name ?? 'unknown'}: ${String((error as Error)?.message ?? error).split('\n')[0]} (AFTERPASS_DEBUG=1 shows where)`;
}

/** The exit code of an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof AbortError) return 130;
  return error instanceof ShapeError || error instanceof DomainError || error instanceof GraphError ? 2 : 1;
}
