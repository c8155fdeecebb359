import { Random } from '../../src/core/random.js';
import { Graph, graphTensor, type Model, modelOf } from '../../src/onnx/graph.js';
import { OnnxModel } from '../../src/onnx/index.js';
import { expectClose } from '../helpers/close.js';

/** logits = gelu(conv(x))·W in double precision, or with tanh and no convolution. */
function doubleModel(kind: 'gelu' | 'tanh'): Model {
  const random = new Random(3);
  const draw = (n: number) => random.fill(new Float64Array(n));
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type: 'float64', shape: ['N', 1, 3, 3] }];
  graph.outputs = [{ name: 'logits', type: 'float64', shape: ['N', 3] }];
  graph.initializers.set('K', graphTensor('float64', draw(8), [2, 1, 2, 2]));
  graph.initializers.set('W', graphTensor('float64', draw(kind === 'gelu' ? 24 : 27), [kind === 'gelu' ? 8 : 9, 3]));
  const node = (op: string, inputs: string[], outputs: string[]) => ({ op, domain: '', name: op, inputs, outputs, attributes: {} });
  const lines = kind === 'gelu' ? [node('Conv', ['x', 'K'], ['c']), node('Gelu', ['c'], ['a'])] : [node('Tanh', ['x'], ['a'])];
  graph.nodes = [...lines, node('Flatten', ['a'], ['f']), node('MatMul', ['f', 'W'], ['logits'])];
  return modelOf(graph, 20);
}

const x = { data: new Random(9).fill(new Float64Array(27)), shape: [3, 1, 3, 3] };
const batch = { x, y: Int32Array.of(0, 2, 1) };

test('a double model without double kernels in ONNX Runtime is answered by the reference evaluator, which is said', async () => {
  const model = await OnnxModel.open(doubleModel('gelu'), { loss: 'cross-entropy' });
  expect(model.precision).toBe('float64');
  const w = model.getParameters() as Float64Array;
  const { value, grad } = await model.gradient(batch);
  expect(model.usesReference).toBe(true);
  const direction = new Random(4).fill(new Float64Array(w.length));
  const at = async (t: number) => {
    model.setParameters(w.map((e, i) => e + t * direction[i]!));
    return model.gradient(batch);
  };
  const h = 1e-4;
  const [up, down] = [await at(h), await at(-h)];
  expectClose(
    (up.value - down.value) / (2 * h),
    direction.reduce((sum, v, i) => sum + v * grad[i]!, 0),
    { rtol: 1e-7 },
  );
  model.setParameters(w);
  expectClose(await model.loss(batch), value, { rtol: 1e-14 });
  expectClose(
    await model.hvp(batch, direction),
    direction.map((_, i) => (up.grad[i]! - down.grad[i]!) / (2 * h)),
    { rtol: 1e-6, atol: 1e-8 },
  );
  model.dispose();
});

test('a double model whose operators have double kernels stays on ONNX Runtime', async () => {
  const model = await OnnxModel.open(doubleModel('tanh'), { loss: 'mse' });
  const targets = { data: new Random(5).fill(new Float64Array(9)), shape: [3, 3] };
  const { grad } = await model.gradient({ x, y: targets });
  expect(grad).toBeInstanceOf(Float64Array);
  expect(model.usesReference).toBe(false);
  model.dispose();
});
