// Arithmetic on extents that may be unknown: products of names with an integer factor (`'4*N'`, `'N*T'`); everything else becomes
// one opaque name in parentheses that is equal to itself.
import type { Dim } from './graph.js';

interface Product {
  factor: number;
  names: string[];
}

function parse(dim: Dim): Product {
  if (typeof dim === 'number') return { factor: dim, names: [] };
  const names: string[] = [];
  let factor = 1;
  let depth = 0;
  let start = 0;
  for (let i = 0; i <= dim.length; i++) {
    const c = dim[i];
    if (c === '(') depth++;
    else if (c === ')') depth--;
    else if (c === undefined || (c === '*' && depth === 0)) {
      const part = dim.slice(start, i);
      if (/^\d+$/.test(part)) factor *= Number(part);
      else names.push(part);
      start = i + 1;
    }
  }
  return { factor, names };
}

function write({ factor, names }: Product): Dim {
  if (factor === 0 || names.length === 0) return factor;
  const parts = [...names].sort();
  return (factor === 1 ? parts : [String(factor), ...parts]).join('*');
}

/** A name from a file as one factor: anything but a plain identifier goes into parentheses. */
export function symbol(name: string): string {
  return /^[A-Za-z_?][\w.?]*$/.test(name) || /^\([^()]*\)$/.test(name) ? name : `(${name.replace(/[()]/g, '|')})`;
}

/** The names an extent is made of: `'4*N*T'` gives N and T. */
export function factorsOf(dim: Dim): Product {
  return parse(dim);
}

/** a · b */
export function times(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  const [p, q] = [parse(a), parse(b)];
  return write({ factor: p.factor * q.factor, names: [...p.names, ...q.names] });
}

/** The product of extents; 1 for none. */
export function product(dims: readonly Dim[]): Dim {
  return dims.reduce(times, 1);
}

/** a / b when it divides without rest, else undefined. */
export function over(a: Dim, b: Dim): Dim | undefined {
  const [p, q] = [parse(a), parse(b)];
  if (q.factor === 0 || p.factor % q.factor !== 0) return undefined;
  const names = [...p.names];
  for (const name of q.names) {
    const at = names.indexOf(name);
    if (at < 0) return undefined;
    names.splice(at, 1);
  }
  return write({ factor: p.factor / q.factor, names });
}

/** a + b */
export function plus(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (a === 0) return b;
  if (b === 0) return a;
  const [p, q] = [parse(a), parse(b)];
  if (p.names.length === q.names.length && write({ factor: 1, names: p.names }) === write({ factor: 1, names: q.names })) {
    return write({ factor: p.factor + q.factor, names: p.names });
  }
  return opaque(typeof a === 'number' ? `${b}+${a}` : `${a}+${b}`);
}

/** a − b */
export function minus(a: Dim, b: Dim): Dim {
  if (a === b) return 0;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (b === 0) return a;
  if (typeof b === 'number') return opaque(`${a}-${b}`);
  const [p, q] = [parse(a), parse(b)];
  if (p.factor > q.factor && write({ factor: 1, names: p.names }) === write({ factor: 1, names: q.names })) {
    return write({ factor: p.factor - q.factor, names: p.names });
  }
  return opaque(`${a}-${b}`);
}

/** ⌊a / b⌋, or ⌈a / b⌉ when `up`. */
export function quotient(a: Dim, b: Dim, up = false): Dim {
  if (typeof a === 'number' && typeof b === 'number') return up ? Math.ceil(a / b) : Math.floor(a / b);
  return over(a, b) ?? opaque(`${a}${up ? '/^' : '//'}${b}`);
}

/** One name for an expression; long ones are shortened to a hash so that deep graphs keep short names. */
function opaque(expression: string): string {
  if (expression.length <= 64) return `(${expression})`;
  let [h, g] = [0x811c9dc5, 0x1000193];
  for (let i = 0; i < expression.length; i++) {
    h = Math.imul(h ^ expression.charCodeAt(i), 0x01000193);
    g = Math.imul(g ^ expression.charCodeAt(i), 0x5bd1e995) ^ (g >>> 15);
  }
  return `(?${(h >>> 0).toString(36)}${(g >>> 0).toString(36)})`;
}

/** True when every extent is a number. */
export function isStatic(shape: readonly Dim[] | undefined): shape is readonly number[] {
  return shape?.every((extent) => typeof extent === 'number') ?? false;
}

/** True when two shapes are the same, name by name. */
export function sameShape(a: readonly Dim[] | undefined, b: readonly Dim[] | undefined): boolean {
  return a !== undefined && b !== undefined && a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

/** The shape of an element-wise result; an unknown extent against another unknown one is taken to be equal at run time. */
export function broadcast(...shapes: readonly (readonly Dim[])[]): Dim[] {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, axis) => {
    let result: Dim = 1;
    for (const shape of shapes) {
      const at = axis - (rank - shape.length);
      const extent = at < 0 ? 1 : shape[at]!;
      if (extent !== 1 && (result === 1 || typeof result === 'string'))
        result = typeof extent === 'number' || result === 1 ? extent : result;
    }
    return result;
  });
}
