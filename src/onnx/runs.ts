// The graphs of one opened model: which there are, what they are fed, and the queue that they run in.
import { samplesOf, takeSamples } from '../core/batches.js';
import { GraphError } from '../core/errors.js';
import type { Batch, Inputs, ParameterSlot } from '../core/model-types.js';
import { type FloatArray, floats, type Precision, sizeOf, type Tensor } from '../core/tensor.js';
import { type DerivativeOptions, ggnModel, gradientModel, hvpModel, jvpModel, productHalves, vjpModel } from './derivatives.js';
import { convert, readInputs } from './feeds.js';
import { forwardOf, lossOf } from './forward.js';
import type { Model, ValueInfo } from './graph.js';
import { KeptProducts, type Product } from './kept-products.js';
import { lossFeeds } from './labels.js';
import type { Parts } from './opening.js';
import { perSampleGradientModel } from './per-sample.js';
import type { Parameters, Program, WeightForm } from './program.js';
import { type Make, Programs } from './programs.js';
import type { Feed } from './session.js';
import type { Halves } from './split.js';

/** Makes the derived graphs of a model when they are first asked for, and runs them one after another. */
export class Runs {
  readonly precision: Precision;
  readonly #parts: Parts;
  readonly #programs: Programs;
  readonly #kept = new KeptProducts();
  readonly #halves = new WeakMap<Model, Map<string, Halves>>();
  #rowsInOneRun = true;
  readonly #logitShapes = new Map<string, readonly number[]>();

  constructor(parts: Parts, precision: Precision) {
    this.#parts = parts;
    this.precision = precision;
    this.#programs = new Programs(parts);
  }

  /** True once the reference evaluator had to run one of the graphs. */
  get usesReference(): boolean {
    return this.#programs.useReference;
  }

  get inputs(): readonly ValueInfo[] {
    return this.#parts.model.graph.feeds;
  }

  /** The program of a key, made when it is first asked for. */
  program(key: string, make: Make, threads?: number): Program {
    return threads === undefined ? this.#programs.program(key, make) : this.#programs.program(key, make, threads);
  }

  /** Runs a program after the runs that were asked for before. */
  run(program: Program, parameters: Parameters, feeds: Readonly<Record<string, Feed>>): Promise<Record<string, Tensor>> {
    return this.#programs.run(program, parameters, feeds);
  }

  /** Releases every session, after the runs that are under way. */
  dispose(): void {
    this.#programs.dispose();
  }

  /** Names of the parameters, in the order of the layout. */
  names(): string[] {
    return this.#parts.layout.map(({ name }) => name);
  }

  /** What every derived graph of the model is asked for. */
  options(form: WeightForm): DerivativeOptions {
    return { of: this.#parts.output, weights: form };
  }

  /** Inputs as tensors of their declared types, checked. */
  read(x: Inputs): ReturnType<typeof readInputs> {
    return readInputs(x, this.inputs);
  }

  /** The program of a derivative of the loss: of its mean over the batch as one vector, or of its sum in each input. */
  derived(what: 'gradient' | 'inputs' | 'hvp' | 'ggnvp', sampleWeights: boolean): Program {
    const { loss } = this.#parts;
    const make = (form: WeightForm, model: Model): Model => {
      const options = { ...this.options(form), loss, sampleWeights };
      if (what === 'inputs') return gradientModel(model, { ...options, reduction: 'sum', wrt: 'inputs' });
      return { gradient: gradientModel, hvp: hvpModel, ggnvp: ggnModel }[what](model, { ...options, flat: true, wrt: this.names() });
    };
    return this.program(`${what} ${sampleWeights}`, make);
  }

  /** A Hessian (or Gauss–Newton) product on one batch; what products on the same batch share is kept from some number of them on. */
  async product(what: 'hvp' | 'ggnvp', batch: Batch, tangents: Readonly<Record<string, Feed>>, parameters: Parameters) {
    const weighted = batch.weights !== undefined;
    const feeds = await this.lossInputs(batch, parameters);
    const whole = this.derived(what, weighted);
    if (this.#parts.form === 'live') return this.run(whole, parameters, { ...feeds, ...tangents });
    const { loss, threads } = this.#parts;
    const key = `${what} ${weighted}`;
    const halves = (model: Model): Halves => {
      const known = this.#halves.get(model)?.get(key);
      if (known) return known;
      const options = { ...this.options('baked'), loss, sampleWeights: weighted, flat: true, wrt: this.names() };
      const made = productHalves(what, model, options);
      this.#halves.set(model, new Map([...(this.#halves.get(model) ?? []), [key, made]]));
      return made;
    };
    const half = (which: 'still' | 'moving') => {
      const program = (): Program => this.#programs.program(`${key} ${which}`, (_, model) => halves(model)[which], threads, 'baked');
      return (given: Readonly<Record<string, Feed>>) => this.run(program(), parameters, given);
    };
    const product: Product = {
      whole: (given) => this.run(whole, parameters, given),
      still: half('still'),
      moving: half('moving'),
      handed: () => halves(parameters.bake()).kept,
    };
    return this.#kept.run(key, product, parameters, feeds, tangents);
  }

  /** Rows of single samples for each slot: in one run where the graph has a per-sample form, else one run for each. */
  async sampleRows(batch: Batch, parameters: Parameters, slots: readonly ParameterSlot[]): Promise<Map<string, FloatArray>> {
    const names = slots.map(({ name }) => name);
    const { loss, threads } = this.#parts;
    if (this.#rowsInOneRun) {
      const make = (form: WeightForm, model: Model): Model => perSampleGradientModel(model, { ...this.options(form), loss, wrt: names });
      const feeds = await this.lossInputs(batch, parameters);
      try {
        const results = await this.run(this.program(`rows ${names}`, make), parameters, feeds);
        return new Map(names.map((name) => [name, (results[`grad.${name}`] as Tensor).data as FloatArray]));
      } catch (error) {
        if (!(error instanceof GraphError)) throw error;
        this.#rowsInOneRun = false;
      }
    }
    const samples = samplesOf(batch);
    const rows = new Map(slots.map(({ name, shape }) => [name, floats(this.precision, samples * sizeOf(shape))]));
    // One sample at a time leaves threads nothing to share: waking them costs more than they bring.
    const single = (form: WeightForm, model: Model): Model =>
      gradientModel(model, { ...this.options(form), loss, reduction: 'sum', wrt: names });
    const program = this.program(`row ${names}`, single, threads ?? 1);
    for (let i = 0; i < samples; i++) {
      const feeds = await this.lossInputs(takeSamples(batch, [i]), parameters);
      const results = await this.run(program, parameters, feeds);
      const places = sizeOf((feeds.labels ?? (feeds.targets as Feed)).shape);
      for (const { name } of slots) {
        const { data } = results[`grad.${name}`] as Tensor<Float32Array>;
        (rows.get(name) as FloatArray).set(places === 1 ? data : data.map((g) => g / places), i * data.length);
      }
    }
    return rows;
  }

  /** The output for one batch of inputs. */
  async forward(x: Inputs, parameters: Parameters): Promise<Tensor> {
    const { tensors } = this.read(x);
    const { output } = this.#parts;
    const program = this.program('forward', (form, model) => forwardOf(model, [output], form === 'live' ? this.names() : []));
    const results = await this.run(program, parameters, tensors);
    return results[output] as Tensor;
  }

  /** Values inside the graph (inputs included) by name. */
  async values(x: Inputs, names: readonly string[], parameters: Parameters): Promise<Record<string, Tensor>> {
    const { tensors } = this.read(x);
    const inner = names.filter((name) => !tensors[name]);
    if (inner.length === 0) return tensors;
    const program = this.program(`values ${inner}`, (form, model) => forwardOf(model, inner, form === 'live' ? this.names() : []));
    return { ...tensors, ...(await this.run(program, parameters, tensors)) };
  }

  /** Sums over one batch: `loss` and `weight`. */
  async loss(batch: Batch, parameters: Parameters): Promise<Record<string, Tensor>> {
    const { loss } = this.#parts;
    const logits = await this.forward(batch.x, parameters);
    const weighted = batch.weights !== undefined;
    const feeds = lossFeeds(batch, loss, logits.shape, this.precision);
    const make = (): Model => lossOf(logits.shape, this.precision, loss, weighted);
    const program = this.program(`loss ${logits.shape.slice(1)} ${weighted}`, make);
    return this.run(program, parameters, { ...feeds, logits: { ...logits, type: this.precision } });
  }

  /** The tangent of the output for one batch of inputs, given those of the parameters. */
  async jvp(x: Inputs, tangents: Readonly<Record<string, Feed>>, parameters: Parameters): Promise<Tensor> {
    const program = this.program('jvp', (form, model) => jvpModel(model, { ...this.options(form), wrt: this.names() }));
    const results = await this.run(program, parameters, { ...this.read(x).tensors, ...tangents });
    return results[`jvp.${this.#parts.output}`] as Tensor;
  }

  /** The gradient `grad`, summed over one batch of inputs, of ⟨cotangent, output⟩. */
  async vjp(x: Inputs, { data, shape }: Tensor, parameters: Parameters): Promise<Record<string, Tensor>> {
    const program = this.program('vjp', (form, model) => vjpModel(model, { ...this.options(form), flat: true, wrt: this.names() }));
    const cotangent: Feed = { data: convert('cotangent', data, this.precision), shape, type: this.precision };
    return this.run(program, parameters, { ...this.read(x).tensors, cotangent });
  }

  /** Inputs, labels and weights of one batch, checked. */
  async lossInputs(batch: Batch, parameters: Parameters): Promise<Record<string, Feed>> {
    const { tensors, samples } = this.read(batch.x);
    return { ...tensors, ...lossFeeds(batch, this.#parts.loss, await this.#logitsShape(batch, samples, parameters), this.precision) };
  }

  /** The shape of the logits: declared, or found by one forward run for every shape of inputs. */
  async #logitsShape(batch: Batch, samples: number, parameters: Parameters): Promise<readonly number[]> {
    const declared = this.#parts.model.graph.outputs.find(({ name }) => name === this.#parts.output)?.shape;
    if (declared && declared.length > 1 && declared.slice(1).every((extent) => typeof extent === 'number')) {
      return [samples, ...(declared.slice(1) as number[])];
    }
    const key = Object.values(this.read(batch.x).tensors)
      .map(({ shape }) => shape.slice(1).join())
      .join(';');
    const known = this.#logitShapes.get(key) ?? (await this.forward(batch.x, parameters)).shape;
    this.#logitShapes.set(key, known);
    return [samples, ...known.slice(1)];
  }
}
