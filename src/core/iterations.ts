// `onIteration`: read, and told over several solves.
import { asRecord, checkFunction } from './check.js';

/** What a solver tells after an iteration; false stops it. */
export type OnIteration<I extends { readonly iteration: number } = { readonly iteration: number; readonly error: number }> = (
  info: I,
) => unknown;

/** The options of an iterative solver. @throws {DomainError} when they are no object (`fields` is what it asks for) or onIteration is no function */
export function readIterative<T extends { readonly onIteration?: ((info: never) => unknown) | undefined }>(options: T, fields?: string): T {
  const { onIteration } = asRecord('options', options, fields);
  if (onIteration) checkFunction('onIteration', onIteration);
  return options;
}

/** Iterations of solves in turn, counted on. Once the caller has said false, every later solve ends at its first iteration, untold. */
export class Iterations<I extends { readonly iteration: number }> {
  readonly #tell: OnIteration<I> | undefined;
  #before = 0;
  #last = 0;
  #stopped = false;

  constructor(tell: OnIteration<I> | undefined) {
    this.#tell = tell;
  }

  /** True once the caller has said false. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** The option of the next solve: nothing where the caller does not listen. */
  next(): { onIteration?: (info: I) => boolean } {
    const tell = this.#tell;
    if (!tell) return {};
    this.#before += this.#last;
    this.#last = 0;
    return {
      onIteration: (info) => {
        if (this.#stopped) return false;
        this.#last = info.iteration;
        this.#stopped = tell({ ...info, iteration: this.#before + info.iteration }) === false;
        return !this.#stopped;
      },
    };
  }
}
