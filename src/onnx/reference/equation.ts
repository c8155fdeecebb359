// Equations of Einsum.
import type { Node } from '../graph.js';
import { fail } from './value.js';

/** Splits an equation into one list of labels per operand and one for the result; `.k` labels stand for the axes of an ellipsis. */
export function parseEquation(equation: string, ranks: readonly number[], node: Node): { terms: string[][]; result: string[] } {
  const [left = '', right] = equation.replaceAll(' ', '').split('->') as [string, string | undefined];
  const operands = left.split(',');
  if (operands.length !== ranks.length) throw fail(node, `expected ${operands.length} inputs for '${equation}', got ${ranks.length}`);
  let widest = 0;
  const labelled = operands.map((term, i) => {
    const [before = '', after] = term.split('...') as [string, string | undefined];
    const free = ranks[i]! - before.length - (after?.length ?? 0);
    if (after === undefined ? free !== 0 : free < 0) throw fail(node, `expected '${term}' to name ${ranks[i]} axes in '${equation}'`);
    widest = Math.max(widest, free);
    // Ellipses align at the right: the last axis of each is '.0'.
    return [...before, ...Array.from({ length: free }, (_, k) => `.${free - 1 - k}`), ...(after ?? '')];
  });
  const ellipsis = Array.from({ length: widest }, (_, k) => `.${widest - 1 - k}`);
  if (right !== undefined) {
    const [before = '', after] = right.split('...') as [string, string | undefined];
    return { terms: labelled, result: after === undefined ? [...before] : [...before, ...ellipsis, ...after] };
  }
  const counts = new Map<string, number>();
  for (const label of labelled.flat()) counts.set(label, (counts.get(label) ?? 0) + 1);
  const single = [...counts.keys()].filter((label) => !label.startsWith('.') && counts.get(label) === 1).sort();
  return { terms: labelled, result: [...ellipsis, ...single] };
}
