// A small network as an ONNX file, for the runtimes and the soak.
import { Random } from '../../build/src/core/random.js';
import { Graph, graphTensor, modelOf } from '../../build/src/onnx/graph.js';
import { encodeModel } from '../../build/src/onnx/index.js';

/** x [N, 3] → Gemm, Tanh, Gemm → logits [N, 4], float32. */
export function network() {
  const graph = new Graph();
  const random = new Random(1);
  const weight = (name, shape) => {
    const size = shape.reduce((a, b) => a * b);
    graph.initializers.set(name, graphTensor('float32', random.fill(new Float32Array(size)), shape));
    return name;
  };
  const attributes = { transB: { type: 'int', value: 1 } };
  const node = (op, inputs, output, more = {}) =>
    graph.nodes.push({ op, domain: '', name: output, inputs, outputs: [output], attributes: more });
  graph.inputs = [{ name: 'x', type: 'float32', shape: ['N', 3] }];
  graph.outputs = [{ name: 'logits', type: 'float32', shape: ['N', 4] }];
  node('Gemm', ['x', weight('w1', [5, 3]), weight('b1', [5])], 'h', attributes);
  node('Tanh', ['h'], 't');
  node('Gemm', ['t', weight('w2', [4, 5]), weight('b2', [4])], 'logits', attributes);
  return encodeModel(modelOf(graph));
}
