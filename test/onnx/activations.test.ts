import type { ParameterSlot } from '../../src/core/model-types.js';
import { OnnxModel } from '../../src/onnx/onnx-model.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { mlp } from '../helpers/models.js';

test('values inside a model are those of its formulas, at the parameters of the call, all samples in one tensor', async () => {
  const model = await OnnxModel.open(mlp());
  const x = { data: randomF64(700 * 3, 2), shape: [700, 3] }; // more samples than one run takes
  const [w1, b1] = ['w1', 'b1'].map((name) => model.layout.find((slot) => slot.name === name)!) as unknown as [
    ParameterSlot,
    ParameterSlot,
  ];
  for (const factor of [1, 2]) {
    model.setParameters(model.getParameters().map((v) => factor * v));
    const w = model.getParameters();
    const { h, t, x: same } = await model.activations(x, ['h', 'x', 't']);
    const want = Float64Array.from({ length: 3500 }, (_, k) => {
      const [i, o] = [Math.floor(k / 5), k % 5];
      return [0, 1, 2].reduce((sum, c) => sum + w[w1.offset + 3 * o + c]! * x.data[3 * i + c]!, w[b1.offset + o]!);
    });
    expectClose(h!.data as Float64Array, want, { rtol: 1e-12, atol: 1e-12 });
    expectClose(t!.data as Float64Array, want.map(Math.tanh), { rtol: 1e-12, atol: 1e-12 });
    expect(same).toMatchObject({ shape: [700, 3] });
    expect(same!.data).toEqual(x.data);
  }
  await expect(model.activations(x, ['nowhere'])).rejects.toThrow(/values: expected names of values in the graph, got 'nowhere'/);
  model.dispose();
});
