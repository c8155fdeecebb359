// Runs a model file on ONNX Runtime, one thread.
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import type { GraphTensor } from '../../src/onnx/graph.js';

export type Feeds = Record<string, GraphTensor>;

/** Outputs by name. */
export async function runModel(bytes: Uint8Array, feeds: Feeds, level: 'disabled' | 'all' = 'all'): Promise<Feeds> {
  const session = await InferenceSession.create(bytes, { graphOptimizationLevel: level, intraOpNumThreads: 1, logSeverityLevel: 4 });
  try {
    const inputs = Object.fromEntries(
      Object.entries(feeds).map(([name, { type, data, shape }]) => [name, new OrtTensor(type as 'float32', data as Float32Array, shape)]),
    );
    const outputs = await session.run(inputs);
    return Object.fromEntries(
      Object.entries(outputs).map(([name, { type, data, dims }]) => [
        name,
        { type: type as 'float32', data: data as Float32Array, shape: dims },
      ]),
    );
  } finally {
    await session.release();
  }
}
