// Memory that grows or ends in the middle of a call, in every area, on the example calls.
import { jest } from '@jest/globals';
import { MemoryError } from '../../src/core/errors.js';
import { Arena } from '../../src/runtime/arena.js';
import { instance } from '../../src/runtime/instance.js';
import { cases, numbers } from './cases.js';

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
