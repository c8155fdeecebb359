// Trigonometric and hyperbolic functions and their inverses, by their slopes.
import type { Builder, Value } from '../builder.js';
import { unary } from './rule.js';

const square = (b: Builder, x: Value): Value => b.mul(x, x);
/** 1 + s·x² */
const onePlus = (b: Builder, x: Value, s: 1 | -1): Value =>
  s === 1 ? b.add(square(b, x), b.scalar(x, 1)) : b.sub(b.scalar(x, 1), square(b, x));
const inverseRoot = (b: Builder, x: Value): Value => b.op('Reciprocal', [b.op('Sqrt', [x])]);

export const Sin = unary((b, x) => b.op('Cos', [x]));
export const Cos = unary((b, x) => b.neg(b.op('Sin', [x])));
/** 1 + tan² x */
export const Tan = unary((b, _x, y) => onePlus(b, y, 1));
/** (1 − x²)^−½ */
export const Asin = unary((b, x) => inverseRoot(b, onePlus(b, x, -1)));
export const Acos = unary((b, x) => b.neg(inverseRoot(b, onePlus(b, x, -1))));
/** 1 / (1 + x²) */
export const Atan = unary((b, x) => b.op('Reciprocal', [onePlus(b, x, 1)]));
export const Sinh = unary((b, x) => b.op('Cosh', [x]));
export const Cosh = unary((b, x) => b.op('Sinh', [x]));
/** (1 + x²)^−½ */
export const Asinh = unary((b, x) => inverseRoot(b, onePlus(b, x, 1)));
/** (x² − 1)^−½ */
export const Acosh = unary((b, x) => inverseRoot(b, b.sub(square(b, x), b.scalar(x, 1))));
/** 1 / (1 − x²) */
export const Atanh = unary((b, x) => b.op('Reciprocal', [onePlus(b, x, -1)]));
