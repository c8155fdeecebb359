// Memory that threads share: the binary made for it, how threads divide it, and what becomes of it.
import { readFileSync } from 'node:fs';
import { AbortError, MemoryError } from '../../src/core/errors.js';
import { gemm, parallelGemm } from '../../src/linalg/index.js';
import { StaticMfac } from '../../src/mfac/index.js';
import { Arena } from '../../src/runtime/arena.js';
import { ThreadPool } from '../../src/threads/index.js';
import { SharedRooms } from '../../src/threads/rooms.js';
import { importingMemory } from '../../src/threads/shared-kernels.js';

const draws = (length: number) => {
  const out = new Float32Array(length);
  for (let i = 0, state = 1; i < length; i++) out[i] = (state = Math.imul(state, 1664525) + 1013904223) / 2 ** 31;
  return out;
};
const matrix = (rows: number, cols: number) => ({ data: draws(rows * cols), shape: [rows, cols] });
const memory = () => new WebAssembly.Memory({ initial: 4, maximum: 65536, shared: true });
const free = () => new Int32Array(new SharedArrayBuffer(4)).fill(4);

test.each(['simd', 'reference'])('the %s binary rewritten for shared memory imports one and exports what it did', (tier) => {
  const bytes = readFileSync(`build/wasm/${tier}.wasm`);
  const [plain, shared] = [new WebAssembly.Module(bytes), new WebAssembly.Module(importingMemory(bytes) as Uint8Array<ArrayBuffer>)];
  expect(WebAssembly.Module.imports(shared)).toMatchObject([{ module: 'env', name: 'memory', kind: 'memory' }]);
  expect(WebAssembly.Module.exports(shared).map(({ name }) => name)).toEqual(WebAssembly.Module.exports(plain).map(({ name }) => name));
  const made = new WebAssembly.Instance(shared, { env: { memory: memory() } });
  expect((made.exports.heapBase as () => number)()).toBeLessThan(4 * 65536);
  expect(importingMemory(importingMemory(bytes) as Uint8Array)).toBeUndefined();
});

test('rooms of two arenas in one memory never overlap, and released room is used again', () => {
  const [handle, first] = [memory(), free()];
  const arenas = [0, 1].map(() => new Arena(handle, 0, new SharedRooms(handle, first)));
  const round = () => {
    const marks = arenas.map((arena) => arena.mark());
    const blocks = [1000, 70_000, 3, 400_000, 16_368, 0, 90_000].flatMap((length, i) =>
      arenas.map((arena, which) => {
        const block = arena.alloc('f32', length);
        arena.view(block).fill(2 * i + which);
        return { block, arena, value: 2 * i + which };
      }),
    );
    for (const { block, arena, value } of blocks) expect(arena.view(block).every((v) => v === value)).toBe(true);
    for (const [i, arena] of arenas.entries()) arena.release(marks[i] as number);
    return handle.buffer.byteLength;
  };
  const size = round();
  for (let i = 0; i < 5; i++) expect(round()).toBe(size);
});

test('a room beyond the address space is refused by name, and what it would have taken is free again', () => {
  const [handle, first] = [memory(), free()];
  const arena = new Arena(handle, 0, new SharedRooms(handle, first));
  expect(() => arena.alloc('f64', 2 ** 29)).toThrow(MemoryError);
  expect(first[0]).toBe(4);
  expect(arena.view(arena.alloc('f64', 10)).length).toBe(10);
});

test('calls on one pool at the same time take turns in its memory, and each has the result of the call alone', async () => {
  using pool = await ThreadPool.open({ threads: 2, eager: true });
  const factors = [9, 40, 17, 64].map((n) => [matrix(n, n + 3), matrix(n + 3, n)] as const);
  const found = await Promise.all(factors.map(([a, b]) => parallelGemm(a, b, { pool })));
  for (const [i, [a, b]] of factors.entries()) expect(found[i]).toEqual(gemm(a, b));
});

test('after a call that was stopped the next one finds the memory as before', async () => {
  using pool = await ThreadPool.open({ threads: 2, eager: true });
  const [a, b] = [matrix(300, 200), matrix(200, 300)];
  const want = gemm(a, b);
  for (let i = 0; i < 10; i++) {
    const controller = new AbortController();
    const stopped = parallelGemm(a, b, { pool, signal: controller.signal });
    if (i % 2) setTimeout(() => controller.abort());
    else controller.abort();
    await stopped.catch((error) => expect(error).toBeInstanceOf(AbortError));
    expect(Buffer.from((await parallelGemm(a, b, { pool })).data.buffer).equals(Buffer.from(want.data.buffer))).toBe(true);
  }
});

test('1,000 calls do not grow the memory of a pool', async () => {
  using pool = await ThreadPool.open({ threads: 2, eager: true });
  const [a, b] = [matrix(40, 30), matrix(30, 50)];
  const bytes = () => pool.inMemory(async (kept) => kept?.instance.bytes);
  for (let i = 0; i < 10; i++) await parallelGemm(a, b, { pool });
  const before = await bytes();
  for (let i = 0; i < 1000; i++) await parallelGemm(a, b, { pool });
  expect(await bytes()).toBe(before);
});

test('an inverse built on a pool works on after the pool is closed, and refuses what it refused before', async () => {
  const pool = await ThreadPool.open({ threads: 2, eager: true });
  const G = matrix(16, 3001);
  using want = StaticMfac.buildSync(G, { damping: 1e-3, blockSize: 1000 });
  using got = await StaticMfac.build(G, { damping: 1e-3, blockSize: 1000, pool });
  pool.close();
  expect(got.ihvp(G.data.subarray(0, 3001))).toEqual(want.ihvp(G.data.subarray(0, 3001)));
  await expect(StaticMfac.build(G, { pool })).rejects.toThrow(/pool: expected an open pool/);
});
