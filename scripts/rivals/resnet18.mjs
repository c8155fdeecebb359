// A network of ResNet-18's size and shape on 3 × 64 × 64 images, as an ONNX file: four stages of two residual blocks (64 to 512
// channels), normalization folded into the convolutions as exporters do, ten classes, 11.2 million parameters. Always the same numbers.
import { Random } from '../../build/src/core/random.js';
import { Graph, graphTensor, modelOf } from '../../build/src/onnx/graph.js';
import { encodeModel } from '../../build/src/onnx/index.js';

const ints = (...value) => ({ type: 'ints', value });

/** The bytes of the file. */
export function resnet18() {
  const graph = new Graph();
  const random = new Random(18);
  graph.inputs = [{ name: 'x', type: 'float32', shape: ['N', 3, 64, 64] }];
  graph.outputs = [{ name: 'logits', type: 'float32', shape: ['N', 10] }];
  let count = 0;
  const add = (op, inputs, attributes = {}, output = `v${count++}`) => {
    graph.nodes.push({ op, domain: '', name: `${op}_${output}`, inputs, outputs: [output], attributes });
    return output;
  };
  const draw = (name, shape, scale) => {
    const values = random.fill(new Float32Array(shape.reduce((a, b) => a * b, 1))).map((v) => scale * v);
    graph.initializers.set(name, graphTensor('float32', values, shape));
    return name;
  };
  const conv = (x, from, to, k, stride, scale = Math.sqrt(2 / (from * k * k))) => {
    const name = `conv${count}`;
    const pads = ints(...Array(4).fill((k - 1) / 2));
    const attributes = { kernel_shape: ints(k, k), strides: ints(stride, stride), pads };
    return add('Conv', [x, draw(`${name}.weight`, [to, from, k, k], scale), draw(`${name}.bias`, [to], 0.05)], attributes);
  };
  let x = add('Relu', [conv('x', 3, 64, 7, 2)]);
  x = add('MaxPool', [x], { kernel_shape: ints(3, 3), strides: ints(2, 2), pads: ints(1, 1, 1, 1) });
  let from = 64;
  for (const [stage, to] of [64, 128, 256, 512].entries()) {
    for (let block = 0; block < 2; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const inner = add('Relu', [conv(x, from, to, 3, stride)]);
      const side = from === to ? x : conv(x, from, to, 1, stride, Math.sqrt(1 / from));
      x = add('Relu', [add('Add', [conv(inner, to, to, 3, 1, Math.sqrt(0.5 / (to * 9))), side])]);
      from = to;
    }
  }
  const flat = add('Flatten', [add('GlobalAveragePool', [x])]);
  const head = [flat, draw('fc.weight', [10, 512], Math.sqrt(1 / 512)), draw('fc.bias', [10], 0.05)];
  add('Gemm', head, { transB: { type: 'int', value: 1 } }, 'logits');
  return encodeModel(modelOf(graph));
}
