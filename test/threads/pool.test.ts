import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { jest } from '@jest/globals';
import { AbortError, DomainError, MemoryError, ShapeError } from '../../src/core/errors.js';
import { gemmTask, parallelGemm } from '../../src/linalg/parallel-gemm.js';
import { capabilities } from '../../src/runtime/instance.js';
import { ThreadPool } from '../../src/threads/index.js';
import { fromPlain, toPlain } from '../../src/threads/plain-error.js';
import { Buffers, buffersOf, compact, task } from '../../src/threads/task.js';
import { sinkhornTask } from '../../src/transport/parallel-sinkhorn-batch.js';

const product = (n: number) => ({
  a: new Float64Array(n * n).fill(1),
  b: new Float64Array(n * n).fill(2),
  m: n,
  n,
  k: n,
  alpha: 1,
  transA: false,
  transB: false,
});

test('a pool has the threads asked for, as many as processors by default, and one where one is asked for', async () => {
  for (const threads of [1, 2, 3]) {
    using pool = await ThreadPool.open({ threads });
    expect(pool.threads).toBe(threads);
  }
  using pool = await ThreadPool.open();
  expect(pool.threads).toBe(capabilities().threads);
});

test('small work stays in the calling thread unless the pool is eager; one thread takes none', async () => {
  using pool = await ThreadPool.open({ threads: 2 });
  using eager = await ThreadPool.open({ threads: 2, eager: true });
  using one = await ThreadPool.open({ threads: 1, eager: true });
  expect([9, 10].map((work) => pool.takes(work, 10))).toEqual([false, true]);
  expect([9, 10].map((work) => eager.takes(work, 10))).toEqual([true, true]);
  expect(one.takes(10, 10)).toBe(false);
  const small = { data: new Float64Array(4).fill(2), shape: [2, 2] };
  const spy = jest.spyOn(pool, 'map');
  expect((await parallelGemm(small, small, { pool })).data).toEqual(new Float64Array(4).fill(8));
  expect(spy).not.toHaveBeenCalled();
});

test.each([0, 1.5, NaN, -1, 2000])('%p threads are refused by name', async (threads) => {
  await expect(ThreadPool.open({ threads })).rejects.toThrow(/threads: expected an integer/);
});

test.each([1, 2, 3])('on %i threads results come in the order of the inputs, whichever is ready first', async (threads) => {
  using pool = await ThreadPool.open({ threads });
  const seen: [number, number][] = [];
  const sizes = [64, 1, 32, 2, 1, 16, 3];
  await pool.map(
    gemmTask,
    sizes.map(product),
    (c, index) => {
      seen.push([index, c[0] as number]);
    },
    {},
  );
  expect(seen).toEqual(sizes.map((n, i) => [i, 2 * n]));
});

test('inputs are made when a thread is about to be free for them, not all at once', async () => {
  using pool = await ThreadPool.open({ threads: 2 });
  let made = 0;
  let done = 0;
  let most = 0;
  function* inputs() {
    for (; made < 40; most = Math.max(most, ++made - done)) yield product(2);
  }
  await pool.map(gemmTask, inputs(), () => done++);
  expect(done).toBe(40);
  expect(most).toBeLessThanOrEqual(5);
});

test.each([1, 2])('an error inside a task comes back as the class it had, by name, and the pool of %i works on', async (threads) => {
  using pool = await ThreadPool.open({ threads });
  const wrong = { chains: [[{ cost: [0, 1, 1, 0] }]], options: { epsilon: -1 } };
  const failure = pool.run(sinkhornTask, wrong);
  await expect(failure).rejects.toThrow(DomainError);
  await expect(failure).rejects.toThrow(/epsilon: expected a number > 0/);
  expect((await pool.run(gemmTask, product(2)))[0]).toBe(4);
});

test('the first error of many ends the list', async () => {
  using pool = await ThreadPool.open({ threads: 2 });
  const inputs = [0.5, -1, 0.5].map((epsilon) => ({ chains: [[{ cost: [0, 1, 1, 0] }]], options: { epsilon } }));
  const found: number[] = [];
  await expect(pool.map(sinkhornTask, inputs, (_, i) => found.push(i))).rejects.toThrow(/epsilon/);
  expect(found).toEqual([0]);
});

test('an unknown task is refused by its name', async () => {
  using pool = await ThreadPool.open({ threads: 2 });
  await expect(
    pool.run(
      task('nothing', () => 1),
      0,
    ),
  ).rejects.toThrow(/task: expected one of gemm, .* got 'nothing'/);
});

test.each([1, 2])('a signal stops a list on %i threads before its next input, and the pool works on', async (threads) => {
  using pool = await ThreadPool.open({ threads });
  const controller = new AbortController();
  let made = 0;
  function* inputs() {
    for (; made < 1000; made++) yield product(8);
  }
  const work = pool.map(gemmTask, inputs(), (_, i) => void (i === 3 && controller.abort('enough')), { signal: controller.signal });
  await expect(work).rejects.toThrow(AbortError);
  expect(made).toBeLessThan(20);
  await expect(pool.run(gemmTask, product(2), { signal: controller.signal })).rejects.toThrow(AbortError);
  expect((await pool.run(gemmTask, product(2)))[0]).toBe(4);
  await expect(ThreadPool.open({ threads: 2, signal: controller.signal })).rejects.toThrow(AbortError);
});

test('closing refuses work under way and later work by name; closing twice is harmless', async () => {
  const pool = await ThreadPool.open({ threads: 2 });
  const running = pool.run(gemmTask, product(64));
  pool.close();
  pool.close();
  await expect(running).rejects.toThrow(/pool: expected an open pool, got one after close\(\)/);
  await expect(pool.run(gemmTask, product(2))).rejects.toThrow(/pool: expected an open pool/);
});

test('a pool whose script cannot be loaded works in the calling thread', async () => {
  using pool = await ThreadPool.open({ threads: 2, script: pathToFileURL('nowhere.js') });
  expect(pool.threads).toBe(1);
  expect((await pool.run(gemmTask, product(2)))[0]).toBe(4);
});

test('a thread that dies fails the work under way and the pool by name', async () => {
  const script = new URL(
    `data:text/javascript,import { parentPort as p } from 'node:worker_threads'; p.on('message', (m) => 'task' in m && process.exit(7)); p.postMessage({ id: -1 });`,
  );
  using pool = await ThreadPool.open({ threads: 2, script });
  expect(pool.threads).toBe(2);
  await expect(pool.run(gemmTask, product(2))).rejects.toThrow(/threads: expected a worker at work, got one that ended \(exit 7\)/);
  await expect(pool.run(gemmTask, product(2))).rejects.toThrow(/got one that ended/);
});

test('an idle pool that nobody closed lets the process end', () => {
  const script = `
    import { ThreadPool } from './build/src/threads/index.js';
    import { parallelGemm } from './build/src/linalg/index.js';
    const pool = await ThreadPool.open({ threads: 2 });
    const one = { data: Float64Array.of(3), shape: [1, 1] };
    console.log((await parallelGemm(one, one, { pool })).data[0]);`;
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', timeout: 30_000 });
  expect({ status, stdout }).toEqual({ status: 0, stdout: '9\n' });
});

test('parts of larger buffers are cut out before they are sent, shared and whole arrays are sent as they are', () => {
  const whole = Float32Array.of(1, 2, 3, 4);
  const shared = new Float32Array(new SharedArrayBuffer(16)).subarray(1, 3);
  const [one, two, { three }] = compact([whole, whole.subarray(1, 3), { three: shared }]) as [
    Float32Array,
    Float32Array,
    { three: unknown },
  ];
  expect(one).toBe(whole);
  expect(three).toBe(shared);
  expect([...two]).toEqual([2, 3]);
  expect(two.buffer.byteLength).toBe(8);
  expect([...buffersOf({ whole, list: [shared, 5, null] })]).toEqual([whole.buffer]);
});

test('buffers are used again', () => {
  const buffers = new Buffers();
  const first = buffers.take('float32', 100);
  buffers.give(first);
  const again = buffers.take('float64', 50);
  expect(again.buffer).toBe(first.buffer);
  expect(buffers.take('float32', 10).buffer).not.toBe(first.buffer);
});

test('errors keep class, message and name as data', () => {
  for (const error of [new ShapeError('a: b'), new MemoryError('c'), new RangeError('d')]) {
    const again = fromPlain(toPlain(error));
    expect([again.name, again.message]).toEqual([error.name, error.message]);
  }
  expect(fromPlain(toPlain(new ShapeError('x')))).toBeInstanceOf(ShapeError);
  expect(toPlain('text').message).toBe('text');
});
