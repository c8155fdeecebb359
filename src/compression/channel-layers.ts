// The layers of a graph whose extents follow the channels that groups keep, each as a small model of its own that can be timed.
import { sizeOf, type TypedArray } from '../core/tensor.js';
import { arrayOf, Graph, type GraphTensor, intOf, type Model, type Node } from '../onnx/graph.js';
import type { ChannelGroup } from './channel-groups.js';
import { prunableGroups } from './channel-prune.js';

/** A convolution or product, and which axes of its weights hold channels of which groups. */
export interface ChannelLayer {
  readonly node: Node;
  readonly weight: GraphTensor;
  readonly cuts: readonly { readonly axis: number; readonly group: number; readonly channels: number; readonly repeat: number }[];
  readonly depthwise: boolean;
}

/** The layers that make, read or filter channels that may go, in graph order; groups are numbered as `channelPrune` lists them. */
export function channelLayers(graph: Graph): ChannelLayer[] {
  const groups = prunableGroups(graph);
  return graph.nodes.flatMap((node) => {
    const name = node.inputs[1] ?? '';
    const weight = graph.initializers.get(name);
    const depthwise = groups.some((group) => group.depthwise.includes(node));
    const cuts = groups.flatMap((group, g) => cutsOf(group, g, name, depthwise));
    return weight && cuts.length > 0 ? [{ node, weight, cuts, depthwise }] : [];
  });
}

function cutsOf({ channels, slices }: ChannelGroup, group: number, weight: string, depthwise: boolean): ChannelLayer['cuts'] {
  return slices
    .filter(({ initializer, role }) => initializer === weight && (role !== 'carries' || depthwise))
    .map(({ axis, repeat }) => ({ axis, group, channels, repeat }));
}

/** Shape of a layer's weights when every group keeps so many channels. */
export function shapeOf({ weight, cuts }: ChannelLayer, kept: readonly number[]): number[] {
  return weight.shape.map((extent, axis) =>
    cuts
      .filter((cut) => cut.axis === axis)
      .reduce((left, { group, channels, repeat }) => left - (channels - (kept[group] as number)) * repeat, extent),
  );
}

/** Shape of what the layer reads, from the shape of what it reads in the whole network. */
export function inputShape({ node, depthwise }: ChannelLayer, shape: readonly number[], whole: readonly number[]): number[] {
  if (node.op === 'Conv') return [whole[0] as number, depthwise ? (shape[0] as number) : (shape[1] as number), ...whole.slice(2)];
  const along = node.op === 'Gemm' && intOf(node, 'transB', 0) === 1 ? 1 : 0;
  return [...whole.slice(0, -1), shape[along] as number];
}

/** The layer `copies` times on one input `x` of a shape, with weights of this shape, and the outputs summed under these names. */
export function layerModel(
  { node, weight: { type }, depthwise }: ChannelLayer,
  {
    shape,
    input,
    copies,
    outputs,
    like,
  }: { shape: readonly number[]; input: readonly number[]; copies: number; outputs: readonly string[]; like: Model },
): Model {
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type, shape: input }];
  graph.outputs = outputs.map((name) => ({ name, type, shape: undefined }));
  for (let i = 0; i < copies; i++) {
    const data = (arrayOf(type, sizeOf(shape)) as TypedArray & Float32Array).fill((i + 1) / 64); // different, or one would do for all
    graph.initializers.set(`w${i}`, { type, data, shape });
    const attributes = depthwise ? { ...node.attributes, group: { type: 'int', value: shape[0] as number } as const } : node.attributes;
    graph.nodes.push({ ...node, name: '', inputs: ['x', `w${i}`], outputs: [`y${i}`], attributes });
    if (i > 0) graph.nodes.push(add(i === 1 ? 'y0' : `s${i - 1}`, `y${i}`, `s${i}`));
  }
  const last = copies > 1 ? `s${copies - 1}` : 'y0';
  for (const name of outputs) graph.nodes.push({ ...add(last, '', name), op: 'Identity', inputs: [last] });
  return { ...like, graph, functions: [], metadata: new Map() };
}

function add(a: string, b: string, out: string): Node {
  return { op: 'Add', domain: '', name: '', inputs: [a, b], outputs: [out], attributes: {} };
}
