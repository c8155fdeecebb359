// Einsum, written out: diagonals, sums, and one matrix product for each further operand.
import type { Builder, Value } from '../builder.js';
import { product } from '../dims.js';
import { type Dim, stringOf } from '../graph.js';
import { parseEquation } from '../reference/equation.js';
import { likeFirst, type Rule } from './rule.js';

/** A value whose axes carry labels. */
interface Labelled {
  readonly value: Value;
  readonly labels: readonly string[];
}

/** Axes put into another order. */
function ordered(b: Builder, { value, labels }: Labelled, order: readonly string[]): Value {
  return b.transpose(
    value,
    order.map((label) => labels.indexOf(label)),
  );
}

/** A label that names two axes keeps their diagonal: the two become one axis of n², of which every (n + 1)-th element stays. */
function withoutRepeats(b: Builder, term: Labelled): Labelled {
  const { labels } = term;
  const first = labels.findIndex((label, axis) => labels.indexOf(label, axis + 1) >= 0);
  if (first < 0) return term;
  const label = labels[first]!;
  const second = labels.indexOf(label, first + 1);
  const rest = labels.map((_, axis) => axis).filter((axis) => axis !== first && axis !== second);
  const together = b.transpose(term.value, [...rest, first, second]);
  const n = b.staticShape(together, rest.length)[0]!;
  const flat = b.reshape(together, [...b.shape(together).slice(0, -2), n * n]);
  const diagonal = b.op('Gather', [flat, b.ints(Array.from({ length: n }, (_, i) => i * (n + 1)))], { axis: rest.length });
  return withoutRepeats(b, { value: diagonal, labels: [...rest.map((axis) => labels[axis]!), label] });
}

/** Sums over the labels that nobody else needs. */
function summed(b: Builder, { value, labels }: Labelled, kept: ReadonlySet<string>): Labelled {
  const axes = labels.flatMap((label, axis) => (kept.has(label) ? [] : [axis]));
  return { value: b.reduceSum(value, axes), labels: labels.filter((label) => kept.has(label)) };
}

/** The product of two terms, summed over shared labels that are not kept. */
function contracted(b: Builder, p: Labelled, q: Labelled, kept: ReadonlySet<string>): Labelled {
  const shared = p.labels.filter((label) => q.labels.includes(label));
  const batch = shared.filter((label) => kept.has(label));
  const inner = shared.filter((label) => !kept.has(label));
  const left = p.labels.filter((label) => !shared.includes(label));
  const right = q.labels.filter((label) => !shared.includes(label));
  const extentOf = (term: Labelled, label: string): Dim => b.shape(term.value)[term.labels.indexOf(label)]!;
  const both = (label: string): Dim => (extentOf(p, label) === 1 ? extentOf(q, label) : extentOf(p, label));
  // Where one operand has extent 1 along a summed label, it is repeated first.
  const filled = (term: Labelled): Labelled => ({
    ...term,
    value: b.expand(
      term.value,
      term.labels.map((label) => (inner.includes(label) ? both(label) : extentOf(term, label))),
    ),
  });
  const [P, Q] = [filled(p), filled(q)];
  const sizes = (term: Labelled, labels: readonly string[]): Dim[] => labels.map((label) => extentOf(term, label));
  const rows = b.reshape(ordered(b, P, [...batch, ...left, ...inner]), [
    ...sizes(P, batch),
    product(sizes(P, left)),
    product(sizes(P, inner)),
  ]);
  const columns = b.reshape(ordered(b, Q, [...batch, ...inner, ...right]), [
    ...sizes(Q, batch),
    product(sizes(Q, inner)),
    product(sizes(Q, right)),
  ]);
  const value = inner.length ? b.matmul(rows, columns) : b.mul(rows, columns);
  return { value: b.reshape(value, [...batch.map(both), ...sizes(P, left), ...sizes(Q, right)]), labels: [...batch, ...left, ...right] };
}

export const Einsum: Rule = {
  infer: likeFirst,
  expand: (node, b) => {
    const { terms, result } = parseEquation(
      stringOf(node, 'equation', ''),
      node.inputs.map((name) => b.rank(name)),
      node,
    );
    const operands = terms.map((labels, i) => withoutRepeats(b, { value: node.inputs[i]!, labels }));
    let whole: Labelled | undefined;
    for (const [i, term] of operands.entries()) {
      const later = new Set([...result, ...operands.slice(i + 1).flatMap(({ labels }) => labels)]);
      const own = summed(b, term, new Set([...later, ...(whole?.labels ?? [])]));
      whole = whole ? contracted(b, whole, own, later) : own;
    }
    return [ordered(b, whole!, result)];
  },
};
