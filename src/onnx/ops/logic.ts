// Comparisons, logic, selection, conversion: mostly without derivative.
import { type Builder, isFloat, type ValueType } from '../builder.js';
import { type Dim, elementTypes, intOf, type Node } from '../graph.js';
import { constantRule, elementwise, likeFirst, type Rule, unexpanded } from './rule.js';

const bool = elementwise(() => 'bool');

/** Integer elements side by side, followed through an operation on them; undefined where one is not known. */
function follow(node: Node, b: Builder, on: (...elements: Dim[]) => Dim | undefined): readonly Dim[] | undefined {
  const values = node.inputs.map((name) => b.extentsOf(name));
  if (values.some((value) => value === undefined || value.length === 0)) return undefined;
  const known = values as (readonly Dim[])[];
  const length = Math.max(...known.map((value) => value.length));
  const result = Array.from({ length }, (_, i) => on(...known.map((value) => value[value.length === 1 ? 0 : i]!)));
  return result.includes(undefined) ? undefined : (result as Dim[]);
}

/** A comparison; extents are never negative, whatever their names stand for. */
const comparison = (test: (sign: number) => boolean): Rule =>
  constantRule((node, b) => {
    const [type] = bool(node, b) as [ValueType];
    const value = follow(node, b, (p, q) => {
      if (typeof p === 'number' && typeof q === 'number') return Number(test(Math.sign(p - q)));
      if (p === q) return Number(test(0));
      if (typeof q === 'number' && q < 0) return Number(test(1));
      return typeof p === 'number' && p < 0 ? Number(test(-1)) : undefined;
    });
    return [{ ...type, value }];
  });
export const Equal = comparison((sign) => sign === 0);
export const Greater = comparison((sign) => sign > 0);
export const GreaterOrEqual = comparison((sign) => sign >= 0);
export const Less = comparison((sign) => sign < 0);
export const LessOrEqual = comparison((sign) => sign <= 0);
export const And = constantRule(bool);
export const Or = constantRule(bool);
export const Xor = constantRule(bool);
export const Not = constantRule(likeFirst);
export const IsNaN = constantRule(bool);
export const IsInf = constantRule(bool);

export const Where: Rule = {
  infer: (node, b) => {
    const [{ shape }] = elementwise()(node, b) as [ValueType];
    const type = b.elementType(node.inputs[1]!);
    const value = isFloat(type) ? undefined : follow(node, b, (c, p, q) => (p === q ? p : c === 1 ? p : c === 0 ? q : undefined));
    return [{ type, shape, value }];
  },
  simplify: (node, b) => unexpanded(node, b),
  vjp: ({ inputs: [c, x, y] }, [d], b, needs) => {
    const zero = b.scalar(d!, 0);
    return [
      undefined,
      needs[1] ? b.unbroadcast(b.op('Where', [c!, d!, zero]), b.shape(x!)) : undefined,
      needs[2] ? b.unbroadcast(b.op('Where', [c!, zero, d!]), b.shape(y!)) : undefined,
    ];
  },
  jvp: ({ inputs: [c], outputs: [z] }, [, dx, dy], b) => {
    if (dx === undefined && dy === undefined) return [undefined];
    const zero = b.scalar((dx ?? dy)!, 0);
    return [b.expand(b.op('Where', [c!, dx ?? zero, dy ?? zero]), b.shape(z!))];
  },
};

/** Conversion: the derivative passes between float types and is zero through anything else. */
export const Cast: Rule = {
  infer: (node, b) => {
    const { shape, value } = b.type(node.inputs[0]!);
    const type = elementTypes[intOf(node, 'to', 1)]!;
    return [{ type, shape, value: type === 'int64' || type === 'int32' ? value : undefined }];
  },
  simplify: (node, b) => (b.elementType(node.inputs[0]!) === elementTypes[intOf(node, 'to', 1)] ? [node.inputs[0]!] : undefined),
  vjp: ({ inputs: [x] }, [d], b) => [isFloat(b.elementType(x!)) ? b.cast(d!, b.elementType(x!)) : undefined],
  jvp: ({ outputs: [y] }, [d], b) => [d !== undefined && isFloat(b.elementType(y!)) ? b.cast(d, b.elementType(y!)) : undefined],
};

/** Clip: the slope is 1 from min to max inclusive, as PyTorch has it. Bounds are constants of the derivative. */
export const Clip: Rule = {
  infer: likeFirst,
  vjp: (node, [d], b) => [b.mul(d!, inside(node.inputs, b))],
  jvp: (node, [d], b) => [d && b.mul(d, inside(node.inputs, b))],
  expand: (node, b, opset) => {
    if (opset >= 11) return undefined;
    const bounds = ['min', 'max'].map((name) => {
      const attribute = node.attributes[name];
      return attribute?.type === 'float' ? b.scalar(node.inputs[0]!, attribute.value) : '';
    });
    return [b.op('Clip', [node.inputs[0]!, ...bounds])];
  },
};

function inside([x, low, high]: string[], b: Parameters<NonNullable<Rule['vjp']>>[2]): string {
  const tests = [low && b.op('GreaterOrEqual', [x!, low]), high && b.op('LessOrEqual', [x!, high])].filter((t): t is string => !!t);
  if (!tests.length) return b.scalar(x!, 1);
  return b.cast(tests.length === 1 ? tests[0]! : b.op('And', tests), b.elementType(x!));
}
