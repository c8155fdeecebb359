import type { Model } from '../../../src/onnx/graph.js';
import { encodeModel, type OnnxModel } from '../../../src/onnx/index.js';
import type { Ort } from '../../../src/onnx/ort-types.js';
import { pruneChannels, quantizeModel } from '../../../src/workflows/index.js';

type Area = typeof import('../../../src/onnx/index.js');

/** x [N, 3] → Gemm, Tanh, Gemm → logits [N, 4], float32 (scripts/runtimes/network.mjs). */
const text = [
  'CAgSCWFmdGVycGFzczqJAwomCgF4CgJ3MQoCYjESAWgaAWgiBEdlbW0qDQoGdHJhbnNCGAGgAQIKDwoBaBIBdBoBdCIEVGFuaAowCgF0CgJ3MgoCYjISBmxv',
  'Z2l0cxoGbG9naXRzIgRHZW1tKg0KBnRyYW5zQhgBoAECEgVncmFwaCpICgIFAxABQgJ3MUo8iJZrv8a0L784bvM/mZJXv4DTlz7apPg/MqbEvYSPCMCuiIC+',
  'KDxwP+Z/gb8UvhO/ozDRvskBBUBsvF2/Kh8KAQUQAUICYjFKFD4Xn78JiyS/r4o/vqzmLb9BgX4/KlwKAgQFEAFCAncySlDf4ApAHJGMvhqkKj8zc9M/+6BW',
  'vm2/BD+U5E4/HFQyP+9bz75qE9+70B8Uvzjlrb8kudi/V5DSvu2oIz1fAKc+IdPAPrmSXD9474q+0T8RQCobCgEEEAFCAmIyShAvGNk/GsUNP8oAj7/FFcM/',
  'WhQKAXgSDwoNCAESCQoDEgFOCgIIA2IZCgZsb2dpdHMSDwoNCAESCQoDEgFOCgIIBEIECgAQEQ==',
].join('');
export const network = (): Uint8Array => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const x = { data: Float32Array.from({ length: 15 }, (_, i) => ((i * 7) % 11) / 5 - 1), shape: [5, 3] };
const batch = { x, y: Int32Array.of(0, 1, 2, 3, 1) };
const loss = 'cross-entropy' as const;

/** The model with a large matrix of few numbers beside its own. */
function mostlyZero(model: Model): Model {
  const data = Float32Array.from({ length: 3000 }, (_, i) => (i % 7 ? 0 : i));
  model.graph.initializers.set('large', { type: 'float32', data, shape: [30, 100] });
  return model;
}

/** One small call per function that needs no ONNX Runtime: the bytes of what it writes. */
export const calls: Record<string, (area: Area) => unknown> = {
  'decode-model': ({ decodeModel }) => {
    const { graph, opsets } = decodeModel(network());
    return { nodes: graph.nodes.length, weights: graph.initializers.get('w1')?.data, opset: opsets.get('') };
  },
  'encode-model': ({ decodeModel, encodeModel }) => encodeModel(decodeModel(network())),
  'compact-model': ({ compactModel, decodeModel, encodeModel }) => encodeModel(compactModel(mostlyZero(decodeModel(network()))).model),
  'expand-model': ({ compactModel, decodeModel, encodeModel, expandModel }) =>
    encodeModel(expandModel(compactModel(mostlyZero(decodeModel(network()))).model)),
  'read-model': ({ readModel, encodeModel }) => encodeModel(readModel(network())),
  'parameter-slots': ({ decodeModel, parameterSlots }) =>
    parameterSlots(decodeModel(network())).map(({ offset, shape }) => [offset, ...shape]),
  'supported-ops': ({ supportedOps }) => supportedOps().length,
  'unsupported-ops': ({ decodeModel, unsupportedOps }) => ({ count: unsupportedOps(decodeModel(network())).length }),
  'gradient-model': ({ decodeModel, encodeModel, gradientModel }) => encodeModel(gradientModel(decodeModel(network()), { loss })),
  'vjp-model': ({ decodeModel, encodeModel, vjpModel }) => encodeModel(vjpModel(decodeModel(network()), { wrt: 'inputs' })),
  'jvp-model': ({ decodeModel, encodeModel, jvpModel }) => encodeModel(jvpModel(decodeModel(network()), { wrt: 'all' })),
  'hvp-model': ({ decodeModel, encodeModel, hvpModel }) => encodeModel(hvpModel(decodeModel(network()), { loss, weights: 'live' })),
  'ggn-model': ({ decodeModel, encodeModel, ggnModel }) => encodeModel(ggnModel(decodeModel(network()), { loss })),
  'per-sample-gradient-model': ({ decodeModel, encodeModel, perSampleGradientModel }) =>
    encodeModel(perSampleGradientModel(decodeModel(network()), { loss })),
};

/** One call per method of OnnxModel, on the ONNX Runtime given. */
export const ortCalls: Record<string, (area: Area, ort: Ort) => Promise<unknown>> = Object.fromEntries(
  Object.entries({
    predict: (model) => model.predict(x),
    loss: (model) => model.loss(batch),
    gradient: (model) => model.gradient(batch),
    hvp: (model) => model.hvp(batch, model.getParameters()),
    ggnvp: (model) => model.ggnvp(batch, model.getParameters()),
    inputGradient: (model) => model.inputGradient(batch),
    perSampleGradients: (model) => model.perSampleGradients(batch),
    jvp: (model) => model.jvp(x, model.getParameters()),
    vjp: (model) => model.vjp(x, { data: new Float32Array(20).fill(0.5), shape: [5, 4] }),
    setParameters: async (model) => {
      model.setParameters(model.getParameters().map((w) => w / 2));
      return { value: await model.loss(batch), w: model.getParameters() };
    },
    save: (model) => model.save(),
    toModel: async (model) => encodeModel(model.toModel()),
    activations: (model) => model.activations(x, ['h', 't']),
    reopen: async (model) => {
      const again = await model.reopen(model.toModel());
      try {
        return await again.loss(batch);
      } finally {
        again.dispose();
      }
    },
    pruneChannels: async (model) => {
      const { groups, pruned, after } = await pruneChannels(model, batch, { sparsity: 0.3 });
      return { kept: groups.map(({ kept }) => kept), pruned, loss: after.loss };
    },
    // Not its bytes: a value on the edge between two integers may fall to either side.
    quantizeModel: async (model) => (await quantizeModel(model, batch, { activations: 'none' })).meanBits,
  } satisfies Record<string, (model: OnnxModel) => Promise<unknown>>).map(([name, call]) => [
    name,
    async ({ OnnxModel }: Area, ort: Ort) => {
      const model = await OnnxModel.open(network(), { ort, threads: 1 });
      try {
        return await call(model);
      } finally {
        model.dispose();
      }
    },
  ]),
);
