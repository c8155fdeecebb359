// A batch as blocks: inputs flattened to rows, labels or targets, weights; read and checked once per call.
import { asRecord, checkFinite, checkLabels, checkLength } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import type { Batch, Inputs } from '../core/model-types.js';
import {
  asFloats,
  asTensor,
  describe,
  type FloatArray,
  floats,
  isIntegerArray,
  isTypedArray,
  type Precision,
  precisionOf,
  type Tensor,
  type TensorLike,
} from '../core/tensor.js';
import { scaleRows, softmaxCurvature, softmaxLoss, squaredLoss } from '../kernels/dense-loss.js';
import type { Arena, F64, I32, Real } from '../runtime/arena.js';
import type { Network, Trace } from './passes.js';

/** A checked batch in the model's precision. */
export interface Rows {
  readonly count: number;
  /** Of the inputs as given. */
  readonly shape: readonly number[];
  readonly x: FloatArray;
  /** The caller's array that `x` is, or was read from. */
  readonly given: Tensor['data'];
  readonly labels: Int32Array | undefined;
  readonly targets: FloatArray | undefined;
  readonly weights: FloatArray;
}

/**
 * The single input of a dense model as rows [n, inputs]; further axes are flattened. Numbers that are `known` are finite.
 * @throws {ShapeError | DomainError}
 */
export function readInputs(
  net: Network,
  inputs: Inputs,
  known: (x: FloatArray) => boolean = () => false,
): { count: number; shape: readonly number[]; x: FloatArray; given: Tensor['data'] } {
  const record = asRecord('x', inputs, 'a tensor [n, …]') as Record<string, unknown>;
  const single = isTypedArray(record.data) ? inputs : Object.values(record)[0];
  if (!isTypedArray(record.data) && Object.keys(record).length !== 1)
    throw new DomainError(`x: expected one input, got ${Object.keys(record).length || describe(inputs)}`);
  const { data, shape } = asTensor('x', single);
  const width = net.layers[0]!.inputs;
  const count = shape[0] ?? 0;
  if (shape.length < 2 || data.length !== count * width) {
    throw new ShapeError(`x: expected shape [n, ${width}], got [${shape.join(', ')}]`);
  }
  const x = convert(net.precision, data);
  if (!known(x)) checkFinite('x', x);
  return { count, shape, x, given: data };
}

/** Inputs, labels or targets, and weights of a batch. @throws {ShapeError | DomainError} by name */
export function readBatch(net: Network, batch: Batch, known?: (x: FloatArray) => boolean): Rows {
  const { x: given, y, weights: own } = asRecord('batch', batch, '{ x, y }');
  const inputs = readInputs(net, given, known);
  const { count } = inputs;
  const outputs = net.layers.at(-1)!.outputs;
  const weights = own ? convert(net.precision, asFloats('weights', own)) : floats(net.precision, count).fill(1);
  checkLength('weights', weights, count);
  checkFinite('weights', weights);
  if (net.loss === 'mse') {
    const targets = convert(net.precision, asTensor('y', y).data);
    checkLength('y', targets, count * outputs);
    checkFinite('y', targets);
    return { ...inputs, labels: undefined, targets, weights };
  }
  const labels = isIntegerArray(y) ? y : asTensor('y', y).data;
  checkLength('y', labels, count);
  checkLabels('y', labels as ArrayLike<number>, outputs);
  const codes = new Int32Array(count);
  for (let i = 0; i < count; i++) codes[i] = Number(labels[i]);
  return { ...inputs, labels: codes, targets: undefined, weights };
}

function convert(precision: Precision, data: Tensor['data']): FloatArray {
  const brand = precision === 'float32' ? '[object Float32Array]' : '[object Float64Array]';
  if (Object.prototype.toString.call(data) === brand) return data as FloatArray;
  const out = floats(precision, data.length);
  for (let i = 0; i < data.length; i++) out[i] = Number(data[i]);
  return out;
}

/** A vector [d] in the model's precision. @throws {ShapeError | DomainError} unless it holds d finite numbers */
export function readVector(net: Network, name: string, v: FloatArray): FloatArray {
  const given = asFloats(name, v);
  checkLength(name, given, net.parameterCount);
  checkFinite(name, given);
  if (precisionOf(given) === net.precision) return given;
  const out = floats(net.precision, given.length);
  out.set(given);
  return out;
}

/** Seeds [n, k] of a backward pass. @throws {ShapeError | DomainError} */
export function readSeeds(net: Network, seed: TensorLike, count: number): FloatArray {
  const { data } = asTensor('seed', seed);
  checkLength('seed', data, count * net.layers.at(-1)!.outputs);
  return asFloats('seed', data);
}

/** Rows of seeds from `start` on. */
export function seedBlock(arena: Arena, net: Network, seeds: FloatArray, start: number, rows: number): Real {
  const outputs = net.layers.at(-1)!.outputs;
  return arena.putAs(net.precision, seeds.subarray(start * outputs, (start + rows) * outputs));
}

/** The loss of the rows a … b against the outputs z: its value, its gradient, and its second derivative as a product. */
export interface LossSeeds {
  /** Σ weight·loss. */
  readonly total: number;
  /** weight·∂loss/∂z [rows, k]. */
  readonly delta: Real;
  /** Unweighted losses [rows]. */
  readonly losses: F64;
  /** out = weight·(∂²loss/∂z²) x, row by row; out may be x. */
  curvature(x: Real, out: Real): void;
}

/** Evaluates the loss of a chunk of `rows` from `start` on its outputs, weights times `scale`. `weighted: false` takes every weight as 1. */
export function lossSeeds(
  arena: Arena,
  net: Network,
  rows: Pick<Rows, 'labels' | 'targets' | 'weights'>,
  start: number,
  trace: Trace,
  weighted = true,
  scale = 1,
): LossSeeds {
  const outputs = net.layers.at(-1)!.outputs;
  const end = start + trace.rows;
  const z = trace.a.at(-1)!;
  const own = weighted ? rows.weights.subarray(start, end) : floats(net.precision, trace.rows).fill(1);
  const weights = arena.put(scale === 1 ? own : own.map((x) => x * scale));
  const delta = arena.real(net.precision, z.length);
  const losses = arena.alloc('f64', trace.rows);
  if (rows.targets) {
    const targets = arena.put(rows.targets.subarray(start * outputs, end * outputs));
    const total = squaredLoss(z, targets, weights, delta, losses);
    return { total, delta, losses, curvature: (x, out) => scaleRows(2 / outputs, weights, x, out) };
  }
  const labels: I32 = arena.put(rows.labels!.subarray(start, end));
  const p = arena.real(net.precision, z.length);
  const total = softmaxLoss(z, labels, weights, p, delta, losses);
  return { total, delta, losses, curvature: (x, out) => softmaxCurvature(p, weights, x, out) };
}
