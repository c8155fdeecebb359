// Derivative models: gradients, Jacobian and Hessian products of an ONNX model as ONNX models.
import { asRecord, checkArray } from '../core/check.js';
import { GraphError } from '../core/errors.js';
import { backward, forward } from './autodiff.js';
import { Builder, isFloat, type Value } from './builder.js';
import { product } from './dims.js';
import { finish } from './finish.js';
import { checkDecoded, type Model } from './graph.js';
import { importModel } from './import.js';
import { appendLoss, type LossName, type LossSpec } from './losses.js';
import { parameterSlots } from './parameters.js';
import { type Halves, split } from './split.js';

export interface DerivativeOptions {
  /** The output to differentiate; the first one by default. */
  readonly of?: string;
  /** What in: `'parameters'` (default), `'inputs'`, `'all'`, or names of initializers and inputs. */
  readonly wrt?: 'parameters' | 'inputs' | 'all' | readonly string[];
  /** Appends a loss on the output (its labels become an input `labels` or `targets`). */
  readonly loss?: LossName | LossSpec;
  /** `'mean'` (default), or `'sum'` with a second output `weight`: what the mean would divide by. */
  readonly reduction?: 'mean' | 'sum';
  /** Adds an input `sample_weight` [n]. */
  readonly sampleWeights?: boolean;
  /** `'baked'` (default): parameters stay initializers; `'live'`: they become inputs. */
  readonly weights?: 'baked' | 'live';
  /** Numbers for extents of inputs that the model leaves open, by their names: `{ height: 224 }`. */
  readonly extents?: Readonly<Record<string, number>>;
  /** One output `grad` (`hvp`, `ggnvp`) of one axis for all of `wrt`, one behind the other, and `weight` whatever the reduction. */
  readonly flat?: boolean;
}

/** What every derivative starts from. */
export interface Setting {
  readonly b: Builder;
  /** The value that is differentiated: the output, or the loss on it. */
  readonly value: Value;
  readonly output: Value;
  readonly outputName: string;
  readonly wrt: readonly { name: string; value: Value }[];
  readonly weight: Value | undefined;
}

/** A builder with the model, its loss and what is differentiated in. */
export function openDerivative(model: Model, options: DerivativeOptions): Setting {
  checkDecoded('model', model);
  asRecord('options', options);
  const { graph } = model;
  const outputName = options.of ?? graph.outputs[0]?.name;
  if (outputName === undefined || !graph.outputs.some(({ name }) => name === outputName)) {
    throw new GraphError(`of: expected an output (${graph.outputs.map(({ name }) => name).join(', ')}), got '${outputName}'`);
  }
  const wrt = namesOf(model, options.wrt ?? 'parameters', outputName);
  if (!wrt.length) throw new GraphError('wrt: expected at least one parameter or float input, got none');
  const parameters = new Set(
    [...parameterSlots(model, { of: outputName }).map(({ name }) => name), ...wrt].filter((n) => graph.initializers.has(n)),
  );
  const b = new Builder();
  const names = importModel(b, model, { parameters, live: options.weights === 'live', extents: options.extents ?? {} });
  const output = names.get(outputName)!;
  let value = output;
  let weight: Value | undefined;
  if (options.loss !== undefined) {
    const loss = appendLoss(b, output, options.loss, { sampleWeights: options.sampleWeights ?? false });
    weight = loss.weight;
    value = options.reduction === 'sum' ? loss.total : b.div(loss.total, loss.weight);
  }
  return { b, value, output, outputName, wrt: wrt.map((name) => ({ name, value: names.get(name)! })), weight };
}

/** The names a `wrt` stands for. @throws {GraphError} for names the model does not have, or that hold no floats */
export function namesOf(model: Model, wrt: NonNullable<DerivativeOptions['wrt']>, of?: string): string[] {
  const { graph } = model;
  const inputs = graph.feeds.filter(({ type }) => isFloat(type)).map(({ name }) => name);
  const parameters = (): string[] => parameterSlots(model, of === undefined ? {} : { of }).map(({ name }) => name);
  if (wrt === 'inputs') return inputs;
  if (wrt === 'parameters') return parameters();
  if (wrt === 'all') return [...parameters(), ...inputs];
  checkArray('wrt', wrt);
  for (const name of wrt) {
    const type = graph.initializers.get(name)?.type ?? graph.feeds.find((input) => input.name === name)?.type;
    if (type === undefined) {
      const known = [...graph.initializers.keys(), ...graph.feeds.map((input) => input.name)];
      throw new GraphError(
        `wrt: expected initializers or inputs (${known.slice(0, 12).join(', ')}${known.length > 12 ? ', …' : ''}), got '${name}'`,
      );
    }
    if (!isFloat(type)) throw new GraphError(`wrt: expected a float tensor, got '${name}' of ${type}`);
  }
  return [...wrt];
}

/** The cotangent that starts reverse mode: 1 for a scalar, else a new input `cotangent`. */
function seedOf({ b, value }: Setting): Value {
  const shape = b.shape(value);
  if (shape.every((extent) => extent === 1)) return b.reshape(b.scalar(value, 1), shape);
  return b.input('cotangent', b.elementType(value), shape);
}

/**
 * Gradients by name; zeros for what does not move the value.
 * @throws {GraphError} when nothing is asked for, or nothing of it moves the value
 */
function gradients(setting: Setting, seed: Value): Map<string, Value> {
  const { b, value, wrt, outputName } = setting;
  const found = backward(
    b,
    new Map([[value, seed]]),
    wrt.map((w) => w.value),
  );
  if (!found.size) {
    const names = wrt.map(({ name }) => name).join(', ');
    throw new GraphError(`wrt: expected a float path to ${outputName}, got none from ${names}: the gradient is zero everywhere`);
  }
  return new Map(wrt.map((w) => [w.name, found.get(w.value) ?? b.expand(b.scalar(w.value, 0), b.shape(w.value))]));
}

function outputs({ b, value, weight, outputName }: Setting, options: DerivativeOptions): void {
  b.output(value, options.loss === undefined ? outputName : 'loss');
  if (weight !== undefined && (options.reduction === 'sum' || options.flat)) b.output(weight, 'weight');
}

/** Derivatives by name as outputs of their own, or as one vector. */
function results({ b }: Setting, found: Iterable<readonly [string, Value]>, prefix: string, { flat }: DerivativeOptions): void {
  if (!flat) {
    for (const [name, value] of found) b.output(value, `${prefix}.${name}`);
    return;
  }
  const rows = [...found].map(([, value]) => b.reshape(value, [product(b.shape(value))]));
  b.output(b.concat(rows, 0), prefix);
}

/**
 * The gradient of an output, or of a loss on it, as a model.
 *
 * Inputs: those of the model, then `labels` or `targets` (with a loss), `sample_weight`, and, for an output that is not one number,
 * `cotangent` of its shape (the result is then the vector-Jacobian product). Live parameters are inputs under their names.
 * Outputs: `loss` (or the output itself), `weight` under reduction `'sum'`, and `grad.NAME` for each of `wrt`.
 *
 * @throws {GraphError} for operators without a rule, names that do not exist, shapes that cannot be resolved
 */
export function gradientModel(model: Model, options: DerivativeOptions = {}): Model {
  const setting = openDerivative(model, options);
  const found = gradients(setting, seedOf(setting));
  outputs(setting, options);
  results(setting, found, 'grad', options);
  return finish(setting.b, model);
}

/** The vector-Jacobian product of an output: `gradientModel` without a loss; its cotangent is the input `cotangent`. */
export function vjpModel(model: Model, options: Omit<DerivativeOptions, 'loss' | 'reduction' | 'sampleWeights'> = {}): Model {
  const setting = openDerivative(model, options);
  const seed = setting.b.input('cotangent', setting.b.elementType(setting.value), setting.b.shape(setting.value));
  const found = gradients(setting, seed);
  outputs(setting, options);
  results(setting, found, 'grad', options);
  return finish(setting.b, model);
}

/** An input `tangent.NAME` for each of `wrt`. */
function tangentInputs({ b, wrt }: Setting): Map<Value, Value> {
  return new Map(wrt.map(({ name, value }) => [value, b.input(`tangent.${name}`, b.elementType(value), b.shape(value))]));
}

/**
 * The Jacobian-vector product of an output (or loss): inputs `tangent.NAME` for each of `wrt`, outputs the value and `jvp.OUTPUT`
 * (`jvp.loss` with a loss).
 * @throws {GraphError} as `gradientModel`
 */
export function jvpModel(model: Model, options: DerivativeOptions = {}): Model {
  const setting = openDerivative(model, options);
  const { b, value, outputName } = setting;
  const tangent = forward(b, tangentInputs(setting), [value]).get(value) ?? b.zerosLike(value);
  outputs(setting, options);
  b.output(tangent, `jvp.${options.loss === undefined ? outputName : 'loss'}`);
  return finish(b, model);
}

/**
 * The Hessian-vector product of a loss, or of a scalar output: forward mode over the gradient graph. Inputs `tangent.NAME`, outputs
 * `loss` and `hvp.NAME` for each of `wrt`.
 * @throws {GraphError} as `gradientModel`
 */
export function hvpModel(model: Model, options: DerivativeOptions = {}): Model {
  return finish(writeHvp(model, options), model);
}

function writeHvp(model: Model, options: DerivativeOptions): Builder {
  const setting = openDerivative(model, options);
  const { b } = setting;
  const found = gradients(setting, seedOf(setting));
  const tangents = forward(b, tangentInputs(setting), [...found.values()]);
  outputs(setting, options);
  const products = [...found].map(([name, value]) => [name, tangents.get(value) ?? b.zerosLike(value)] as const);
  results(setting, products, 'hvp', options);
  return b;
}

/**
 * The Gauss–Newton product Jᵀ·(∇²loss on the output)·J·v: inputs `tangent.NAME`, outputs `loss` and `ggnvp.NAME` for each of `wrt`.
 * @throws {GraphError} as `gradientModel`, and when no loss is given
 */
export function ggnModel(model: Model, options: DerivativeOptions & { readonly loss: LossName | LossSpec }): Model {
  return finish(writeGgn(model, options), model);
}

/** `hvpModel` or `ggnModel` in two: what a batch gives whatever the direction, and what the direction moves. */
export function productHalves(
  what: 'hvp' | 'ggnvp',
  model: Model,
  options: DerivativeOptions & { readonly loss: LossName | LossSpec },
): Halves {
  const b = what === 'hvp' ? writeHvp(model, options) : writeGgn(model, options);
  return split(finish(b, model), (name) => name.startsWith('tangent.'), b.types);
}

function writeGgn(model: Model, options: DerivativeOptions & { readonly loss: LossName | LossSpec }): Builder {
  const setting = openDerivative(model, options);
  const { b, value, output, wrt } = setting;
  const whole = [...b.graph.nodes];
  // The loss as a function of the output alone, then its Hessian along J v.
  const slope = backward(b, new Map([[value, seedOf(setting)]]), [output]).get(output)!;
  const along = forward(b, tangentInputs(setting), [output], whole).get(output) ?? b.zerosLike(output);
  const curved = forward(b, new Map([[output, along]]), [slope]).get(slope) ?? b.zerosLike(output);
  const found = backward(
    b,
    new Map([[output, curved]]),
    wrt.map((w) => w.value),
    whole,
  );
  outputs(setting, options);
  const products = wrt.map(({ name, value: w }) => [name, found.get(w) ?? b.zerosLike(w)] as const);
  results(setting, products, 'ggnvp', options);
  return b;
}
