import { sgd } from '../../src/optimizers/index.js';
import { expectClose } from '../helpers/close.js';
import { descend } from './problem.js';

test.each([
  [{ learningRate: 0.05, momentum: 0.9, weightDecay: 0.01 }, [-0.07847307194113991, 0.4701484803508569, -0.3433126000728346]],
  [{ learningRate: 0.05, momentum: 0.9, nesterov: true }, [-0.09437928053079471, 0.47533402326991697, -0.20572838073249217]],
])('seven steps with %j end where PyTorch 1.13 ends', (options, want) => {
  expectClose(descend(sgd(options)), want, { rtol: 1e-12 });
});

test('without momentum a step is the learning rate times the gradient', () => {
  const params = Float64Array.of(1, 2);
  const optimizer = sgd({ learningRate: 0.5 });
  optimizer.step(params, Float64Array.of(2, -4), optimizer.init(params));
  expect([...params]).toEqual([0, 4]);
});

test('update is the step that step takes, and changes nothing', () => {
  const optimizer = sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.2 });
  const params = Float64Array.of(1, -2, 3);
  const grads = Float64Array.of(0.5, 0.25, -1);
  const state = optimizer.init(params);
  optimizer.step(params, grads, state);
  const before = structuredClone({ params, grads, state });
  const { updates, state: after } = optimizer.update(grads, state, params);
  expect({ params, grads, state }).toEqual(before);
  const moved = params.map((w, i) => w + (updates[i] as number));
  optimizer.step(params, grads, state);
  expectClose(moved, params, { rtol: 1e-15 });
  expect(after).toEqual(state);
});

test.each([
  [{ momentum: 1.5 }, /momentum: expected a number from 0 to 1, got 1.5/],
  [{ learningRate: -1 }, /learningRate: expected a number >= 0/],
])('%j is refused by name', (options, message) => expect(() => sgd(options)).toThrow(message));
