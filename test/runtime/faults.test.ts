// What may go wrong around WebAssembly memory, and that the instance survives it.
import { MemoryError, RuntimeLoadError, ShapeError } from '../../src/core/errors.js';
import { dot } from '../../src/kernels/dot.js';
import { slice } from '../../src/runtime/arena.js';
import { capabilities, Instance, init, instance, withArena } from '../../src/runtime/instance.js';
import { randomF32 } from '../helpers/close.js';

const product = () => withArena((arena) => dot(arena.put(randomF32(100, 1)), arena.put(randomF32(100, 2))));

test('memory that grows between two allocations keeps what handles point to', () => {
  new Instance().run((arena) => {
    const first = arena.put(Float32Array.of(1, 2, 3));
    const view = arena.view(first);
    const before = arena.memory.buffer;
    arena.alloc('f64', 1_000_000);
    expect(arena.memory.buffer).not.toBe(before);
    expect(view.length).toBe(0); // the old view is detached, the handle is not
    expect(Array.from(arena.view(first))).toEqual([1, 2, 3]);
  });
});

test('an allocation beyond 4 GiB names the size asked for and the limit, and the instance stays usable', () => {
  const want = product();
  const ask = () => withArena((arena) => arena.alloc('f64', 2 ** 30));
  expect(ask).toThrow(MemoryError);
  expect(ask).toThrow(/memory: expected room for 8589934592 more bytes .* got a limit of 4294967296 bytes/);
  expect(product()).toBe(want);
});

test('blocks are released when the work throws', () => {
  const { arena } = instance();
  const height = arena.mark();
  expect(() =>
    withArena((inner) => {
      inner.alloc('f32', 1000);
      throw new Error('stop');
    }),
  ).toThrow('stop');
  expect(arena.mark()).toBe(height);
});

test('work that returns a promise is refused: an arena must not span an await', () => {
  expect(() => withArena(async () => 1)).toThrow(RuntimeLoadError);
});

test('nested work on two instances keeps both memories apart', () => {
  const other = new Instance();
  const kept = other.keep((arena) => arena.put(Float32Array.of(5)));
  const [outer, inner] = withArena((arena) => {
    const x = arena.put(Float32Array.of(3));
    const square = other.run((second) => dot(second.put(Float32Array.of(2)), kept));
    return [dot(x, x), square];
  });
  expect([outer, inner]).toEqual([9, 10]);
});

test('a detached array is refused or empty, never read', () => {
  const x = Float32Array.of(1, 2, 3);
  structuredClone(x, { transfer: [x.buffer] });
  expect(withArena((arena) => arena.put(x).length)).toBe(0);
});

test('an array on shared memory is copied like any other', () => {
  const x = new Float32Array(new SharedArrayBuffer(12));
  x.set([1, 2, 3]);
  expect(withArena((arena) => dot(arena.put(x), arena.put(x)))).toBe(14);
});

test('a slice beyond its block is refused', () => {
  withArena((arena) => {
    expect(() => slice(arena.zeros('f32', 4), 2, 3)).toThrow(ShapeError);
  });
});

test('init takes bytes and modules, and refuses what is neither', async () => {
  const { readFileSync } = await import('node:fs');
  await expect(init(new Uint8Array([1, 2, 3]))).rejects.toThrow(/source: expected a WebAssembly.Module/);
  await init(new Uint8Array(readFileSync('build/wasm/reference.wasm')));
  expect(capabilities().build).toBe('custom');
  const plain = product();
  await init({ relaxed: false });
  expect(capabilities().build).toBe('simd');
  expect(product()).toBeCloseTo(plain, 4);
});
