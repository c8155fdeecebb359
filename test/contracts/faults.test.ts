// Faults in every area, on the example calls: memory that grows or ends in the middle of a call, arrays on shared or detached memory.
import { jest } from '@jest/globals';
import * as ort from 'onnxruntime-node';
import { numbersOf } from '../../src/bench/agreement.js';
import { AfterpassError, MemoryError } from '../../src/core/errors.js';
import type { TypedArray } from '../../src/core/tensor.js';
import { OnnxModel } from '../../src/onnx/index.js';
import { Arena } from '../../src/runtime/arena.js';
import { Instance, instance } from '../../src/runtime/instance.js';
import { detached, intercept, onSharedMemory } from '../helpers/intercept.js';
import { loadAreas } from './areas.js';
import { ortCalls } from './calls/onnx.js';

type Call = (area: object) => unknown;
const areas = await loadAreas();
const cases = areas.flatMap(({ name, exports, calls = {} }) =>
  Object.entries(calls).map(([key, call]): [string, object, Call] => [`${name}/${key}`, exports, call as Call]),
);
const onModels = Object.entries(ortCalls).map(([key, call]): [string, object, Call] => [
  `OnnxModel/${key}`,
  { OnnxModel },
  (area) => call(area as never, ort as never),
]);

const { arena } = new Instance();
const numbers = async (call: Call, area: object): Promise<number[]> => numbersOf(await call(area), arena);
const alloc = Arena.prototype.alloc;
afterEach(() => jest.restoreAllMocks());

/** Runs the call with the allocations of every arena changed; returns how many there were. */
async function withAlloc(change: (index: number, own: Arena, length: number) => number, work: () => Promise<void>): Promise<number> {
  let count = 0;
  const spy = jest.spyOn(Arena.prototype, 'alloc').mockImplementation(function (this: Arena, type, length) {
    return alloc.call(this, type, change(count++, this, length)) as never;
  });
  try {
    await work();
  } finally {
    spy.mockRestore();
  }
  return count;
}

test.each(cases)('%s gives the same bits when memory grows at every allocation', async (_name, area, call) => {
  const want = await numbers(call, area);
  await withAlloc(
    (index, { memory }, length) => {
      if (index < 200 || index % 100 === 0) memory.grow(0); // detaches every view, as any growth does
      return length;
    },
    async () => expect(await numbers(call, area)).toEqual(want),
  );
});

/** They go on with smaller blocks where memory ends. */
const otherWays = ['compression/group-prune', 'compression/obs-prune', 'compression/parallel-obs-prune', 'mfac/static-mfac'];
const names = /expected room for \d{10,} more bytes \(\d+ in all\), got a limit of 4294967296 bytes/;

test.each(cases)('%s names the size and the limit when memory ends in its middle, and works again', async (name, area, call) => {
  const want = await numbers(call, area);
  const height = instance().arena.mark();
  const all = await withAlloc(
    (_index, _own, length) => length,
    async () => void (await call(area)),
  );
  for (const place of new Set([0, Math.floor(all / 2), all - 1])) {
    if (place < 0 || all === 0) continue;
    let got: unknown;
    await withAlloc(
      (index, _own, length) => (index === place ? 2 ** 33 : length),
      async () =>
        void (await Promise.resolve(area)
          .then(call)
          .catch((error: unknown) => (got = error))),
    );
    if (got === undefined && !otherWays.includes(name)) throw new Error(`${name}: expected a MemoryError at allocation ${place}, got none`);
    if (got !== undefined) expect(got).toBeInstanceOf(MemoryError);
    if (got !== undefined) expect((got as Error).message).toMatch(names);
    expect(instance().arena.mark()).toBe(height);
    expect(await numbers(call, area)).toEqual(want);
  }
});

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
