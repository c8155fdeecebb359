// From a specification to a checked network: shapes that fit, finite numbers, one flat parameter vector.
import { asRecord, checkFinite, checkLength, checkOneOf } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import type { ParameterSlot } from '../core/model-types.js';
import type { FloatArray, Precision, TensorLike } from '../core/tensor.js';
import { asFloats, asTensor, floats, isFloatArray, precisionOf } from '../core/tensor.js';
import { type Activation, activationCodes } from '../kernels/activations.js';
import type { DenseLayer, Network } from './passes.js';

/** One layer of a specification: a ← activation(a·weightᵀ + bias). */
export interface DenseLayerSpec {
  /** [out, in], row-major. */
  readonly weight: TensorLike;
  /** [out]; left out for a layer without bias. */
  readonly bias?: TensorLike | FloatArray | readonly number[];
  /** `'identity'` when left out. */
  readonly activation?: Activation;
  /** Node name in the layout; `layers.0`, `layers.1`, … by default. */
  readonly name?: string;
  /** Names of the two parameters; `<name>.weight` and `<name>.bias` by default. */
  readonly parameters?: { readonly weight?: string; readonly bias?: string };
}

export interface DenseModelSpec {
  readonly layers: readonly DenseLayerSpec[];
  readonly loss: 'cross-entropy' | 'mse';
  /** That of the first weight by default. */
  readonly precision?: Precision;
}

/** A network, the layout of its parameters, and their values. @throws {ShapeError | DomainError} by name */
export function readSpec(spec: DenseModelSpec): { net: Network; layout: ParameterSlot[]; parameters: FloatArray } {
  const { layers, loss } = asRecord('spec', spec, '{ layers, loss }');
  checkOneOf('loss', loss, ['cross-entropy', 'mse']);
  if (!Array.isArray(layers) || layers.length === 0) throw new ShapeError('layers: expected at least one layer, got none');
  const first = asTensor('layers[0].weight', layers[0]?.weight).data;
  const precision = spec.precision ?? (isFloatArray(first) ? precisionOf(first) : 'float64');
  checkOneOf('precision', precision, ['float32', 'float64']);
  const layout: ParameterSlot[] = [];
  const read: DenseLayer[] = [];
  const values: FloatArray[] = [];
  let offset = 0;
  const add = (slot: Omit<ParameterSlot, 'offset' | 'opType'>, numbers: FloatArray): number => {
    const at = offset;
    layout.push({ ...slot, opType: 'Gemm', offset: at });
    values.push(numbers);
    offset += numbers.length;
    return at;
  };
  (layers as readonly DenseLayerSpec[]).forEach((layer, l) => {
    const at = `layers[${l}]`;
    const { activation = 'identity', name: node = `layers.${l}` } = asRecord(at, layer, '{ weight, bias }');
    checkOneOf(`${at}.activation`, activation, Object.keys(activationCodes) as Activation[]);
    const weight = asTensor(`${at}.weight`, layer.weight);
    const [outputs = 0, inputs = 0] = weight.shape;
    const previous = read.at(-1)?.outputs;
    if (weight.shape.length !== 2 || outputs < 1 || inputs < 1 || (previous ?? inputs) !== inputs)
      throw new ShapeError(`${at}.weight: expected shape [any, ${previous ?? 'any'}], got [${weight.shape.join(', ')}]`);
    const numbers = asFloats(`${at}.weight`, weight.data);
    checkFinite(`${at}.weight`, numbers);
    const weightName = layer.parameters?.weight ?? `${node}.weight`;
    const weightAt = add({ node, name: weightName, role: 'weight', shape: [outputs, inputs] }, numbers);
    let biasAt = -1;
    if (layer.bias !== undefined) {
      const bias = asFloats(`${at}.bias`, (layer.bias as { data?: unknown } | null)?.data ?? layer.bias);
      checkLength(`${at}.bias`, bias, outputs);
      checkFinite(`${at}.bias`, bias);
      biasAt = add({ node, name: layer.parameters?.bias ?? `${node}.bias`, role: 'bias', shape: [outputs] }, bias);
    }
    read.push({ inputs, outputs, activation, weight: weightAt, bias: biasAt });
  });
  const parameters = floats(precision, offset);
  let at = 0;
  for (const part of values) {
    parameters.set(part, at);
    at += part.length;
  }
  return { net: { precision, layers: read, loss, parameterCount: offset }, layout, parameters };
}
