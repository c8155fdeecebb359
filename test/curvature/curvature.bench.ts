import { bench, randomF32 } from '../../src/bench/case.js';
import { fisherOperator, hessianOperator, samSharpness, spectralDensity, topEigenvalues, trace } from '../../src/curvature/index.js';
import { DenseModel } from '../../src/dense/index.js';

/** A tanh network of width 32 on `batch` samples, and its Hessian: what the Krylov methods cost with their products. */
function problem(batch: number) {
  const width = 32;
  const model = DenseModel.create({
    layers: [width, 10].map((outputs, l) => ({
      weight: { data: randomF32(outputs * width, l + 1).map((x) => x / Math.sqrt(width)), shape: [outputs, width] },
      bias: new Float32Array(outputs),
      activation: l ? ('identity' as const) : ('tanh' as const),
    })),
    loss: 'cross-entropy',
  });
  const data = { x: { data: randomF32(batch * width, 9), shape: [batch, width] }, y: Int32Array.from({ length: batch }, (_, i) => i % 10) };
  return { model, data, op: hessianOperator(model, data) };
}

const sizes = [[256]];
const axes = ['samples'];

export default [
  bench('topEigenvalues(3) of a Hessian', {
    sizes,
    axes,
    open: ([n = 0]) => {
      const { op } = problem(n);
      return async () => (await topEigenvalues(op, { k: 3 })).values;
    },
  }),
  bench('trace of a Hessian, hutchinson, 10 probes', {
    sizes,
    axes,
    open: ([n = 0]) => {
      const { op } = problem(n);
      return async () => (await trace(op, { method: 'hutchinson', probes: 10 })).estimate;
    },
  }),
  bench('spectralDensity of a Hessian, 2 probes of 20 steps', {
    sizes,
    axes,
    open: ([n = 0]) => {
      const { op } = problem(n);
      return async () => (await spectralDensity(op, { probes: 2, steps: 20 })).density;
    },
  }),
  bench('samSharpness', {
    sizes,
    axes,
    open: ([n = 0]) => {
      const { model, data } = problem(n);
      return async () => (await samSharpness(model, data)).sharpness;
    },
  }),
  bench('fisherOperator.apply', {
    sizes: [[128, 50_000]],
    axes: ['m', 'd'],
    bytes: ([m = 0, d = 0]) => 8 * m * d, // the gradients twice
    footprint: ([m = 0, d = 0]) => 4 * m * d,
    open: ([m = 0, d = 0]) => {
      const op = fisherOperator({ data: randomF32(m * d, 1), shape: [m, d] }, { damping: 1e-3 });
      const [v, out] = [randomF32(d, 2), new Float32Array(d)];
      return () => {
        op.apply(v, out);
        return out;
      };
    },
  }),
];
