// One graph made from a model (its forward pass, its gradient, …) in the two forms it can run in, and the choice between them.
import { GraphError } from '../core/errors.js';
import { EvaluatedGraph, lacksDoubleKernel, type Runner } from './evaluated.js';
import type { Model } from './graph.js';
import { unsupportedOps } from './import.js';
import type { LoadedOrt } from './ort-types.js';
import { type Feed, Session } from './session.js';

/** `baked`: weights are constants of the graph, fast to run; `live`: weights are inputs, free to change. */
export type WeightForm = 'baked' | 'live';

/** The parameters at one moment. A new set of values has a new version. */
export interface Parameters {
  readonly version: number;
  /** As initializers of the model, for the baked form. */
  bake(): Model;
  /** As inputs, for the live form. */
  feeds(): Readonly<Record<string, Feed>>;
}

/** Calls on unchanged parameters after which a new session is worth its few milliseconds. */
const worthBaking = 3;

/** One graph of a model in its two forms, each opened when it is first chosen. */
export class Program {
  readonly #make: (form: WeightForm, model: Model) => Model;
  readonly #settings: { ort: LoadedOrt; threads: number | undefined; form: WeightForm | undefined };
  #live: Runner | undefined;
  #baked: { session: Runner; version: number } | undefined;
  #version = -1;
  #calls = 0;
  #callsBefore = Infinity;

  /** @param make the graph in one form, from the model with the weights to bake */
  constructor(
    make: (form: WeightForm, model: Model) => Model,
    settings: { ort: LoadedOrt; threads: number | undefined; form: WeightForm | undefined },
  ) {
    this.#make = make;
    this.#settings = settings;
  }

  /** True once the reference evaluator had to run this graph: ONNX Runtime has no double kernel for it. */
  get usesReference(): boolean {
    return this.#live instanceof EvaluatedGraph || this.#baked?.session instanceof EvaluatedGraph;
  }

  /** Runs the graph with these parameters; calls must not overlap. */
  async run(parameters: Parameters, feeds: Readonly<Record<string, Feed>>) {
    this.#count(parameters.version);
    if (this.#choose(parameters.version) === 'live') {
      this.#live ??= await this.#open('live', parameters);
      return this.#live.run({ ...parameters.feeds(), ...feeds });
    }
    if (this.#baked?.version !== parameters.version) {
      const old = this.#baked;
      this.#baked = undefined;
      await old?.session.release();
      this.#baked = { session: await this.#open('baked', parameters), version: parameters.version };
    }
    return this.#baked.session.run(feeds);
  }

  #count(version: number): void {
    if (version !== this.#version) {
      this.#callsBefore = this.#version < 0 ? Infinity : this.#calls;
      this.#version = version;
      this.#calls = 0;
    }
    this.#calls++;
  }

  /** Baked until parameters change after a call or two, as in training; baked again when they stay. */
  #choose(version: number): WeightForm {
    if (this.#settings.form) return this.#settings.form;
    if (this.#baked?.version === version) return 'baked';
    return this.#callsBefore >= worthBaking || this.#calls > worthBaking ? 'baked' : 'live';
  }

  async #open(form: WeightForm, parameters: Parameters): Promise<Runner> {
    const { ort, threads } = this.#settings;
    const model = parameters.bake();
    let made: Model | undefined;
    try {
      made = this.#make(form, model);
      return await Session.open(ort, made, { threads });
    } catch (cause) {
      if (made && lacksDoubleKernel(made, cause)) return new EvaluatedGraph(made);
      // What ONNX Runtime does not know either is named as afterpass names it.
      const unknown = unsupportedOps(model);
      if (!unknown.length || cause instanceof GraphError) throw cause;
      const all = unknown.map(({ domain, op, node }) => `${domain ? `${domain}.` : ''}${op} (${node})`);
      throw new GraphError(`model: expected operators that ${ort.name} runs, got ${all.join(', ')}`, { ...unknown[0], all }, { cause });
    }
  }

  /** Releases both sessions. */
  async release(): Promise<void> {
    const sessions = [this.#live, this.#baked?.session];
    this.#live = this.#baked = undefined;
    for (const session of sessions) await session?.release();
  }
}
