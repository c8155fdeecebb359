// What every method of the area says when it is called with nothing, and when iterations are no whole number.
import * as transport from '../../src/transport/index.js';

const { sinkhorn, sinkhornPartial, sinkhornUnbalanced } = transport;

test.each([
  'sinkhorn',
  'sinkhornUnbalanced',
  'sinkhornPartial',
  'sinkhornDivergence',
  'sinkhornBatch',
  'sinkhornBarycenter',
  'emd',
  'assignment',
  'minibatchCoupling',
  'graphMatching',
  'wasserstein1d',
  'slicedWasserstein',
  'maxSlicedWasserstein',
  'buresWasserstein',
  'progressivePartial',
  'adversarialAdaptiveSampler',
  'dirichletMaxDensity',
] as const)('%s without a problem says what it expects', (name) => {
  for (const nothing of [undefined, null]) {
    const call = transport[name] as unknown as (problem: unknown) => unknown;
    expect(() => call(nothing)).toThrow(/^(problem|problems|options|x): expected .*(\{|matrix)/);
  }
});

test.each([1.5, -1, NaN])('maxIterations %p is refused by name, before any work', (maxIterations) => {
  const cost = [0, 1, 1, 0];
  const message = /maxIterations: expected an integer >= 0/;
  expect(() => sinkhorn({ cost }, { maxIterations })).toThrow(message);
  expect(() => sinkhornUnbalanced({ cost }, { maxIterations })).toThrow(message);
  expect(() => sinkhornPartial({ cost }, { mass: 0.5, maxIterations })).toThrow(message);
});
