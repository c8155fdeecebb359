// The elementary functions alone: a binary of a few kilobytes for code that needs no kernel (ONNX graphs, reference evaluation).
export { acos, acosh, asin, asinh, atan, atanh, cos, cosh, erf, exp, expm1, log, log1p, pow, sin, sinh, tan, tanh } from './scalar';
