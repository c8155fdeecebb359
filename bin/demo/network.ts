// The demo's model, written with afterpass's own graph code: three convolutions, one pooling, one linear layer.
import { Random } from '../../src/core/random.js';
import { sizeOf } from '../../src/core/tensor.js';
import { type Attribute, Graph, type Model, modelOf, type Node } from '../../src/onnx/graph.js';

/** A small convolutional network for `size` × `size` images with He-normal weights drawn from the seed. */
export function digitsNetwork({ seed = 0, size = 12, channels = [24, 48, 64], classes = 10 } = {}): Model {
  const random = new Random(seed);
  const graph = new Graph();
  graph.name = 'digits';
  graph.inputs = [{ name: 'x', type: 'float32', shape: ['N', 1, size, size] }];
  graph.outputs = [{ name: 'logits', type: 'float32', shape: ['N', classes] }];

  const node = (op: string, name: string, inputs: string[], attributes: Record<string, Attribute> = {}, output = name): string => {
    const made: Node = { op, domain: '', name, inputs, outputs: [output], attributes };
    graph.nodes.push(made);
    return output;
  };
  const layer = (name: string, shape: number[]): string[] => {
    const fanIn = sizeOf(shape.slice(1));
    const weight = random.fill(new Float32Array(sizeOf(shape))).map((v) => v * Math.sqrt(2 / fanIn));
    graph.initializers.set(`${name}.weight`, { type: 'float32', data: weight, shape });
    graph.initializers.set(`${name}.bias`, { type: 'float32', data: new Float32Array(shape[0] as number), shape: [shape[0] as number] });
    return [`${name}.weight`, `${name}.bias`];
  };

  let value = 'x';
  let from = 1;
  for (const [k, to] of channels.entries()) {
    const pads: Attribute = { type: 'ints', value: [1, 1, 1, 1] };
    const kernel: Attribute = { type: 'ints', value: [3, 3] };
    value = node('Conv', `conv${k + 1}`, [value, ...layer(`conv${k + 1}`, [to, from, 3, 3])], { kernel_shape: kernel, pads });
    value = node('Relu', `relu${k + 1}`, [value]);
    const square: Attribute = { type: 'ints', value: [2, 2] };
    if (k === 1) value = node('MaxPool', 'pool', [value], { kernel_shape: square, strides: square });
    from = to;
  }
  value = node('Flatten', 'features', [node('GlobalAveragePool', 'mean', [value])]);
  node('Gemm', 'classify', [value, ...layer('classify', [classes, from])], { transB: { type: 'int', value: 1 } }, 'logits');
  return modelOf(graph, 17);
}
