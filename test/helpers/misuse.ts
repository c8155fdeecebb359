// Wrong arguments for valid calls: an area behind a Proxy that counts the calls made to it and to the objects it returns, and in one of
// them puts another value in the place of one argument, or of one field of an argument.
import { readdirSync, readFileSync } from 'node:fs';
import { isTypedArray } from '../../src/core/tensor.js';

/** One call seen: what was called, with what. */
export interface Seen {
  readonly name: string;
  readonly args: readonly unknown[];
}
/** Which call, which argument (and which field of it) is to be what. */
export interface Change {
  readonly call: number;
  readonly argument: number;
  readonly field?: string;
  readonly value: unknown;
}
/** What the changed call, or one after it, threw or rejected with; absent when all returned. */
export interface Outcome {
  readonly seen: Seen[];
  readonly errors: unknown[];
}

type Callable = (...args: unknown[]) => unknown;
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const isPlain = (value: unknown): value is Record<string, unknown> =>
  isObject(value) && (Object.getPrototypeOf(value) === null || Object.getPrototypeOf(Object.getPrototypeOf(value)) === null);

/** The fields of a record of options or data that a change may replace: not those of tensors (which have readers of their own). */
export const fieldsOf = (value: unknown): string[] => (isPlain(value) && !Array.isArray(value) ? Object.keys(value) : []);

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => readFileSync(`src/${file}`, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, ''));
const interfaces = new Map(
  sources.flatMap((text) =>
    Array.from(text.matchAll(/^export interface (\w+)[^{]*\{[\s\S]*?^\}/gm), ([body, name]) => [name as string, body as string]),
  ),
);

/** Names of the optional fields in the parameters of an exported function or class, which example calls may leave out. */
export function optionsOf(name: string): string[] {
  const declared = new RegExp(`^export (?:async )?(?:function|class) ${name}\\b[\\s\\S]*?^\\}`, 'm');
  const seen = new Set<string>();
  const found = new Set<string>();
  const look = (text: string): void => {
    for (const [, field] of text.matchAll(/\b(\w+)\?: /g)) found.add(field as string);
    for (const [type] of text.matchAll(/\b[A-Z]\w+\b/g)) {
      const body = interfaces.get(type);
      if (!body || seen.has(type)) continue;
      seen.add(type);
      look(body);
    }
  };
  look(sources.map((text) => declared.exec(text)?.[0]).find(Boolean) ?? '');
  return [...found];
}

/**
 * Makes `call` on `area` with at most one change.
 * @returns every call it made to the area, and what those from the changed one on threw
 */
export async function callWith(area: object, call: (area: never) => unknown, change?: Change): Promise<Outcome> {
  const seen: Seen[] = [];
  const errors: unknown[] = [];
  const targets = new WeakMap<object, object>();
  const bare = (value: unknown): unknown => {
    if (!isObject(value)) return typeof value === 'function' ? (targets.get(value) ?? value) : value;
    const target = targets.get(value);
    if (target) return target;
    if (isPlain(value) && Object.values(value).some((entry) => isObject(entry) && targets.has(entry)))
      return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, bare(entry)]));
    return value;
  };
  const changed = (args: unknown[], index: number): unknown[] => {
    const plain = args.map(bare);
    if (change?.call !== index) return plain;
    const { argument, field, value } = change;
    plain[argument] = field === undefined ? value : { ...(plain[argument] as object), [field]: value };
    return plain;
  };
  const note = (error: unknown): never => {
    if (change && seen.length > change.call) errors.push(error);
    throw error;
  };
  const perform = (name: string, args: unknown[], work: (args: unknown[]) => unknown): unknown => {
    const rest = changed(args, seen.length);
    seen.push({ name, args: rest });
    try {
      const result = work(rest);
      if (isObject(result) && typeof (result as Promise<unknown>).then === 'function')
        return (result as Promise<unknown>).then(wrapped, note);
      return wrapped(result);
    } catch (error) {
      return note(error);
    }
  };
  const wrapFunction = (name: string, target: Callable, self: unknown): unknown => {
    const proxy = new Proxy(target, {
      apply: (_target, _this, args) => perform(name, args, (rest) => Reflect.apply(target, self, rest)),
      construct: (_target, args) => perform(name, args, (rest) => Reflect.construct(target, rest)) as object,
      get: (_target, key) => {
        const value = Reflect.get(target, key) as unknown;
        return typeof key === 'string' && typeof value === 'function' && key !== 'prototype'
          ? wrapFunction(`${name}.${key}`, value as Callable, target)
          : value;
      },
    });
    targets.set(proxy, target);
    return proxy;
  };
  const wrapped = (value: unknown): unknown => {
    if (!isObject(value) || isTypedArray(value) || Array.isArray(value) || ArrayBuffer.isView(value)) return value;
    if (isPlain(value) && !Object.values(value).some((entry) => typeof entry === 'function')) return value;
    if (!isPlain(value) && Object.prototype.toString.call(value) !== '[object Object]') return value;
    const proxy = new Proxy(value, {
      get: (target, key) => {
        const entry = Reflect.get(target, key, target) as unknown;
        return typeof key === 'string' && typeof entry === 'function' ? wrapFunction(`.${key}`, entry as Callable, target) : entry;
      },
    });
    targets.set(proxy, value);
    return proxy;
  };
  const proxied = Object.fromEntries(
    Object.entries(area).map(([name, value]) => [
      name,
      typeof value === 'function' ? wrapFunction(name, value as Callable, undefined) : value,
    ]),
  );
  try {
    await call(proxied as never);
  } catch {
    // What the area threw is in `errors`; what the call itself makes of a result is its own affair.
  }
  return { seen, errors };
}
