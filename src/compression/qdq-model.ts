import { asRecord, checkArray, checkInteger, checkOneOf } from '../core/check.js';
import { DomainError, GraphError } from '../core/errors.js';
import type { FloatArray, Tensor } from '../core/tensor.js';
import { checkDecoded, type Graph, type GraphTensor, type Model } from '../onnx/graph.js';
import type { IntegerType } from './integer-grid.js';
import { type LinearLayer, linearLayers } from './linear-layers.js';
import { activationRanges, QdqWriter, type QuantizedLayer, type Range } from './qdq-writer.js';

export type WeightRounding = 'minmax' | 'mse' | 'discrete';

export interface QdqModelOptions {
  /** Initializers to quantise; all weights of Conv, Gemm and MatMul by default. */
  readonly weights?: readonly string[];
  /** Integers that hold weights (int8), their width (8; or one per initializer), 2 … 8 bits. */
  readonly type?: IntegerType;
  readonly bits?: number | Readonly<Record<string, number>>;
  /** Weights around zero (true), or with a zero point. */
  readonly symmetric?: boolean;
  /** One scale per output channel (true), or one per tensor. */
  readonly perChannel?: boolean;
  /**
   * Scales that just cover the weights and nearest levels (minmax), scales of least squared error (mse), or the levels whose worst error
   * on the layer's outputs is least (discrete; needs `inputs`).
   */
  readonly rounding?: WeightRounding;
  /** Calibration activations by the name of the value (`qdqValues`), for rounding discrete. */
  readonly inputs?: Readonly<Record<string, Tensor<FloatArray>>>;
  /** Ranges of values (`qdqValues`) for activations in 8 bits; weights only when left out. */
  readonly ranges?: Readonly<Record<string, Range>>;
  /** Integers that hold activations (uint8), with a zero point unless symmetric (false). */
  readonly activationType?: IntegerType;
  readonly activationSymmetric?: boolean;
}

export interface QdqModelResult {
  readonly model: Model;
  readonly layers: readonly QuantizedLayer[];
}

/**
 * A quantised copy of a model, written with QuantizeLinear and DequantizeLinear: integer weights, 32-bit biases, and, given ranges,
 * 8-bit activations in front of the layers and of the sums and pools between them. Runtimes fuse these into integer kernels, or compute
 * the same in floats.
 *
 * @param model a decoded model in ai.onnx 13 or later (10 for one scale per tensor), float32 weights; it is left as it was
 * @param options `weights` (all layers), `type` (int8), `bits` (8), `symmetric` (true), `perChannel` (true), `rounding` (minmax), `inputs`, `ranges` (none), `activationType` (uint8), `activationSymmetric` (false)
 * @returns `model`; `layers` with width, scales and mean squared error of each
 * @throws {GraphError} when there is nothing to quantise or the operator set is too old; {DomainError} when an option does not fit
 * @see Jacob et al. 2018, arXiv:1712.05877; Wu et al. 2020, arXiv:2004.09602; rounding discrete: DMMV, as minMaxDiscreteSolve
 */
export function qdqModel(model: Model, options: QdqModelOptions = {}): QdqModelResult {
  const {
    type = 'int8',
    bits = 8,
    perChannel = true,
    rounding = 'minmax',
    ranges,
    inputs,
    activationType = 'uint8',
  } = asRecord('options', options);
  checkOneOf('type', type, ['int8', 'uint8']);
  checkOneOf('activationType', activationType, ['int8', 'uint8']);
  checkOneOf('rounding', rounding, ['minmax', 'mse', 'discrete']);
  checkDecoded('model', model);
  const graph = model.graph.clone();
  const layers = chosenLayers(graph, options.weights);
  if (typeof bits !== 'number') asRecord('bits', bits, 'a number or a record');
  for (const { weight } of layers) checkInteger('bits', typeof bits === 'number' ? bits : (bits[weight] ?? 8), 2, 8);
  const opset = model.opsets.get('') ?? 0;
  const needed = perChannel ? 13 : 10;
  if (opset < needed)
    throw new GraphError(
      `model: expected ai.onnx ${needed} or later for ${perChannel ? 'one scale per channel (one per tensor needs 10)' : 'quantised weights'}, got ${opset}`,
    );
  const writer = new QdqWriter(graph, { ...options, type, perChannel, rounding, activationType });
  if (ranges) writer.quantizeValues(activationRanges(graph, layers, ranges));
  const done = layers.map((layer) => {
    if (rounding === 'discrete' && !inputs?.[layer.input])
      throw new DomainError(`inputs: expected activations of '${layer.input}' for rounding discrete, got none`);
    return writer.quantizeLayer(layer, typeof bits === 'number' ? bits : (bits[layer.weight] ?? 8), inputs?.[layer.input]);
  });
  writer.finish();
  return { model: { ...model, irVersion: Math.max(4, model.irVersion), metadata: new Map(model.metadata), graph }, layers: done };
}

/** Values of a model whose ranges (and, for rounding discrete, activations) `qdqModel` takes. */
export function qdqValues(model: Model, options: Pick<QdqModelOptions, 'weights'> = {}): string[] {
  checkDecoded('model', model);
  const layers = chosenLayers(model.graph, asRecord('options', options).weights);
  return [...activationRanges(model.graph, layers, undefined).keys()];
}

function chosenLayers(graph: Graph, weights: readonly string[] | undefined): LinearLayer[] {
  if (weights !== undefined) checkArray('weights', weights);
  const layers = linearLayers(graph).filter(({ weight }) => isSingle(graph, weight));
  for (const name of weights ?? []) {
    if (!layers.some(({ weight }) => weight === name))
      throw new DomainError(`weights: expected float32 weights of Conv, Gemm or MatMul, got '${name}'`);
  }
  const chosen = weights ? layers.filter(({ weight }) => weights.includes(weight)) : layers;
  if (chosen.length === 0) throw new GraphError('model: expected float32 weights of Conv, Gemm or MatMul, got none');
  return chosen;
}

function isSingle(graph: Graph, weight: string): boolean {
  return (graph.initializers.get(weight) as GraphTensor).type === 'float32';
}
