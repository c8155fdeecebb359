// How time grows with the problem: the exponent p of time ∝ nᵖ, fitted over the declared sizes of a case.
import { keyOf } from './compare.js';
import type { Row } from './row.js';
import { slope } from './statistics.js';

export interface Growth {
  readonly name: string;
  readonly build: string;
  /** The extent that varies, or the product of all where several do; where that product is the same everywhere, the last of them. */
  readonly axis: string;
  readonly points: readonly { readonly n: number; readonly median: number }[];
  /** Of time. */
  readonly exponent: number;
  /** Of the declared work (flops, else bytes), which time should follow. */
  readonly workExponent: number | null;
}

/** One fit per case and build with at least two sizes. */
export function growth(rows: readonly Row[]): Growth[] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = keyOf({ ...row, size: [] });
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const fits: Growth[] = [];
  for (const group of groups.values()) {
    const [first] = group as [Row, ...Row[]];
    const varying = first.size.map((_, axis) => axis).filter((axis) => new Set(group.map(({ size }) => size[axis])).size > 1);
    if (varying.length === 0) continue;
    const alike = group.every(({ size }) => varying.every((axis) => size[axis] === size[varying[0] as number]));
    const along = (axis: number) => (row: Row) => row.size[axis] as number;
    const product = ({ size }: Row) => varying.reduce((all, axis) => all * (size[axis] as number), 1);
    const last = varying.at(-1) as number;
    const equal = !alike && new Set(group.map(product)).size === 1; // one fits along an axis, not along what does not vary
    const extent = alike || equal ? along(last) : product;
    const names = (separator: string) => varying.map((axis) => first.axes[axis]).join(separator);
    const x = group.map((row) => Math.log(extent(row)));
    const works = group.map(({ work }) => work.flops ?? work.bytes);
    fits.push({
      name: first.name,
      build: first.build,
      axis: equal ? `${first.axes[last]} at equal ${names(' × ')}` : names(alike ? ' = ' : ' × '),
      points: group.map((row) => ({ n: extent(row), median: row.median })),
      exponent: slope(
        x,
        group.map(({ median }) => Math.log(median)),
      ),
      workExponent: works.every((work) => work !== null && work > 0)
        ? slope(
            x,
            works.map((work) => Math.log(work as number)),
          )
        : null,
    });
  }
  return fits;
}
