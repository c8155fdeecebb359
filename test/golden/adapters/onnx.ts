// The ONNX pillar: gradients and curvature products of exported models, written as ONNX models and run on ONNX Runtime in float32.
import { readFileSync } from 'node:fs';
import type { Model } from '../../../src/onnx/graph.js';
import { decodeModel, encodeModel, ggnModel, gradientModel, hvpModel } from '../../../src/onnx/index.js';
import { relativeError } from '../../helpers/close.js';
import { type Feeds, runModel } from '../../helpers/ort.js';
import type { GoldenAdapter, SecondOrderCase } from '../discover.js';

interface Slot {
  initializer: string;
  orientation: 'same' | 'transposed';
  name: string;
  shape: number[];
  offset: number;
  size: number;
}

const slotsOf = (c: SecondOrderCase): Slot[] => c.json.layout as Slot[];
const read = (c: SecondOrderCase): Model => decodeModel(readFileSync(c.path('onnx')));

/** A matrix the exporter stored transposed, turned back. */
function turn(data: ArrayLike<number>, [rows, columns]: number[]): Float64Array {
  return Float64Array.from({ length: data.length }, (_, i) => data[(i % rows!) * columns! + Math.floor(i / rows!)]!);
}

function feedsOf(c: SecondOrderCase, model: Model): Feeds {
  return {
    [model.graph.inputs[0]!.name]: { type: 'float32', data: Float32Array.from(c.array('x')), shape: c.arrays.x!.shape },
    labels: { type: 'int64', data: BigInt64Array.from(c.array('y'), (y) => BigInt(y)), shape: c.arrays.y!.shape },
  };
}

async function gradients(c: SecondOrderCase): Promise<void> {
  const model = read(c);
  const input = model.graph.inputs[0]!.name;
  const others = c.json.non_trainable_initializers as Record<string, Slot> | undefined;
  const slots = new Map(slotsOf(c).map((slot) => [slot.name, slot]));
  for (const [name, slot] of Object.entries(others ?? {})) slots.set(name, slot);
  const wanted = Object.keys(c.arrays).filter((name) => name.startsWith('grad.'));
  const wrt = wanted.map((name) => slots.get(name.slice(5))!.initializer);
  for (const weights of ['baked', 'live'] as const) {
    const written = encodeModel(gradientModel(model, { loss: 'cross-entropy', wrt: [...wrt, input], weights }));
    const live = weights === 'live' ? Object.fromEntries(wrt.map((name) => [name, model.graph.initializers.get(name)!])) : {};
    for (const level of ['disabled', 'all'] as const) {
      const out = await runModel(written, { ...feedsOf(c, model), ...live }, level);
      expect(Math.abs(Number(out.loss!.data[0]) - (c.json.loss_value as number))).toBeLessThan(1e-5);
      for (const name of wanted) {
        const slot = slots.get(name.slice(5))!;
        const want = slot.orientation === 'transposed' ? turn(c.array(name), c.arrays[name]!.shape) : c.array(name);
        expect(relativeError(out[`grad.${slot.initializer}`]!.data as Float32Array, want)).toBeLessThan(1e-5);
      }
      expect(relativeError(out[`grad.${input}`]!.data as Float32Array, c.array('grad_x'))).toBeLessThan(1e-5);
    }
  }
}

async function products(c: SecondOrderCase, kind: 'hvp' | 'ggnvp'): Promise<void> {
  const model = read(c);
  const slots = slotsOf(c);
  const options = { loss: 'cross-entropy' as const, wrt: slots.map((slot) => slot.initializer) };
  const written = encodeModel(kind === 'hvp' ? hvpModel(model, options) : ggnModel(model, options));
  const [rows, d] = c.arrays.v!.shape as [number, number];
  for (let row = 0; row < (kind === 'hvp' ? rows : 1); row++) {
    const v = c.array('v').subarray(row * d, row * d + d);
    const want = kind === 'hvp' ? c.array('hvp').subarray(row * d, row * d + d) : c.array('ggnvp0');
    const feeds = feedsOf(c, model);
    for (const { initializer, orientation, shape, offset, size } of slots) {
      const part = v.subarray(offset, offset + size);
      const data = Float32Array.from(orientation === 'transposed' ? turn(part, shape) : part);
      feeds[`tangent.${initializer}`] = { type: 'float32', data, shape: orientation === 'transposed' ? [...shape].reverse() : shape };
    }
    for (const level of ['disabled', 'all'] as const) {
      const out = await runModel(written, feeds, level);
      const got = new Float64Array(d);
      for (const { initializer, orientation, shape, offset } of slots) {
        const { data } = out[`${kind}.${initializer}`]!;
        got.set(orientation === 'transposed' ? turn(data as Float32Array, [...shape].reverse()) : (data as Float32Array), offset);
      }
      expect(relativeError(got, want)).toBeLessThan(1e-5);
    }
  }
}

const adapter: GoldenAdapter = {
  pillar: 'onnx',
  secondOrder: [
    { cases: /^onnx-/, what: 'gradients of every initializer and the input, baked and live', run: gradients },
    { cases: /^onnx-/, what: 'Hessian products', run: (c) => products(c, 'hvp') },
    { cases: /^onnx-/, what: 'Gauss–Newton products', run: (c) => products(c, 'ggnvp') },
  ],
};
export default adapter;
