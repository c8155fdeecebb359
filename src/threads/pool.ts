// A pool of threads, each with an instance of the kernels of its own. Work is split by what it is, never by how many threads there are:
// the results are the same bits on one thread and on many.
import { spawn } from '#threads';
import { checkAborted } from '../core/batches.js';
import { checkFunction, checkInteger, checkMethods } from '../core/check.js';
import { AbortError, DomainError, RuntimeLoadError } from '../core/errors.js';
import { readLong } from '../core/stepper.js';
import { describe } from '../core/tensor.js';
import { capabilities, compiledKernels } from '../runtime/instance.js';
import { fromPlain } from './plain-error.js';
import { openShared, type PoolMemory } from './shared-memory.js';
import type { Thread } from './spawn.js';
import { Buffers, compact, type Reply, type Task } from './task.js';

export interface ThreadPoolOptions {
  /** Threads (as many as the machine has processors). */
  readonly threads?: number;
  /** The worker's script, where a bundler has moved it: a copy of `afterpass/threads/worker`. */
  readonly script?: URL | string;
  /** True sends small work to threads too, where it takes longer than here: for a calling thread that has to stay free (false). */
  readonly eager?: boolean;
  readonly signal?: AbortSignal;
}

/** How one task, or a list of them, is run. */
export interface RunOptions<I> {
  readonly signal?: AbortSignal | undefined;
  /** Arrays of an input that nobody reads afterwards: their memory moves to the thread in place of being copied. */
  readonly move?: (input: I) => readonly ArrayBufferView[];
  /** A memory of the pool to run in: inputs may name blocks of it. The task must be synchronous. */
  readonly memory?: PoolMemory;
}

interface Job {
  readonly task: string;
  readonly input: unknown;
  readonly transfer: ArrayBuffer[];
  readonly memory: PoolMemory | undefined;
  readonly done: Promise<unknown>;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
}

interface Seat {
  readonly thread: Thread;
  readonly jobs: Map<number, Job>;
}

/** Jobs a thread holds at most: one it works on, and the next, so that it never waits for a message. */
const ahead = 2;

/**
 * Threads for work that splits: pass one as `pool` to the functions that take it. Where the runtime has no threads, or refuses to start
 * them, `threads` is 1 and everything runs in the calling thread, with the same results. Idle pools do not keep a process alive.
 */
export class ThreadPool {
  readonly #seats: Seat[];
  readonly #queue: Job[] = [];
  /** Memory for inputs, used again by later calls. */
  readonly buffers = new Buffers();
  readonly #eager: boolean;
  #closed: Error | undefined;
  #next = 0;
  #memories = 0;
  /** The memory that calls use one after the other, and the end of the last of them. */
  #kept: PoolMemory | undefined;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(seats: Seat[], eager = false) {
    if (!Array.isArray(seats)) throw new DomainError('ThreadPool: expected await ThreadPool.open(options), got a call of its constructor');
    this.#seats = seats;
    this.#eager = eager;
  }

  /**
   * Starts threads and waits until they are ready (some 50 ms in Node).
   * @param options `threads` (as many as processors), `script` of the worker where a bundler moved it, `eager` (false), `signal`
   * @throws {DomainError} when `threads` is not a positive integer; {AbortError}
   */
  static async open(options: ThreadPoolOptions = {}): Promise<ThreadPool> {
    const { threads = capabilities().threads, script, eager, signal } = readLong(options);
    checkInteger('threads', threads, 1, 1024);
    checkAborted(signal);
    if (threads === 1) return new ThreadPool([]);
    const pool = new ThreadPool([], eager === true);
    const ready = Array.from({ length: threads }, () => pool.#start(script));
    try {
      const started = await abortable(Promise.all(ready), signal);
      pool.#seats.push(...started.filter((seat) => seat !== undefined));
    } catch (error) {
      for (const seat of await Promise.allSettled(ready)) if (seat.status === 'fulfilled') seat.value?.thread.end();
      if (error instanceof AbortError) throw error;
      return new ThreadPool([]); // no threads here
    }
    return pool;
  }

  /** Threads at work: 1 where everything runs in the calling thread. */
  get threads(): number {
    return Math.max(1, this.#seats.length);
  }

  /** Inputs of a list that are under way at most. */
  get inFlight(): number {
    return ahead * this.threads;
  }

  /** Whether work of `flops` operations goes to threads: from `least` on they gain more than copies and messages cost. */
  takes(flops: number, least: number): boolean {
    this.#check();
    return this.threads > 1 && (this.#eager || flops >= least);
  }

  /**
   * A memory that all threads see, for what works on large blocks in their place; undefined where the runtime has none. Its owner detaches it
   * when the threads are done.
   */
  openMemory(): PoolMemory | undefined {
    this.#check();
    if (this.#seats.length === 0) return undefined;
    const id = this.#memories++;
    const opened = openShared(id);
    if (!opened) return undefined;
    try {
      for (const { thread } of this.#seats) thread.post({ attach: opened.attachment }, []);
    } catch {
      return undefined; // a runtime that does not hand memories to workers
    }
    const detach = (): void => {
      if (!this.#closed) for (const { thread } of this.#seats) thread.post({ detach: id }, []);
    };
    return { id, instance: opened.instance, detach };
  }

  /**
   * Runs `work` on the memory that the pool keeps for calls, or on none where there is no shared memory. One call after the other: what one
   * allocates is released, once no thread uses it any more, before the next begins.
   */
  async inMemory<R>(work: (memory: PoolMemory | undefined) => Promise<R>): Promise<R> {
    checkFunction('work', work);
    this.#check();
    this.#kept ??= this.openMemory();
    const memory = this.#kept;
    if (!memory) return work(undefined);
    const turn = this.#last.then(async () => {
      const mark = memory.instance.arena.mark();
      try {
        return await work(memory);
      } finally {
        for (let i = this.#queue.length - 1; i >= 0; i--) if (this.#queue[i]?.memory === memory) this.#queue.splice(i, 1);
        const running = this.#seats.flatMap(({ jobs }) => [...jobs.values()]).filter((job) => job.memory === memory);
        await Promise.allSettled(running.map(({ done }) => done));
        memory.instance.arena.release(mark);
      }
    });
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Runs one task. @throws what the task throws; {AbortError}; {RuntimeLoadError} when its thread dies; {DomainError} after `close` */
  async run<I, O>(task: Task<I, O>, input: I, options: RunOptions<I> = {}): Promise<O> {
    const { signal, move, memory } = readLong(options);
    if (move) checkFunction('move', move);
    checkMethods('task', task, 'a task', 'run');
    if (task.inPlace && !(memory?.instance && Number.isInteger(memory.id)))
      throw new DomainError(`memory: expected a memory of the pool for the task ${task.name}, got ${describe(memory)}`);
    this.#check();
    checkAborted(signal);
    if (this.#seats.length === 0) return task.run(input);
    const moved = move?.(input) ?? [];
    if (!moved.every((view) => ArrayBuffer.isView(view))) throw new DomainError('move: expected typed arrays of the input, got others');
    const transfer = moved.map((view) => view.buffer as ArrayBuffer);
    let [resolve, reject]: [(result: O) => void, (error: unknown) => void] = [() => {}, () => {}];
    const done = new Promise<O>((...both) => ([resolve, reject] = both));
    const job: Job = { task: task.name, input: compact(input), transfer, memory, done, resolve, reject };
    this.#queue.push(job);
    this.#pump();
    return abortable(done, signal, () => {
      const place = this.#queue.indexOf(job);
      if (place >= 0) this.#queue.splice(place, 1);
    });
  }

  /**
   * Runs a task on many inputs, which are made when a thread is free for them; `each` gets the results in the order of the inputs.
   * @throws as `run`, the first error of any; nothing new is started after it
   */
  async map<I, O>(
    task: Task<I, O>,
    inputs: Iterable<I>,
    each: (result: O, index: number) => void,
    options: RunOptions<I> = {},
  ): Promise<void> {
    checkMethods('inputs', inputs, 'an iterable', Symbol.iterator);
    checkFunction('each', each);
    const inline = this.#seats.length === 0;
    const waiting: Promise<O>[] = [];
    let index = 0;
    const settle = async (): Promise<void> => each(await (waiting.shift() as Promise<O>), index++);
    for (const input of inputs) {
      const result = this.run(task, input, options);
      result.catch(() => {}); // an error is thrown when its turn comes
      waiting.push(result);
      if (waiting.length >= this.inFlight || inline) await settle();
      if (inline) await new Promise((resolve) => setTimeout(resolve));
    }
    while (waiting.length) await settle();
  }

  /** Ends the threads; work under way is refused. Closing twice is harmless. */
  close(): void {
    if (!this.#closed) this.#end(new DomainError('pool: expected an open pool, got one after close()'));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #check(): void {
    if (this.#closed) throw this.#closed;
  }

  #end(error: Error): void {
    this.#closed = error;
    const lost = [...this.#queue.splice(0), ...this.#seats.flatMap(({ jobs }) => [...jobs.values()])];
    for (const { thread } of this.#seats) thread.end();
    for (const job of lost) job.reject(error);
  }

  /** A thread that has said it is ready and has the kernels in use here. */
  #start(script: URL | string | undefined): Promise<Seat | undefined> {
    return new Promise((resolve, reject) => {
      let seat: Seat | undefined;
      const reply = (message: Reply): void => {
        if (message.id >= 0) {
          this.#answer(seat as Seat, message);
          return;
        }
        try {
          thread?.post(compiledKernels(), []);
        } catch {
          // A runtime that does not copy modules between threads: the worker compiles its own.
        }
        thread?.busy(false);
        seat = { thread: thread as Thread, jobs: new Map() };
        resolve(seat);
      };
      const fail = (reason: string): void => {
        const error = new RuntimeLoadError(`threads: expected a worker at work, got one that ended (${reason})`);
        if (seat && !this.#closed) this.#end(error);
        else thread?.end();
        reject(error);
      };
      let thread: Thread | undefined;
      try {
        thread = spawn({ reply, fail }, script);
      } catch (error) {
        fail(String(error));
      }
      if (!thread) reject(new RuntimeLoadError('threads: this runtime has none'));
    });
  }

  #answer(seat: Seat, { id, result, error }: Reply): void {
    const job = seat.jobs.get(id);
    seat.jobs.delete(id);
    if (seat.jobs.size === 0) seat.thread.busy(false);
    if (error) job?.reject(fromPlain(error));
    else job?.resolve(result as never);
    this.#pump();
  }

  #pump(): void {
    for (let held = 0; held < ahead; held++) {
      for (const seat of this.#seats) {
        if (seat.jobs.size > held) continue;
        const job = this.#queue.shift();
        if (!job) return;
        const id = this.#next++;
        seat.jobs.set(id, job);
        seat.thread.busy(true);
        try {
          const { task, input, memory } = job;
          const place = memory && { memory: memory.id, bytes: memory.instance.bytes };
          seat.thread.post({ id, task, input, place }, job.transfer);
        } catch (error) {
          seat.jobs.delete(id);
          job.reject(
            new DomainError(`input: expected numbers, strings, typed arrays, and records and lists of them (${String(error)})`, {
              cause: error,
            }),
          );
        }
      }
    }
  }
}

/** The promise, or an AbortError as soon as the signal fires. */
function abortable<R>(promise: Promise<R>, signal: AbortSignal | undefined, stop: () => void = () => {}): Promise<R> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      stop();
      reject(new AbortError(signal.reason));
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
