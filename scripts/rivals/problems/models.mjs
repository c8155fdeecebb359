// Derivatives of ONNX models against PyTorch and jax-js. The models' folder is AFTERPASS_MODELS (default ../shared/models), data beside it.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { randomF32 } from '../../../build/src/bench/case.js';
import { readNpz } from '../../../build/src/core/npy.js';
import { OnnxModel } from '../../../build/src/onnx/index.js';
import { fromFunction } from '../engine.mjs';
import { resnet18 } from '../resnet18.mjs';

const folder = process.env.AFTERPASS_MODELS ?? join('..', 'shared', 'models');

/** The handwritten digits' first 64, for a model of the folder. */
function digits(name) {
  const { x_train: x, y_train: y } = readNpz(readFileSync(join(folder, '..', 'data', 'digits.npz')));
  const batch = { x: { data: x.data.slice(0, 64 * 64), shape: [64, 1, 8, 8] }, y: Int32Array.from(y.data.slice(0, 64), Number) };
  return { name, path: resolve(folder, `${name}.onnx`), batch };
}

/** Eight drawn images for a network of ResNet-18's size, which is written when first asked for. */
function large() {
  const path = resolve('.cache', 'resnet18.onnx');
  mkdirSync('.cache', { recursive: true });
  if (!existsSync(path)) writeFileSync(path, resnet18());
  const x = { data: randomF32(8 * 3 * 64 * 64, 3), shape: [8, 3, 64, 64] };
  return { name: 'ResNet-18-sized', path, batch: { x, y: Int32Array.from({ length: 8 }, (_, i) => (3 * i) % 10) } };
}

function problems({ name, path, batch }, { python, peer }) {
  const samples = batch.y.length;
  const open = (weights) => OnnxModel.open(path, { weights, threads: 1 });
  const torch = (what) => async () => {
    const model = await open('baked');
    const v = randomF32(model.parameterCount, 9);
    const slots = model.layout.map((slot) => slot.name);
    const inputs = { x: batch.x, y: { data: batch.y, shape: [samples] }, v: { data: v, shape: [v.length] } };
    model.dispose();
    return python('torch_onnx', inputs, { path, what, slots })();
  };
  const ours = (weights, call) => async () => {
    const model = await open(weights);
    const v = randomF32(model.parameterCount, 9);
    const work = () => call(model, v);
    return { ...fromFunction(work, await work()), close: () => model.dispose() };
  };
  const forward = async (model) => (await model.predict(batch.x)).data;
  const gradient = async (model) => (await model.gradient(batch)).grad;
  const inputGradient = async (model) => (await model.inputGradient(batch)).grad.data;
  const hvp = (model, v) => model.hvp(batch, v);
  const bakedForward = ours('baked', forward);
  const liveForward = ours('live', forward);
  const jax = peer('jaxOnnx', (loaded) => jaxInputGradient(loaded, path, batch));
  const unlike = (make) => async () => ({ ...(await make()), result: undefined }); // another quantity: timed, not compared
  const row = (what, aim, met, make, rivals) => ({
    name: `${name} ${what}`,
    size: [samples],
    aim,
    met,
    ours: make,
    rivals,
    tolerance: 5e-3,
  });
  const no = (ratio, limit) => !(ratio < 1 / limit);
  const forwards = { 'live forward': unlike(liveForward), 'baked forward': unlike(bakedForward) };
  return [
    row('forward', 'shown for comparison', undefined, bakedForward, { PyTorch: torch('forward'), 'live forward': liveForward }),
    row(
      'gradient, baked',
      '<= 1.2x PyTorch, <= 2.5x the live forward',
      ({ rivals }) => no(rivals.PyTorch?.ratio, 1.2) && no(rivals['live forward']?.ratio, 2.5),
      ours('baked', gradient),
      { PyTorch: torch('gradient'), ...forwards },
    ),
    row('gradient, live', '<= 3.5x the live forward', ({ rivals }) => no(rivals['live forward']?.ratio, 3.5), ours('live', gradient), {
      PyTorch: torch('gradient'),
      ...forwards,
    }),
    row(
      'HVP, baked',
      '<= 2.5x the gradient, <= 1x PyTorch',
      ({ rivals }) => no(rivals.PyTorch?.ratio, 1) && no(rivals['baked gradient']?.ratio, 2.5),
      ours('baked', hvp),
      { PyTorch: torch('hvp'), 'baked gradient': unlike(ours('baked', gradient)), ...forwards },
    ),
    row('input gradient', 'shown for comparison', undefined, ours('baked', inputGradient), { '@jax-js/onnx': jax }),
  ];
}

/** The gradient of the mean cross-entropy in the input, by @jax-js/onnx on WebAssembly (it has no gradients in weights). */
async function jaxInputGradient({ jax, ONNXModel }, path, { x, y }) {
  const { numpy: np, nn } = jax;
  const model = new ONNXModel(new Uint8Array(readFileSync(path)));
  const [samples, classes] = [y.length, 10];
  const targets = np.array(
    Float32Array.from({ length: samples * classes }, (_, i) => (i % classes === y[Math.floor(i / classes)] ? 1 : 0)),
  );
  const hot = targets.reshape([samples, classes]);
  const loss = (input) => {
    const { logits } = model.run({ x: input });
    return nn
      .logSoftmax(logits)
      .mul(hot.ref)
      .sum()
      .mul(-1 / samples);
  };
  const slope = jax.jit(jax.grad(loss));
  const input = np.array(x.data.slice()).reshape([...x.shape]);
  const work = async () => Float32Array.from(await slope(input.ref).data());
  return { ...fromFunction(work, await work()), close: () => model.dispose() };
}

/** All problems of this file. */
export const models = (context) => [
  ...(existsSync(folder) ? ['digits-cnn', 'digits-resnet8', 'digits-transformer'].flatMap((name) => problems(digits(name), context)) : []),
  ...problems(large(), context),
];
