// Dense layers of an ONNX graph, read from its output backwards: Gemm, MatMul with a bias added, and activations between them.
import { GraphError } from '../core/errors.js';
import { floats, precisionOf } from '../core/tensor.js';
import type { Activation } from '../kernels/activations.js';
import { floatOf, type Graph, intOf, type Model, type Node, stringOf, where } from '../onnx/graph.js';
import type { DenseLayerSpec } from './spec.js';

/** Dense layers and the name of the value [n, in] that feeds the first. */
export interface DenseTail {
  readonly layers: DenseLayerSpec[];
  readonly input: string;
}

/**
 * The longest dense tail of a model, or the one that starts at the value `from`.
 * @throws {GraphError} when the output is not made by dense layers, or something else lies between `from` and the output
 */
export function denseTail({ graph }: Model, from?: string): DenseTail {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const output = graph.outputs[0]?.name ?? '';
  const layers: DenseLayerSpec[] = [];
  let value = output;
  let input = '';
  let activation: Activation = 'identity';
  let stopped: Node | undefined;
  while (value !== from) {
    const node = makers.get(value);
    if (!node) break;
    const shaped = activationOf(node, graph, makers);
    const linear = shaped ? undefined : layerOf(node, graph, makers);
    if (shaped && (shaped.name === 'identity' || activation === 'identity')) {
      if (shaped.name !== 'identity') activation = shaped.name;
      value = shaped.input;
    } else if (linear) {
      layers.unshift({ ...linear.layer, activation });
      activation = 'identity';
      value = input = linear.input;
    } else {
      stopped = node;
      break;
    }
  }
  const at = stopped ? where(stopped) : {};
  if (from !== undefined && input !== from)
    throw new GraphError(
      `from: expected a value with only dense layers between it and '${output}', got '${from}'${stopped ? ` (met ${stopped.op})` : ''}`,
      at,
    );
  if (layers.length === 0)
    throw new GraphError(`model: expected dense layers before the output '${output}', got ${stopped?.op ?? 'none'}`, at);
  return { layers, input };
}

type Makers = ReadonlyMap<string, Node>;

/** An activation node, or a composition that is one; identity for nodes that change nothing at inference. */
function activationOf(node: Node, graph: Graph, makers: Makers): { name: Activation; input: string } | undefined {
  const input = node.inputs[0] ?? '';
  if (node.domain !== '' && node.domain !== 'com.microsoft') return undefined;
  if (node.op === 'Relu') return { name: 'relu', input };
  if (node.op === 'Tanh') return { name: 'tanh', input };
  if (node.op === 'Sigmoid') return { name: 'sigmoid', input };
  if (node.op === 'Gelu') return { name: stringOf(node, 'approximate', 'none') === 'tanh' ? 'gelu-tanh' : 'gelu', input };
  if (node.op === 'FastGelu' && node.inputs.length === 1) return { name: 'gelu-tanh', input };
  if (node.op === 'Identity' || node.op === 'Dropout') return { name: 'identity', input };
  const erf = erfGelu(node, graph, makers);
  return erf === undefined ? undefined : { name: 'gelu', input: erf };
}

/** The input z when `node` is the last of ½·z·(1 + erf(z/√2)), whatever the order of the factors. */
function erfGelu(node: Node, graph: Graph, makers: Makers): string | undefined {
  if (node.op !== 'Mul') return undefined;
  const factors: string[] = [];
  let scale = 1;
  const open = [...node.inputs];
  while (open.length) {
    const name = open.pop()!;
    const number = scalarOf(name, graph, makers);
    const maker = makers.get(name);
    if (number !== undefined) scale *= number;
    else if (maker?.op === 'Mul' && factors.length + open.length < 3) open.push(...maker.inputs);
    else factors.push(name);
  }
  if (factors.length !== 2 || Math.abs(scale - 0.5) > 1e-6) return undefined;
  for (const [z, gate] of [factors, [...factors].reverse()] as [string, string][]) {
    const sum = makers.get(gate);
    if (sum?.op !== 'Add') continue;
    const one = sum.inputs.find((name) => scalarOf(name, graph, makers) === 1);
    const erf = makers.get(sum.inputs.find((name) => name !== one) ?? '');
    const scaled = erf?.op === 'Erf' ? makers.get(erf.inputs[0] ?? '') : undefined;
    if (one === undefined || !scaled?.inputs.includes(z)) continue;
    const factor = scalarOf(scaled.inputs.find((name) => name !== z) ?? '', graph, makers);
    const root = scaled.op === 'Div' && scaled.inputs[0] === z ? 1 / (factor ?? 0) : scaled.op === 'Mul' ? factor : undefined;
    if (root !== undefined && Math.abs(root - Math.SQRT1_2) < 1e-6) return z;
  }
  return undefined;
}

function constantOf(name: string, graph: Graph, makers: Makers): { data: Floats; shape: readonly number[] } | undefined {
  const attribute = makers.get(name)?.op === 'Constant' ? makers.get(name)!.attributes.value : undefined;
  const tensor = graph.initializers.get(name) ?? (attribute?.type === 'tensor' ? attribute.value : undefined);
  if (!tensor || (tensor.type !== 'float32' && tensor.type !== 'float64')) return undefined;
  return { data: tensor.data as Floats, shape: tensor.shape };
}

function scalarOf(name: string, graph: Graph, makers: Makers): number | undefined {
  const constant = constantOf(name, graph, makers);
  return constant?.data.length === 1 ? constant.data[0] : undefined;
}

/** One linear layer that ends in `node`, its weight turned to [out, in] and scalar factors folded in. */
function layerOf(node: Node, graph: Graph, makers: Makers): { layer: DenseLayerSpec; input: string } | undefined {
  if (node.op === 'Gemm' && intOf(node, 'transA', 0) === 0) {
    const [input = '', weight = '', bias = ''] = node.inputs;
    const turned = weightOf(weight, graph, makers, intOf(node, 'transB', 0) === 1, floatOf(node, 'alpha', 1));
    const added = bias === '' ? undefined : biasOf(bias, graph, makers, turned?.shape[0] ?? 0, floatOf(node, 'beta', 1));
    if (!turned || (bias !== '' && !added)) return undefined;
    return { layer: named(node, turned, added, { weight, bias }), input };
  }
  if (node.op === 'MatMul') {
    const [input = '', weight = ''] = node.inputs;
    const turned = weightOf(weight, graph, makers, false, 1);
    return turned && { layer: named(node, turned, undefined, { weight, bias: '' }), input };
  }
  if (node.op === 'Add') {
    for (const [product, bias] of [node.inputs, [...node.inputs].reverse()] as [string, string][]) {
      const matmul = makers.get(product);
      const linear = matmul?.op === 'MatMul' ? layerOf(matmul, graph, makers) : undefined;
      const added = linear && biasOf(bias, graph, makers, shapeOf(linear.layer)[0]!, 1);
      if (linear && added)
        return { layer: { ...linear.layer, bias: added, parameters: { ...linear.layer.parameters, bias } }, input: linear.input };
    }
  }
  return undefined;
}

const shapeOf = ({ weight }: DenseLayerSpec): readonly number[] => ('shape' in weight ? weight.shape : weight.dims);

type Floats = Float32Array | Float64Array;

function named(
  node: Node,
  weight: { data: Floats; shape: readonly number[] },
  bias: Floats | undefined,
  names: { weight: string; bias: string },
): DenseLayerSpec {
  const parameters = names.bias === '' ? { weight: names.weight } : names;
  return { weight, ...(bias && { bias }), name: where(node).node, parameters };
}

/** A constant matrix as [out, in]: as it is when `turned`, else transposed. */
function weightOf(
  name: string,
  graph: Graph,
  makers: Makers,
  turned: boolean,
  factor: number,
): { data: Floats; shape: number[] } | undefined {
  const constant = constantOf(name, graph, makers);
  if (constant?.shape.length !== 2) return undefined;
  const [rows, cols] = constant.shape as [number, number];
  const data = constant.data.slice();
  const shape = turned ? [rows, cols] : [cols, rows];
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < cols; j++) data[turned ? i * cols + j : j * rows + i] = factor * constant.data[i * cols + j]!;
  return { data, shape };
}

/** A constant that adds to every row alike: [out], [1, out] or one number. */
function biasOf(name: string, graph: Graph, makers: Makers, outputs: number, factor: number): Floats | undefined {
  const constant = constantOf(name, graph, makers);
  if (!constant || (constant.data.length !== outputs && constant.data.length !== 1)) return undefined;
  if (constant.data.length > 1 && constant.shape.at(-1) !== outputs) return undefined;
  const out = floats(precisionOf(constant.data), outputs);
  for (let j = 0; j < outputs; j++) out[j] = factor * constant.data[constant.data.length === 1 ? 0 : j]!;
  return out;
}
