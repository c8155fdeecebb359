// The programs of one model, and the queue that their runs stand in.
import { DomainError } from '../core/errors.js';
import type { Tensor } from '../core/tensor.js';
import type { Model } from './graph.js';
import type { Parts } from './opening.js';
import { type Parameters, Program, type WeightForm } from './program.js';
import type { Feed } from './session.js';

/** Makes one graph of a model, with the weights to bake in it or as inputs. */
export type Make = (form: WeightForm, model: Model) => Model;

/** Keeps one program for every key and runs them one after another, since a program changes its sessions between runs. */
export class Programs {
  readonly #parts: Parts;
  readonly #programs = new Map<string, Program>();
  #queue: Promise<unknown> = Promise.resolve();
  #disposed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** True once the reference evaluator had to run one of them. */
  get useReference(): boolean {
    return [...this.#programs.values()].some((program) => program.usesReference);
  }

  /** The program of a key, made when it is first asked for. @throws {DomainError} after dispose() */
  program(key: string, make: Make, threads = this.#parts.threads, form = this.#parts.form): Program {
    if (this.#disposed) throw new DomainError('model: expected a model in use, got one after dispose()');
    let program = this.#programs.get(key);
    if (!program) {
      program = new Program(make, { ...this.#parts, threads, form });
      this.#programs.set(key, program);
    }
    return program;
  }

  /** Runs a program after the runs that were asked for before. */
  run(program: Program, parameters: Parameters, feeds: Readonly<Record<string, Feed>>): Promise<Record<string, Tensor>> {
    const run = this.#queue.then(() => program.run(parameters, feeds));
    this.#queue = run.catch(() => undefined);
    return run;
  }

  /** Releases every session, after the runs that are under way. */
  dispose(): void {
    this.#disposed = true;
    const programs = [...this.#programs.values()];
    this.#programs.clear();
    this.#queue = this.#queue.then(async () => {
      for (const program of programs) await program.release();
    });
  }
}
