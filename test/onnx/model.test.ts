import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Graph, graphTensor, modelOf, topological } from '../../src/onnx/graph.js';
import { decodeModel, encodeModel } from '../../src/onnx/model.js';
import { encodeTensor, fromHalf, toHalf, widen } from '../../src/onnx/tensor-proto.js';

const models = join(process.env.AFTERPASS_GOLDEN ?? join('..', 'shared', 'golden'), '..', 'models');
const files = existsSync(models) ? readdirSync(models).filter((name) => name.endsWith('.onnx')) : [];

function small(): ReturnType<typeof modelOf> {
  const graph = new Graph();
  graph.initializers.set('w', graphTensor('float32', [1, 0, 3, 0], [2, 2]));
  graph.inputs = [{ name: 'x', type: 'float32', shape: ['N', 2] }];
  graph.outputs = [{ name: 'y', type: 'float32', shape: ['N', 2] }];
  const attributes = {
    alpha: { type: 'float' as const, value: 0.5 },
    axes: { type: 'ints' as const, value: [-1, 2 ** 63] },
    mode: { type: 'string' as const, value: 'größe' },
    value: { type: 'tensor' as const, value: graphTensor('int64', [7]) },
    names: { type: 'strings' as const, value: ['a', ''] },
  };
  graph.nodes = [{ op: 'MatMul', domain: '', name: 'm', inputs: ['x', 'w'], outputs: ['y'], attributes }];
  const model = modelOf(graph);
  model.metadata.set('made', 'here');
  return model;
}

test.each(files)('%s survives decoding and encoding', (name) => {
  const model = decodeModel(readFileSync(join(models, name)));
  expect(decodeModel(encodeModel(model))).toEqual(model);
});

test('attributes of every kind, metadata and the end marker INT64_MAX survive', () => {
  const model = small();
  expect(decodeModel(encodeModel(model))).toEqual(model);
});

test('a sparse initializer is dense in memory and sparse in the file', () => {
  const model = small();
  model.graph.sparse.add('w');
  const again = decodeModel(encodeModel(model));
  expect(again.graph.initializers.get('w')).toEqual(model.graph.initializers.get('w'));
  expect([...again.graph.sparse]).toEqual(['w']);
});

test('unknown fields of a model are written back', () => {
  const bytes = encodeModel(small());
  const extra = Uint8Array.of(...bytes, 0xfa, 0x7f, 3, 1, 2, 3); // field 2047, three bytes
  expect(encodeModel(decodeModel(extra))).toEqual(extra);
});

test.each([0, 1, 7, 40, 0.5, -1, -30])('a file cut off at %p is refused as no ONNX file', (at) => {
  const bytes = encodeModel(small());
  const cut = at === 0.5 ? bytes.length >> 1 : at < 0 ? bytes.length + at : at;
  expect(() => decodeModel(bytes.subarray(0, cut))).toThrow(/model: expected an ONNX file/);
});

test('other bytes are refused as no ONNX file', () => {
  expect(() => decodeModel(new TextEncoder().encode('PK not a model'))).toThrow(/model: expected an ONNX file, got other bytes/);
});

describe('external data', () => {
  const withExternal = (location: string): Uint8Array => {
    const model = small();
    const bytes = encodeModel(model);
    const raw = encodeTensor('w', model.graph.initializers.get('w')!).rawData!;
    // raw_data (field 9) of the tensor becomes external_data (13) and data_location (14); lengths stay below 128.
    const at = indexOf(bytes, Uint8Array.of(0x4a, 16, ...raw));
    const entry = (key: string, value: string): number[] => {
      const [k, v] = [key, value].map((s) => [...new TextEncoder().encode(s)]);
      const body = [0x0a, k!.length, ...k!, 0x12, v!.length, ...v!];
      return [0x6a, body.length, ...body];
    };
    const inserted = [...entry('location', location), ...entry('offset', '4'), ...entry('length', '16'), 0x70, 1];
    return relength(bytes, at, 18, inserted);
  };

  test('comes from the caller by name, offset and length', () => {
    const data = new Uint8Array(24);
    data.set(new Uint8Array(Float32Array.of(5, 6, 7, 8).buffer), 4);
    const model = decodeModel(withExternal('w.bin'), { external: { 'w.bin': data } });
    expect([...model.graph.initializers.get('w')!.data]).toEqual([5, 6, 7, 8]);
  });

  test.each(['../w.bin', '/etc/w', 'a/../../w', 'C:w', 'a\\w', ''])('never leaves the folder of the model: %p', (location) => {
    expect(() => decodeModel(withExternal(location), { external: () => new Uint8Array(16) })).toThrow(
      /external data: expected a file name/,
    );
  });

  test('without a reader, or cut short, is refused by name', () => {
    expect(() => decodeModel(withExternal('w.bin'))).toThrow(/w: expected a reader/);
    expect(() => decodeModel(withExternal('w.bin'), { external: { 'w.bin': new Uint8Array(10) } })).toThrow(/w: expected 16 bytes/);
  });
});

test('half precision numbers convert both ways', () => {
  for (let h = 0; h < 65536; h++) {
    const x = fromHalf(h);
    if (!Number.isNaN(x) && toHalf(x) !== h) throw new Error(`${h} became ${toHalf(x)}`);
  }
  expect([toHalf(1e9), toHalf(65519), toHalf(2 ** -25), toHalf(1 + 2 ** -11)]).toEqual([0x7c00, 0x7bff, 0, 0x3c00]);
  expect([...widen(graphTensor('bfloat16', [0x3f80, 0xc000])).data]).toEqual([1, -2]);
});

test('nodes are put in order, and cycles, strangers and second makers are refused by name', () => {
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type: 'float32', shape: [1] }];
  const node = (op: string, inputs: string[], output: string) => ({ op, domain: '', name: op, inputs, outputs: [output], attributes: {} });
  graph.nodes = [node('B', ['a'], 'b'), node('A', ['x'], 'a')];
  expect(topological(graph).map(({ op }) => op)).toEqual(['A', 'B']);
  graph.nodes = [node('B', ['a'], 'b'), node('A', ['b'], 'a')];
  expect(() => topological(graph)).toThrow(/without cycles/);
  graph.nodes = [node('B', ['q'], 'b')];
  expect(() => topological(graph)).toThrow(/q: expected an input/);
  graph.nodes = [node('B', ['x'], 'b'), node('C', ['x'], 'b')];
  expect(() => topological(graph)).toThrow(/b: expected one node to make it/);
});

function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  for (let i = 0; i + part.length <= bytes.length; i++) if (part.every((byte, j) => bytes[i + j] === byte)) return i;
  throw new Error('part not found');
}

/** Replaces bytes inside model.graph.initializer[0] and repairs the two lengths around it. */
function relength(bytes: Uint8Array, at: number, removed: number, inserted: number[]): Uint8Array {
  const graphAt = indexOf(bytes, Uint8Array.of(0x3a));
  const width = bytes[graphAt + 1]! >= 128 ? 2 : 1;
  const graphLength = width === 2 ? (bytes[graphAt + 1]! & 127) | (bytes[graphAt + 2]! << 7) : bytes[graphAt + 1]!;
  const tensorAt = bytes.lastIndexOf(0x2a, at);
  const tensorLength = bytes[tensorAt + 1]!;
  const length = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, n >> 7]);
  const tensor = [...bytes.subarray(tensorAt + 2, at), ...inserted, ...bytes.subarray(at + removed, tensorAt + 2 + tensorLength)];
  const body = [
    ...bytes.subarray(graphAt + 1 + width, tensorAt),
    0x2a,
    ...length(tensor.length),
    ...tensor,
    ...bytes.subarray(tensorAt + 2 + tensorLength, graphAt + 1 + width + graphLength),
  ];
  return Uint8Array.of(
    ...bytes.subarray(0, graphAt + 1),
    ...length(body.length),
    ...body,
    ...bytes.subarray(graphAt + 1 + width + graphLength),
  );
}
