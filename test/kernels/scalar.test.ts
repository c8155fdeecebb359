import { acosh, erf, log, pow } from '../../src/kernels/scalar.js';
import { scalars } from '../../src/runtime/scalars.js';
import { expectClose } from '../helpers/close.js';

test('erf agrees with printed values (Abramowitz & Stegun, table 7.1, and mpmath beyond it)', () => {
  const points = [-7, -1e-300, 0, 1e-10, 0.1, 0.5, 1, 2, 2.999, 3, 3.5, 5];
  const values = [
    -1, -1.1283791670955126e-300, 0, 1.1283791670955126e-10, 0.1124629160182849, 0.5204998778130465, 0.8427007929497148, 0.9953222650189527,
    0.9999777698314002, 0.9999779095030014, 0.9999992569016276, 0.9999999999984626,
  ];
  expectClose(points.map(erf), values, { rtol: 4e-15 });
  expect(erf(Number.NaN)).toBeNaN();
  expect(erf(Infinity)).toBe(1);
});

test.each(['sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'sinh', 'cosh', 'tanh', 'asinh', 'atanh', 'log1p', 'expm1', 'exp'] as const)(
  '%s agrees with the engine to a few units in the last place',
  (name) => {
    for (const x of [-0.99, -0.7, -1e-9, 0, 1e-9, 0.1, 0.3, 0.99]) expectClose(scalars()[name](x), Math[name](x), { rtol: 9e-16 });
  },
);

test('acosh, log and pow agree with the engine to a few units in the last place', () => {
  for (const x of [1, 1.5, 10, 1e9]) {
    expectClose(acosh(x), Math.acosh(x), { rtol: 9e-16 });
    expectClose(log(x), Math.log(x), { rtol: 9e-16 });
    expectClose(pow(x, -2.5), x ** -2.5, { rtol: 9e-16 });
  }
});
