// Stands between a call and the area it calls: every typed array that goes in can be exchanged for another, at any depth of the arguments,
// also in the arguments of methods of what the area returned.
import { isTypedArray, type TypedArray } from '../../src/core/tensor.js';

/** What goes in instead of `array`, the index-th that went in, at `path` in the arguments; the same array leaves things as they are. */
export type Exchange = (array: TypedArray, index: number, path: string) => TypedArray;

/** The area with every typed array in arguments exchanged for the time of a call; what the call writes into it is copied back. */
export function intercept<T extends object>(area: T, exchange: Exchange): { area: T; count(): number } {
  const originals = new WeakMap<object, object>();
  let index = 0;

  const wrap = <V>(value: V): V => {
    const opaque =
      value === null ||
      (typeof value !== 'object' && typeof value !== 'function') ||
      ArrayBuffer.isView(value) ||
      Array.isArray(value) ||
      value instanceof ArrayBuffer ||
      value instanceof Map ||
      value instanceof Error;
    if (opaque) return value;
    if (typeof (value as { then?: unknown }).then === 'function') return (value as unknown as Promise<unknown>).then(wrap) as V;
    const proxy = new Proxy(value as object, {
      get: (target, key) => {
        const found = Reflect.get(target, key, target) as unknown;
        if (typeof key === 'symbol' || key === 'prototype' || key === 'constructor') return found;
        return wrap(found);
      },
      apply: (target, self, args: unknown[]) =>
        call(args, () => Reflect.apply(target as Callable, originals.get(self as object) ?? self, args)),
      construct: (target, args: unknown[]) => call(args, () => Reflect.construct(target as never, args) as unknown) as object,
    });
    originals.set(proxy, value as object);
    return proxy as V;
  };

  const call = (args: unknown[], work: () => unknown): unknown => {
    const undo: (() => void)[] = [];
    const exchanged = new Map<TypedArray, TypedArray>();
    enter(args, undo, exchanged, '');
    const leave = (): void => {
      for (const back of undo.reverse()) back();
      for (const [mine, theirs] of exchanged) if (theirs !== mine && theirs.length === mine.length) mine.set(theirs as never);
    };
    try {
      const result = work();
      if (typeof (result as { then?: unknown } | undefined)?.then === 'function') {
        return (result as Promise<unknown>).finally(leave).then(wrap);
      }
      leave();
      return wrap(result);
    } catch (error) {
      leave();
      throw error;
    }
  };

  /** Exchanges arrays, and proxies for what they stand for, in place. */
  const enter = (
    holder: unknown[] | Record<string, unknown>,
    undo: (() => void)[],
    exchanged: Map<TypedArray, TypedArray>,
    path: string,
  ): void => {
    for (const [key, value] of Object.entries(holder) as [never, unknown][]) {
      if (typeof value !== 'object' && typeof value !== 'function') continue;
      if (value === null) continue;
      let next: unknown = originals.get(value) ?? value;
      if (isTypedArray(next)) {
        if (!exchanged.has(next)) exchanged.set(next, exchange(next, index++, `${path}.${String(key)}`));
        next = exchanged.get(next);
      } else if (Array.isArray(next) || Object.getPrototypeOf(next) === Object.prototype) {
        enter(next as never, undo, exchanged, `${path}.${String(key)}`);
      }
      if (next === value || !Object.getOwnPropertyDescriptor(holder, key)?.writable) continue;
      holder[key] = next as never;
      undo.push(() => {
        holder[key] = value as never;
      });
    }
  };

  return { area: wrap({ ...area }), count: () => index };
}

type Callable = (...args: unknown[]) => unknown;

/** A copy in memory that threads share. */
export function onSharedMemory<A extends TypedArray>(array: A): A {
  const type = array.constructor as new (buffer: SharedArrayBuffer) => A;
  const copy = new type(new SharedArrayBuffer(array.byteLength));
  copy.set(array as never);
  return copy;
}

/** A copy whose memory has been handed to somebody else. */
export function detached<A extends TypedArray>(array: A): A {
  const copy = array.slice() as A;
  structuredClone(copy, { transfer: [copy.buffer as ArrayBuffer] });
  return copy;
}
