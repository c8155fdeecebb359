import fc from 'fast-check';
import { adam } from '../../src/optimizers/index.js';
import { expectClose } from '../helpers/close.js';
import { descend } from './problem.js';

test.each([
  [{ learningRate: 0.1 }, [0.32887320396462816, -1.3049066698540763, -0.10826850394333518]],
  [
    { learningRate: 0.1, weightDecay: 0.05, beta1: 0.8, beta2: 0.95, epsilon: 1e-6 },
    [0.3175061586017771, -1.2498077744109595, -0.0880797693766793],
  ],
])('seven steps with %j end where PyTorch 1.13 (Adam, AdamW) ends', (options, want) => {
  expectClose(descend(adam(options)), want, { rtol: 1e-13 });
});

test('the first step is the learning rate times the sign of the gradient', () => {
  const params = new Float64Array(3);
  const optimizer = adam({ learningRate: 0.25, epsilon: 1e-300 });
  optimizer.step(params, Float64Array.of(1e-9, -3, 1e9), optimizer.init(params));
  expectClose(params, [-0.25, 0.25, -0.25], { rtol: 1e-12 });
});

const vectors = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 1, maxLength: 9 });
test('update is the step that step takes, and changes nothing', () =>
  fc.assert(
    fc.property(vectors, (values) => {
      const optimizer = adam({ learningRate: (t) => 0.1 / (t + 1), weightDecay: 0.1 });
      const params = Float64Array.from(values);
      const grads = params.map((v) => Math.sin(v) + 0.5);
      const state = optimizer.init(params);
      optimizer.step(params, grads, state); // so that the moments are not zero
      const before = structuredClone({ params, grads, state });
      const { updates, state: after } = optimizer.update(grads, state, params);
      expect({ params, grads, state }).toEqual(before);
      const moved = params.map((w, i) => w + (updates[i] as number));
      optimizer.step(params, grads, state);
      expectClose(moved, params, { rtol: 1e-15, atol: 1e-13 });
      expect(after).toEqual(state);
    }),
  ));

test.each([
  [{ learningRate: NaN }, /learningRate: expected a number >= 0/],
  [{ beta1: 1 }, /beta1: expected a number from 0/],
  [{ epsilon: 0 }, /epsilon: expected a number > 0/],
])('%j is refused by name', (options, message) => expect(() => adam(options)).toThrow(message));

test('gradients of another length or precision are refused', () => {
  const optimizer = adam();
  const params = new Float32Array(3);
  const state = optimizer.init(params);
  expect(() => optimizer.step(params, new Float32Array(2), state)).toThrow(/grads: expected 3 elements, got 2/);
  expect(() => optimizer.step(params, new Float64Array(3), state)).toThrow(/grads: expected a Float32Array, got a Float64Array/);
});
