// Max, Min, Sum, Mean over any number of tensors, Mod, and operators on bits.
import type { Builder, Value } from '../builder.js';
import type { Dim, Node } from '../graph.js';
import { constantRule, elementwise, type Rule } from './rule.js';

/** Inputs folded two by two; one input is itself. */
const folded =
  (join: (b: Builder, x: Value, y: Value) => Value): NonNullable<Rule['expand']> =>
  (node, b) => {
    if (node.inputs.length === 2) return undefined;
    return [node.inputs.slice(1).reduce((x, y) => join(b, x, y), node.inputs[0]!)];
  };

/** The share of an input in the extreme of two: 1, 0, or a half each where they are equal. */
function share(b: Builder, x: Value, y: Value): Value {
  const type = b.elementType(x);
  return b.scale(b.add(b.cast(b.op('Greater', [x, y]), type), b.cast(b.op('GreaterOrEqual', [x, y]), type)), 0.5);
}

function extreme(op: 'Max' | 'Min', pick: (p: number, q: number) => number): Rule {
  const shares = (node: Node, b: Builder): [Value, Value] => {
    const [x, y] = node.inputs as [Value, Value];
    return op === 'Max' ? [share(b, x, y), share(b, y, x)] : [share(b, y, x), share(b, x, y)];
  };
  const infer = elementwise();
  return {
    // Shapes are compared too: numbers among extents are followed.
    infer: (node, b) => {
      const [type] = infer(node, b);
      const values = node.inputs.map((name) => b.extentsOf(name));
      const [p, q] = values;
      if (!p || !q || type!.type.startsWith('float')) return [type!];
      const length = Math.max(p.length, q.length);
      const value = Array.from({ length }, (_, i): Dim | undefined => {
        const [a, c] = [p[p.length === 1 ? 0 : i]!, q[q.length === 1 ? 0 : i]!];
        return typeof a === 'number' && typeof c === 'number' ? pick(a, c) : a === c ? a : undefined;
      });
      return [{ ...type!, value: value.includes(undefined) ? undefined : (value as Dim[]) }];
    },
    expand: folded((b, x, y) => b.op(op, [x, y])),
    vjp: (node, [d], b, needs) => {
      const s = shares(node, b);
      return node.inputs.map((x, i) => (needs[i] ? b.unbroadcast(b.mul(d!, s[i]!), b.shape(x)) : undefined));
    },
    jvp: (node, dx, b) => {
      const s = shares(node, b);
      return [b.sum(...dx.map((d, i) => d && b.mul(d, s[i]!)))];
    },
  };
}

export const Max = extreme('Max', Math.max);
export const Min = extreme('Min', Math.min);

export const Sum: Rule = {
  infer: elementwise(),
  expand: (node, b) => [node.inputs.slice(1).reduce((x, y) => b.add(x, y), node.inputs[0]!)],
};
export const Mean: Rule = {
  infer: elementwise(),
  expand: (node, b) => [
    b.scale(
      node.inputs.slice(1).reduce((x, y) => b.add(x, y), node.inputs[0]!),
      1 / node.inputs.length,
    ),
  ],
};

/** x − y·trunc(x/y) on floats: slopes 1 and −trunc(x/y). */
export const Mod: Rule = {
  infer: elementwise(),
  vjp: ({ inputs: [x, y] }, [d], b, needs) => [
    needs[0] ? b.unbroadcast(d!, b.shape(x!)) : undefined,
    needs[1] ? b.neg(b.unbroadcast(b.mul(d!, wholes(b, x!, y!)), b.shape(y!))) : undefined,
  ],
  jvp: ({ inputs: [x, y], outputs: [z] }, [dx, dy], b) => {
    const moved = b.sum(dx, dy && b.neg(b.mul(dy, wholes(b, x!, y!))));
    return [moved && b.expand(moved, b.shape(z!))];
  },
};

function wholes(b: Builder, x: Value, y: Value): Value {
  const ratio = b.div(x, y);
  return b.mul(b.op('Sign', [ratio]), b.op('Floor', [b.op('Abs', [ratio])]));
}

export const BitShift = constantRule(elementwise());
export const BitwiseAnd = BitShift;
export const BitwiseOr = BitShift;
export const BitwiseXor = BitShift;
export const BitwiseNot = BitShift;
