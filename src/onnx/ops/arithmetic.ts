// Add, Sub, Mul, Div, Neg: with broadcasting, and on shapes.
import { type Builder, isFloat, type Value } from '../builder.js';
import { broadcast, minus, over, plus, quotient, sameShape, times } from '../dims.js';
import type { Dim, Node } from '../graph.js';
import { elementwise, likeFirst, type Rule, unexpanded } from './rule.js';

/** Integer elements followed through an operation on extents. */
function follow(on: (a: Dim, b: Dim) => Dim | undefined): Rule['infer'] {
  const infer = elementwise();
  return (node, b) => {
    const [p, q] = node.inputs.map((name) => b.extentsOf(name));
    const [type] = infer(node, b);
    if (!p || !q || type!.type.startsWith('float')) return [type!];
    const length = Math.max(p.length, q.length);
    const value = Array.from({ length }, (_, i) => on(p[p.length === 1 ? 0 : i]!, q[q.length === 1 ? 0 : i]!));
    return [{ ...type!, value: value.includes(undefined) ? undefined : (value as Dim[]) }];
  };
}

/** `x` as the result of the node, when its shape is already the result's. */
function instead(node: Node, b: Builder, x: Value): Value[] | undefined {
  const shapes = node.inputs.map((name) => b.type(name).shape);
  if (shapes.some((shape) => !shape)) return undefined;
  return sameShape(b.shape(x), broadcast(...(shapes as (readonly Dim[])[]))) ? [x] : undefined;
}

/** The sum of two values that were moved in the same way is moved once. */
function moved(x: Value, y: Value, b: Builder): Value[] | undefined {
  const [p, q] = [b.makerOf(x), b.makerOf(y)];
  if (!p || !q || p.op !== q.op || !['DepthToSpace', 'Transpose', 'Reshape'].includes(p.op)) return undefined;
  const alike = p.inputs[1] === q.inputs[1] && JSON.stringify(p.attributes) === JSON.stringify(q.attributes);
  const [from, other] = [p.inputs[0]!, q.inputs[0]!];
  if (!alike || !sameShape(b.shape(from), b.shape(other))) return undefined;
  return b.emit(p.op, [b.add(from, other), ...p.inputs.slice(1)], p.attributes);
}

/** What a product or quotient with one number scales, and by how much. */
function scaling({ op, inputs }: Node, b: Builder): { of: Value; by: number } | undefined {
  const [x, y] = inputs as [Value, Value];
  const [p, q] = [b.splatOf(x), b.splatOf(y)];
  if (q !== undefined && q !== 0) return { of: x, by: op === 'Mul' ? q : 1 / q };
  return op === 'Mul' && p !== undefined && p !== 0 ? { of: y, by: p } : undefined;
}

/** Scaled twice is scaled once. */
function scaledOnce(node: Node, b: Builder): Value[] | undefined {
  const outer = scaling(node, b);
  const maker = outer && b.makerOf(outer.of);
  const inner = maker && (maker.op === 'Mul' || maker.op === 'Div') ? scaling(maker, b) : undefined;
  if (!outer || !inner || !isFloat(b.elementType(outer.of))) return undefined;
  const by = outer.by * inner.by;
  const shapes = [...node.inputs, inner.of].map((name) => b.type(name).shape);
  if (!(Math.abs(by) > 1e-30 && Math.abs(by) < 1e30) || shapes.some((shape) => !shape)) return undefined;
  return sameShape(shapes[2], broadcast(shapes[0]!, shapes[1]!)) ? [b.scale(inner.of, by)] : undefined;
}

export const Add: Rule = {
  infer: follow(plus),
  simplify: (node, b) => {
    const [x, y] = node.inputs as [Value, Value];
    if (b.splatOf(y) === 0) return instead(node, b, x);
    if (b.splatOf(x) === 0) return instead(node, b, y);
    return moved(x, y, b) ?? unexpanded(node, b);
  },
  vjp: ({ inputs: [x, y] }, [d], b, needs) => [
    needs[0] ? b.unbroadcast(d!, b.shape(x!)) : undefined,
    needs[1] ? b.unbroadcast(d!, b.shape(y!)) : undefined,
  ],
  jvp: (node, [dx, dy], b) => {
    const sum = b.sum(dx, dy);
    return [sum === undefined ? undefined : b.expand(sum, b.shape(node.outputs[0]!))];
  },
};

export const Sub: Rule = {
  infer: follow(minus),
  simplify: (node, b) => {
    const [x, y] = node.inputs as [Value, Value];
    if (b.splatOf(y) === 0) return instead(node, b, x);
    if (b.splatOf(x) === 0 && sameShape(b.shape(y), broadcast(b.shape(x), b.shape(y)))) return [b.neg(y)];
    return unexpanded(node, b);
  },
  vjp: ({ inputs: [x, y] }, [d], b, needs) => [
    needs[0] ? b.unbroadcast(d!, b.shape(x!)) : undefined,
    needs[1] ? b.neg(b.unbroadcast(d!, b.shape(y!))) : undefined,
  ],
  jvp: (node, [dx, dy], b) => {
    const difference = dx !== undefined && dy !== undefined ? b.sub(dx, dy) : (dx ?? (dy && b.neg(dy)));
    return [difference === undefined ? undefined : b.expand(difference, b.shape(node.outputs[0]!))];
  },
};

export const Mul: Rule = {
  infer: follow(times),
  simplify: (node, b) => {
    const [x, y] = node.inputs as [Value, Value];
    const [p, q] = [b.splatOf(x), b.splatOf(y)];
    if (q === 1) return instead(node, b, x);
    if (p === 1) return instead(node, b, y);
    if (q === -1 && sameShape(b.shape(x), broadcast(b.shape(x), b.shape(y)))) return [b.neg(x)];
    return scaledOnce(node, b) ?? unexpanded(node, b);
  },
  vjp: ({ inputs: [x, y] }, [d], b, needs) => [
    needs[0] ? b.unbroadcast(b.mul(d!, y!), b.shape(x!)) : undefined,
    needs[1] ? b.unbroadcast(b.mul(d!, x!), b.shape(y!)) : undefined,
  ],
  jvp: ({ inputs: [x, y] }, [dx, dy], b) => [b.sum(dx && b.mul(dx, y!), dy && b.mul(x!, dy))],
};

export const Div: Rule = {
  infer: follow((a, b) => over(a, b) ?? (b === 0 ? undefined : quotient(a, b))),
  simplify: (node, b) =>
    (b.splatOf(node.inputs[1]!) === 1 ? instead(node, b, node.inputs[0]!) : undefined) ?? scaledOnce(node, b) ?? unexpanded(node, b),
  vjp: ({ inputs: [x, y], outputs: [q] }, [d], b, needs) => {
    const share = b.div(d!, y!);
    return [
      needs[0] ? b.unbroadcast(share, b.shape(x!)) : undefined,
      needs[1] ? b.neg(b.unbroadcast(b.mul(share, q!), b.shape(y!))) : undefined,
    ];
  },
  // (x/y)' = (x' − (x/y)·y') / y
  jvp: ({ inputs: [, y], outputs: [q] }, [dx, dy], b) => {
    const moved = dy && b.mul(q!, dy);
    const top = dx !== undefined && moved !== undefined ? b.sub(dx, moved) : (dx ?? (moved && b.neg(moved)));
    return [top && b.div(top, y!)];
  },
};

export const Neg: Rule = {
  infer: likeFirst,
  simplify: (node, b) => {
    const maker = b.makerOf(node.inputs[0]!);
    return maker?.op === 'Neg' ? [maker.inputs[0]!] : undefined;
  },
  vjp: (_, [d], b) => [b.neg(d!)],
  jvp: (_, [d], b) => [d && b.neg(d)],
};
