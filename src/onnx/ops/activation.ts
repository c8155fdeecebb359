// Functions of one number: by their slope.
import type { Builder, Value } from '../builder.js';
import type { Node } from '../graph.js';
import { likeFirst, type Rule, unary } from './rule.js';

/** The derivative passes where the output is above 0 (not at the kink, as PyTorch has it): reading the output keeps Conv and Relu fusable. */
const gate = ({ outputs: [y] }: Node, d: Value, b: Builder): Value =>
  b.mul(d, b.cast(b.op('Greater', [y!, b.scalar(y!, 0)]), b.elementType(d)));
export const Relu: Rule = {
  infer: likeFirst,
  vjp: (node, [d], b) => [gate(node, d!, b)],
  jvp: (node, [d], b) => [d && gate(node, d, b)],
};
export const Tanh = unary((b, _x, y) => b.sub(b.scalar(y, 1), b.mul(y, y)));
export const Sigmoid = unary((b, _x, y) => b.mul(y, b.sub(b.scalar(y, 1), y)));
export const Exp = unary((_b, _x, y) => y);
export const Log: Rule = { ...unary((b, x) => b.op('Reciprocal', [x])) };
export const Sqrt = unary((b, _x, y) => b.div(b.scalar(y, 0.5), y));
export const Abs = unary((b, x) => b.op('Sign', [x]));
/** d/dx 1/x = −y² */
export const Reciprocal = unary((b, _x, y) => b.neg(b.mul(y, y)));
/** 2/√π · exp(−x²): the number last, where it joins others. */
const bell = ({ inputs: [x] }: Node, d: Value, b: Builder): Value =>
  b.scale(b.mul(d, b.op('Exp', [b.neg(b.mul(x!, x!))])), 2 / Math.sqrt(Math.PI));
export const Erf: Rule = {
  infer: likeFirst,
  vjp: (node, [d], b) => [bell(node, d!, b)],
  jvp: (node, [d], b) => [d && bell(node, d, b)],
};
/** Zero derivative wherever it exists. */
export const Sign: Rule = { infer: likeFirst, zero: true };
export const Floor = Sign;
export const Ceil = Sign;
export const Round = Sign;

/** Nothing to do: readers of the output read the input. */
export const Identity: Rule = { infer: likeFirst, simplify: (node) => [node.inputs[0]!] };
