// JavaScript rivals: each loads when first asked for, runs on one thread, and is absent where its package is not installed.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Graph, modelOf } from '../../build/src/onnx/graph.js';
import { encodeModel } from '../../build/src/onnx/index.js';
import { fromFunction } from './engine.mjs';

/** Loaders of the peers in a folder with node_modules. */
export function loadPeers(toolbox) {
  const require = createRequire(join(toolbox, 'package.json'));
  const bring = (name) => import(pathToFileURL(require.resolve(name)).href);
  const once = (load) => {
    let loaded;
    return () =>
      (loaded ??= load().then(
        (value) => ({ value }),
        (error) => ({ absent: String(error.message).split('\n')[0] }),
      ));
  };
  const peers = {
    tfjs: once(async () => {
      const tf = require('@tensorflow/tfjs');
      const wasm = require('@tensorflow/tfjs-backend-wasm');
      wasm.setThreadsCount(1);
      wasm.setWasmPaths(`${join(toolbox, 'node_modules/@tensorflow/tfjs-backend-wasm/dist')}/`);
      await tf.setBackend('wasm');
      await tf.ready();
      return tf;
    }),
    jax: once(async () => {
      const jax = await import(pathToFileURL(join(toolbox, 'node_modules/@jax-js/jax/dist/index.js')).href);
      await jax.init('wasm');
      jax.defaultDevice('wasm');
      return jax;
    }),
    jaxOnnx: once(async () => {
      const { value: jax, absent } = await peers.jax();
      if (absent) throw new Error(absent);
      const { ONNXModel } = await import(pathToFileURL(join(toolbox, 'node_modules/@jax-js/onnx/dist/index.js')).href);
      return { jax, ONNXModel };
    }),
    ortWeb: once(async () => {
      const ort = await bring('onnxruntime-web');
      const module = ort.InferenceSession ? ort : ort.default;
      module.env.wasm.numThreads = 1;
      return module;
    }),
    ortNode: once(async () => {
      const ort = await import('onnxruntime-node');
      return ort.InferenceSession ? ort : ort.default;
    }),
    mlMatrix: once(async () => require('ml-matrix')),
  };
  const versions = {};
  for (const name of ['@tensorflow/tfjs', '@jax-js/jax', '@jax-js/onnx', 'onnxruntime-web', 'ml-matrix']) {
    try {
      versions[name] = require(`${name}/package.json`).version;
    } catch {
      try {
        versions[name] = JSON.parse(require('node:fs').readFileSync(join(toolbox, 'node_modules', name, 'package.json'), 'utf8')).version;
      } catch {
        versions[name] = 'absent';
      }
    }
  }
  /** Work with a peer, or absent. */
  const withPeer = (name, make) => async () => {
    const { value, absent } = await peers[name]();
    return absent ? { absent } : make(value);
  };
  return { versions, withPeer };
}

/** A session of one ONNX operator on float inputs, as something to sample. */
export async function operatorSession(ort, op, inputs) {
  const graph = new Graph();
  graph.inputs = Object.entries(inputs).map(([name, { shape }]) => ({ name, type: 'float32', shape: [...shape] }));
  graph.outputs = [{ name: 'result', type: 'float32', shape: ['M', 'N'] }];
  graph.nodes.push({ op, domain: '', name: op, inputs: Object.keys(inputs), outputs: ['result'], attributes: {} });
  const session = await ort.InferenceSession.create(encodeModel(modelOf(graph)), { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, { data, shape }]) => [name, new ort.Tensor('float32', data, [...shape])]),
  );
  const { result } = await session.run(feeds);
  return { ...fromFunction(() => session.run(feeds), Float32Array.from(result.data)), close: () => session.release() };
}
