// Derivatives of ONNX models against PyTorch. The models' folder is AFTERPASS_MODELS (default ../shared/models), data beside it.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { randomF32 } from '../../../build/src/bench/case.js';
import { readNpz } from '../../../build/src/core/npy.js';
import { OnnxModel } from '../../../build/src/onnx/index.js';
import { fromFunction } from '../engine.mjs';

const folder = process.env.AFTERPASS_MODELS ?? join('..', 'shared', 'models');

function problems(name, { python }) {
  const path = resolve(folder, `${name}.onnx`);
  const { x_train: x, y_train: y } = readNpz(readFileSync(join(folder, '..', 'data', 'digits.npz')));
  const batch = { x: { data: x.data.slice(0, 64 * 64), shape: [64, 1, 8, 8] }, y: Int32Array.from(y.data.slice(0, 64), Number) };
  const open = (weights) => OnnxModel.open(path, { weights, threads: 1 });
  const torch = (what) => async () => {
    const model = await open('baked');
    const v = randomF32(model.parameterCount, 9);
    const slots = model.layout.map((slot) => slot.name);
    const inputs = { x: batch.x, y: { data: batch.y, shape: [64] }, v: { data: v, shape: [v.length] } };
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
  const hvp = (model, v) => model.hvp(batch, v);
  const bakedForward = ours('baked', forward);
  const liveForward = ours('live', forward);
  const unlike = (make) => async () => ({ ...(await make()), result: undefined }); // another quantity: timed, not compared
  const size = [64];
  const row = (what, aim, met, make, rivals) => ({ name: `${name} ${what}`, size, aim, met, ours: make, rivals, tolerance: 5e-3 });
  const no = (ratio, limit) => !(ratio < 1 / limit);
  return [
    row('forward', 'shown for comparison', undefined, bakedForward, { PyTorch: torch('forward'), 'live forward': liveForward }),
    row(
      'gradient, baked',
      '<= 1.2x PyTorch, <= 2.5x the live forward',
      ({ rivals }) => no(rivals.PyTorch?.ratio, 1.2) && no(rivals['live forward']?.ratio, 2.5),
      ours('baked', gradient),
      { PyTorch: torch('gradient'), 'live forward': unlike(liveForward), 'baked forward': unlike(bakedForward) },
    ),
    row('gradient, live', '<= 3.5x the live forward', ({ rivals }) => no(rivals['live forward']?.ratio, 3.5), ours('live', gradient), {
      PyTorch: torch('gradient'),
      'live forward': unlike(liveForward),
    }),
    row(
      'HVP, baked',
      '<= 2.5x the gradient, <= 1x PyTorch',
      ({ rivals }) => no(rivals.PyTorch?.ratio, 1) && no(rivals['baked gradient']?.ratio, 2.5),
      ours('baked', hvp),
      { PyTorch: torch('hvp'), 'baked gradient': unlike(ours('baked', gradient)) },
    ),
  ];
}

/** All problems of this file. */
export const models = (context) => (existsSync(folder) ? ['digits-cnn', 'digits-resnet8'].flatMap((name) => problems(name, context)) : []);
