// Options that are read strictly: a value that does not fit is refused by the option's name before any work starts.
import { checkInteger, checkOneOf } from '../src/core/check.js';
import { DomainError } from '../src/core/errors.js';

/** What every verb receives. */
export interface GlobalArgs {
  json: boolean;
  seed: number;
  threads: number | undefined;
  quiet: boolean;
}

interface Bounds {
  low?: number;
  high?: number;
  /** Low and high are not part of the range. */
  open?: boolean;
}

function once(name: string, raw: unknown): string | undefined {
  if (Array.isArray(raw)) throw new DomainError(`--${name}: expected one value, got ${raw.length}`);
  return raw === undefined ? undefined : String(raw);
}

function parse(name: string, text: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (!Number.isFinite(value)) throw new DomainError(`--${name}: expected a number, got '${text}'`);
  return value;
}

function inBounds(name: string, value: number, { low = -Infinity, high = Infinity, open = false }: Bounds): number {
  const fits = open ? value > low && value < high : value >= low && value <= high;
  if (fits) return value;
  const range = high === Infinity ? `${open ? '>' : '>='} ${low}` : `${open ? 'between' : 'from'} ${low} ${open ? 'and' : 'to'} ${high}`;
  throw new DomainError(`--${name}: expected a number ${range}, got ${value}`);
}

/** An integer option. */
export function integer<D extends number | undefined = undefined>(
  name: string,
  describe: string,
  { low, high, initial }: { low?: number; high?: number; initial?: D } = {},
) {
  return {
    type: 'string' as const,
    requiresArg: true,
    describe,
    ...(initial !== undefined && { default: String(initial), defaultDescription: String(initial) }),
    coerce: (raw: unknown): number | D => {
      const text = once(name, raw);
      if (text === undefined) return undefined as D;
      const value = parse(name, text);
      checkInteger(`--${name}`, value, low, high);
      return value;
    },
  };
}

/** A number option. */
export function number<D extends number | undefined = undefined>(
  name: string,
  describe: string,
  { initial, ...bounds }: Bounds & { initial?: D } = {},
) {
  return {
    type: 'string' as const,
    requiresArg: true,
    describe,
    ...(initial !== undefined && { default: String(initial), defaultDescription: String(initial) }),
    coerce: (raw: unknown): number | D => {
      const text = once(name, raw);
      return text === undefined ? (undefined as D) : inBounds(name, parse(name, text), bounds);
    },
  };
}

/** Several numbers, separated by commas. */
export function numbers(name: string, describe: string, bounds: Bounds = {}) {
  return {
    type: 'string' as const,
    requiresArg: true,
    describe,
    coerce: (raw: unknown): number[] => {
      const text = once(name, raw) ?? '';
      return text.split(',').map((part) => inBounds(name, parse(name, part), bounds));
    },
  };
}

/** One of several words. */
export function choice<T extends string, D extends T | undefined = undefined>(
  name: string,
  describe: string,
  choices: readonly T[],
  initial?: D,
) {
  return {
    type: 'string' as const,
    requiresArg: true,
    describe: `${describe}: ${choices.join(', ')}`,
    ...(initial !== undefined && { default: initial as string, defaultDescription: initial as string }),
    coerce: (raw: unknown): T | D => {
      const value = once(name, raw);
      if (value === undefined) return undefined as D;
      checkOneOf(`--${name}`, value, choices);
      return value;
    },
  };
}

/** A word or a path, given once. */
export function text<D extends string | undefined = undefined>(name: string, describe: string, initial?: D) {
  return {
    type: 'string' as const,
    requiresArg: true,
    describe,
    ...(initial !== undefined && { default: initial as string, defaultDescription: initial as string }),
    coerce: (raw: unknown): string | D => {
      const value = once(name, raw);
      if (value === '') throw new DomainError(`--${name}: expected a value, got an empty one`);
      return value ?? (undefined as D);
    },
  };
}

/** Words, given several times or separated by commas. */
export function list(_name: string, describe: string) {
  return {
    type: 'string' as const,
    requiresArg: true,
    describe,
    coerce: (raw: unknown): string[] =>
      (Array.isArray(raw) ? raw : [raw]).flatMap((part) => String(part).split(',')).filter((part) => part !== ''),
  };
}
