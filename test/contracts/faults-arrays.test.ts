// Arrays on shared or detached memory, in every area, on the example calls.
import { AfterpassError } from '../../src/core/errors.js';
import type { TypedArray } from '../../src/core/tensor.js';
import { detached, intercept, onSharedMemory } from '../helpers/intercept.js';
import { cases, numbers, onModels } from './cases.js';

test.each([...cases, ...onModels])('%s gives the same bits on shared memory, or refuses it by name', async (_name, area, call) => {
  const want = await numbers(call, area);
  const shared = intercept(area, onSharedMemory);
  let got: number[] | undefined;
  try {
    got = await numbers(call, shared.area);
  } catch (error) {
    expect(error).toBeInstanceOf(AfterpassError);
    expect((error as Error).message).toMatch(/shared/i);
  }
  if (got) expect(got).toEqual(want);
});

test.each([...cases, ...onModels])('%s refuses detached arrays by name, and works again', async (name, area, call) => {
  const ownModel = name.startsWith('curvature/'); // written by hand in the calls: it reads batches itself
  const want = await numbers(call, area);
  const plain = intercept(area, (array) => array);
  await call(plain.area);
  for (let place = 0; place < Math.min(plain.count(), 12); place++) {
    const torn = intercept(area, (array: TypedArray, index, path) =>
      index === place && array.length && !(ownModel && /\.[xy](\.|$)/.test(path)) ? detached(array) : array,
    );
    let got: unknown;
    let result: number[] = [];
    try {
      result = await numbers(call, torn.area);
    } catch (error) {
      got = error;
    }
    // Some arrays are never read: places, whose length was known, or inputs that a model of the caller's making leaves aside.
    if (got === undefined) expect([place, result]).toEqual([place, want]);
    else
      expect([place, got instanceof AfterpassError ? got.message : String((got as Error).stack)]).toEqual([
        place,
        expect.stringMatching(/^\S.*: expected /),
      ]);
  }
  expect(await numbers(call, area)).toEqual(want);
});
