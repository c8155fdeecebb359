// Layers of a graph that are matrix products with constant weights, as matrices: Conv over its patches, Gemm and MatMul as they are.
import { GraphError } from '../core/errors.js';
import { type FloatArray, floats, precisionOf, sizeOf, type Tensor } from '../core/tensor.js';
import { type Graph, type GraphTensor, intOf, intsOf, type Node, stringOf } from '../onnx/graph.js';

/** `groups` matrices [rows, cols] (out × in) inside one initializer. */
export interface LinearLayer {
  readonly node: Node;
  /** The initializer that holds the weights, and the value that they multiply. */
  readonly weight: string;
  readonly input: string;
  readonly groups: number;
  readonly rows: number;
  readonly cols: number;
  /** Axis of the weights that counts outputs. */
  readonly axis: number;
  /** Element of the initializer at [group · rows + row, col]. */
  readonly places: Int32Array;
  /** Spatial extents of a convolution's kernel; none for products. */
  readonly kernel: readonly number[];
}

/** The Conv, Gemm and MatMul nodes of a graph whose weights are float initializers, in graph order; each initializer once. */
export function linearLayers({ nodes, initializers }: Graph): LinearLayer[] {
  const seen = new Set<string>();
  const out: LinearLayer[] = [];
  for (const node of nodes) {
    const [input = '', weight = ''] = node.inputs;
    const tensor = initializers.get(weight);
    if (node.domain !== '' || !tensor?.type.startsWith('float') || initializers.has(input) || seen.has(weight)) continue;
    const layer = shaped(node, tensor.shape);
    if (!layer) continue;
    seen.add(weight);
    out.push({ node, weight, input, ...layer });
  }
  return out;
}

function shaped(node: Node, shape: readonly number[]): Omit<LinearLayer, 'node' | 'weight' | 'input'> | undefined {
  const size = sizeOf(shape);
  const [first = 0, second = 0] = shape;
  if (node.op === 'Conv') {
    const groups = intOf(node, 'group', 1);
    const places = Int32Array.from({ length: size }, (_, k) => k);
    return { groups, rows: first / groups, cols: size / first, axis: 0, places, kernel: shape.slice(2) };
  }
  if (shape.length !== 2 || (node.op !== 'Gemm' && node.op !== 'MatMul') || intOf(node, 'transA', 0) === 1) return undefined;
  if (intOf(node, 'transB', 0) === 1)
    return { groups: 1, rows: first, cols: second, axis: 0, places: Int32Array.from({ length: size }, (_, k) => k), kernel: [] };
  const places = Int32Array.from({ length: size }, (_, k) => (k % first) * second + Math.floor(k / first));
  return { groups: 1, rows: second, cols: first, axis: 1, places, kernel: [] };
}

/** The weights of one group of a layer, [rows, cols]. */
export function matrixOf({ rows, cols, places }: LinearLayer, data: FloatArray, group = 0): Tensor<FloatArray> {
  const out = floats(precisionOf(data), rows * cols);
  for (let k = 0; k < out.length; k++) out[k] = data[places[group * rows * cols + k] as number] as number;
  return { data: out, shape: [rows, cols] };
}

/**
 * What a layer multiplies: rows [at most `limit`, cols] of one group, spread evenly over samples and places.
 *
 * @param value the layer's input for some samples: [n, channels, …] for a Conv, […, cols] otherwise
 * @throws {GraphError} when the value does not fit the layer
 */
export function inputRows(layer: LinearLayer, value: Tensor, limit: number, group = 0): Tensor<FloatArray> {
  const data = value.data as FloatArray;
  const { cols, node } = layer;
  const patches = node.op === 'Conv' ? patchesOf(layer, value.shape, group) : undefined;
  if (!patches && value.shape.at(-1) !== cols)
    throw new GraphError(`${layer.input}: expected values of ${cols} columns, got shape [${value.shape.join(', ')}]`);
  const total = patches ? patches.count : data.length / cols;
  const rows = Math.min(limit, total);
  const out = floats(precisionOf(data), rows * cols);
  for (let i = 0; i < rows; i++) {
    const at = Math.floor((i * total) / rows);
    if (patches) patches.copy(data, at, out, i * cols);
    else out.set(data.subarray(at * cols, (at + 1) * cols), i * cols);
  }
  return { data: out, shape: [rows, cols] };
}

interface Patches {
  readonly count: number;
  copy(from: FloatArray, patch: number, to: FloatArray, offset: number): void;
}

/** Patches that a convolution reads, any number of spatial axes. */
function patchesOf({ node, cols, groups, input, kernel }: LinearLayer, shape: readonly number[], group: number): Patches {
  const [n = 0, channels = 0, ...extents] = shape;
  const perGroup = channels / groups;
  if (kernel.length !== extents.length || perGroup * sizeOf(kernel) !== cols)
    throw new GraphError(`${input}: expected what a Conv of kernel [${kernel.join(', ')}] reads, got shape [${shape.join(', ')}]`);
  const strides = intsOf(node, 'strides') ?? extents.map(() => 1);
  const dilations = intsOf(node, 'dilations') ?? extents.map(() => 1);
  const pads = padsOf(node, extents, kernel, strides, dilations);
  const outs = extents.map((extent, a) => {
    const reach = (dilations[a] as number) * ((kernel[a] as number) - 1) + 1;
    const padded = extent + (pads[a] as number) + (pads[a + extents.length] as number);
    return Math.floor((padded - reach) / (strides[a] as number)) + 1;
  });
  const [places, taps, area] = [sizeOf(outs), sizeOf(kernel), sizeOf(extents)];
  const copy = (from: FloatArray, patch: number, to: FloatArray, offset: number): void => {
    const [sample, place] = [Math.floor(patch / places), patch % places];
    const base = (sample * channels + group * perGroup) * area;
    for (let tap = 0; tap < taps; tap++) {
      let [p, t, at, step, inside] = [place, tap, 0, 1, true];
      for (let a = extents.length - 1; a >= 0; a--) {
        const [o, k] = [p % (outs[a] as number), t % (kernel[a] as number)];
        [p, t] = [(p - o) / (outs[a] as number), (t - k) / (kernel[a] as number)];
        const i = o * (strides[a] as number) + k * (dilations[a] as number) - (pads[a] as number);
        inside &&= i >= 0 && i < (extents[a] as number);
        at += i * step;
        step *= extents[a] as number;
      }
      if (!inside) continue;
      for (let c = 0; c < perGroup; c++) to[offset + c * taps + tap] = from[base + c * area + at] as number;
    }
  };
  return { count: n * places, copy };
}

function padsOf(
  node: Node,
  extents: readonly number[],
  kernel: readonly number[],
  strides: readonly number[],
  dilations: readonly number[],
): readonly number[] {
  const mode = stringOf(node, 'auto_pad', 'NOTSET');
  if (mode === 'NOTSET') return intsOf(node, 'pads') ?? new Array(2 * extents.length).fill(0);
  if (mode === 'VALID') return new Array(2 * extents.length).fill(0);
  const totals = extents.map((extent, a) => {
    const [k, s, d] = [kernel[a] as number, strides[a] as number, dilations[a] as number];
    return Math.max(0, (Math.ceil(extent / s) - 1) * s + d * (k - 1) + 1 - extent);
  });
  const small = totals.map((t) => Math.floor(t / 2));
  const large = totals.map((t) => Math.ceil(t / 2));
  return mode === 'SAME_UPPER' ? [...small, ...large] : [...large, ...small];
}

/** The weights of a layer as floats, from its graph. */
export function weightsOf(graph: Graph, { weight }: LinearLayer): FloatArray {
  return (graph.initializers.get(weight) as GraphTensor).data as FloatArray;
}
