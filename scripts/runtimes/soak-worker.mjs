// One thread of the soak: all example calls in turn, four at a time, and a model of ONNX Runtime opened, used by overlapping calls, released.
import { parentPort, workerData } from 'node:worker_threads';
import { capabilities } from 'afterpass';
import { OnnxModel } from 'afterpass/onnx';
import * as calls from '../../.cache/calls.mjs';

const { areas, model: bytes, number } = workerData;
const modules = Object.fromEntries(await Promise.all(areas.map(async (area) => [area, await import(`afterpass/${area}`)])));
const list = areas.flatMap((area) =>
  Object.entries(calls[area.replaceAll('-', '_')]).map(([name, call]) => [`${area}/${name}`, () => call(modules[area])]),
);
let made = 0;
let stopped = false;
const pause = () => new Promise((done) => setImmediate(done));

parentPort.on('message', (message) => {
  if (message === 'stop') stopped = true;
  else {
    globalThis.gc?.();
    parentPort.postMessage({ calls: made, heap: process.memoryUsage().heapUsed, wasm: capabilities().wasmBytes });
  }
});

/** Six overlapping calls on one model, and a change of parameters between them, as one promise. */
async function derivatives() {
  const model = await OnnxModel.open(bytes, { threads: 1 });
  const batch = {
    x: { data: Float32Array.from({ length: 15 }, (_, i) => ((i * 7) % 11) / 5 - 1), shape: [5, 3] },
    y: Int32Array.of(0, 1, 2, 3, 1),
  };
  const w = model.getParameters();
  const work = [model.gradient(batch), model.hvp(batch, w), model.perSampleGradients(batch), model.predict(batch.x)];
  model.setParameters(w.map((x) => x / 2));
  work.push(model.ggnvp(batch, w), model.gradient(batch));
  const results = await Promise.all(work);
  if (!(results[0].value > 0) || results[0].value === results[5].value) throw new Error('gradients of two parameters are equal');
  model.dispose();
  made += work.length;
}

list.push(...list.splice(0, (number * 31) % list.length)); // no two threads make the same calls at the same time
while (!stopped) {
  for (let i = 0; i < list.length && !stopped; i += 4) {
    await Promise.all(
      list.slice(i, i + 4).map(async ([name, call]) => {
        try {
          await call();
        } catch (error) {
          throw new Error(`${name}: ${error.message}`, { cause: error });
        }
        made++;
      }),
    );
    await pause();
  }
  await Promise.all([derivatives(), derivatives()]);
}
parentPort.close();
