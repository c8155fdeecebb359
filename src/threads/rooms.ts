// How threads divide one memory: each takes rooms from its end, further ones when it needs more. What a thread has taken it keeps.
import { MemoryError } from '../core/errors.js';
import type { Rooms } from '../runtime/arena.js';
import { mostPages } from './shared-kernels.js';

const page = 65536;
/** Pages of a first room, and the most that a room is longer than asked for. */
const [firstRoom, longest] = [16, 256];

interface Room {
  readonly start: number;
  readonly end: number;
}

/** The rooms of one thread. */
export class SharedRooms implements Rooms {
  readonly #memory: WebAssembly.Memory;
  readonly #free: Int32Array;
  readonly #rooms: Room[] = [];

  /** @param free [1] in shared memory: the first page that no thread has */
  constructor(memory: WebAssembly.Memory, free: Int32Array) {
    this.#memory = memory;
    this.#free = free;
  }

  place(top: number, bytes: number): number {
    const here = this.#rooms.findIndex(({ start, end }) => top >= start && top < end);
    const room = this.#rooms[here];
    // A stack never reaches the end of a room: that is where another may begin.
    if (room && top + bytes < room.end) return top;
    const next = this.#rooms.slice(here + 1).find(({ start, end }) => start + bytes < end);
    return next ? next.start : this.#take(bytes);
  }

  #take(bytes: number): number {
    const last = this.#rooms.at(-1);
    const grown = last ? Math.min(longest, (2 * (last.end - last.start)) / page) : firstRoom;
    const pages = Math.max(Math.ceil((bytes + 64) / page), grown);
    const first = Atomics.add(this.#free, 0, pages);
    const end = (first + pages) * page;
    try {
      if (first + pages > mostPages) throw new RangeError('beyond 32-bit addresses');
      for (let have = this.#memory.buffer.byteLength; have < end; have = this.#memory.buffer.byteLength) {
        this.#memory.grow((end - have) / page);
      }
    } catch {
      Atomics.compareExchange(this.#free, 0, first + pages, first);
      throw new MemoryError(
        `memory: expected room for ${bytes} more bytes (${end} in all), got a limit of ${mostPages * page} bytes; split the data, or free objects with dispose()`,
      );
    }
    this.#rooms.push({ start: first * page, end });
    return first * page;
  }
}
