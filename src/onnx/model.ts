// ONNX files in and out of memory.

import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import { asRecord } from '../core/check.js';
import { DomainError, GraphError } from '../core/errors.js';
import { brandOf, describe } from '../core/tensor.js';
import {
  type Attribute,
  checkDecoded,
  type Dim,
  elementCode,
  elementTypes,
  type FunctionBody,
  Graph,
  type Model,
  type Node,
  topological,
  type ValueInfo,
} from './graph.js';
import {
  type AttributeProto,
  type FunctionProto,
  type GraphProto,
  type ModelProto,
  modelTable,
  type NodeProto,
  type OpsetProto,
  type ValueInfoProto,
} from './schema.js';
import { decodeSparse, decodeTensor, type ExternalReader, encodeSparse, encodeTensor } from './tensor-proto.js';
import { type Message, readMessage, writeMessage } from './wire.js';

export interface DecodeOptions {
  /** Where external data comes from: files by name, or a function (location, offset, length) that returns the bytes. */
  readonly external?: Readonly<Record<string, Uint8Array>> | ExternalReader;
}

const text = new TextDecoder();
const utf8 = new TextEncoder();
const attributeTypes = ['', 'float', 'int', 'string', 'tensor', 'graph', 'floats', 'ints', 'strings', 'tensors', 'graphs'] as const;

/**
 * Reads an ONNX model file: nodes in topological order, initializers (dense, sparse, external) as tensors.
 *
 * @param bytes the file; `external` gives the bytes of files kept beside it (names that leave its folder are refused)
 * @returns a Model that `encodeModel` writes back; fields this version does not know are kept
 * @throws {GraphError} when the bytes are not ONNX, are cut off, or contradict themselves
 */
export function decodeModel(bytes: Uint8Array, options: DecodeOptions = {}): Model {
  const { external } = asRecord('options', options);
  if (brandOf(bytes) !== 'Uint8Array')
    throw new DomainError(`model: expected the bytes of an ONNX file in a Uint8Array, got ${describe(bytes)}`);
  let proto: ModelProto;
  try {
    proto = readMessage(new BinaryReader(bytes), modelTable) as ModelProto;
  } catch (cause) {
    // ModelProto starts with ir_version (tag 8): anything else never was one.
    const got =
      bytes.length === 0 ? 'an empty file' : bytes[0] === 8 ? `a truncated or damaged one (${bytes.length} bytes)` : 'other bytes';
    throw new GraphError(`model: expected an ONNX file, got ${got}`, {}, { cause });
  }
  if (!proto.graph || !proto.opset?.length) {
    const got = proto.irVersion === undefined ? (bytes.length ? 'other bytes' : 'an empty file') : 'a truncated one';
    throw new GraphError(`model: expected an ONNX file with a graph and an operator set, got ${got}`);
  }
  const read = typeof external === 'function' ? external : external && readerOf(external);
  const model: Model = {
    irVersion: proto.irVersion ?? 3,
    opsets: decodeOpsets(proto.opset),
    graph: decodeGraph(proto.graph, read),
    functions: (proto.functions ?? []).map((f) => decodeFunction(f, read)),
    metadata: new Map((proto.metadata ?? []).map(({ key = '', value = '' }) => [key, value])),
    producerName: proto.producerName ?? '',
    producerVersion: proto.producerVersion ?? '',
    domain: proto.domain ?? '',
    modelVersion: proto.modelVersion ?? 0,
    doc: proto.docString,
    ...(proto.unknown && { unknown: proto.unknown }),
  };
  model.graph.nodes = topological(model.graph);
  return model;
}

function readerOf(files: Readonly<Record<string, Uint8Array>>): ExternalReader {
  return (location, offset, length) => {
    const bytes = Object.hasOwn(files, location) ? files[location] : undefined;
    if (!bytes) throw new GraphError(`external data: expected a file '${location}', got ${Object.keys(files).join(', ') || 'none'}`);
    return bytes.subarray(offset, length === undefined ? undefined : offset + length);
  };
}

function decodeOpsets(list: readonly OpsetProto[]): Map<string, number> {
  return new Map(list.map(({ domain = '', version = 1 }) => [domain === 'ai.onnx' ? '' : domain, version]));
}

function decodeGraph(proto: GraphProto, external: ExternalReader | undefined): Graph {
  const graph = new Graph();
  graph.name = proto.name ?? '';
  graph.doc = proto.docString;
  graph.nodes = (proto.node ?? []).map((n) => decodeNode(n, external));
  for (const t of proto.initializer ?? []) graph.initializers.set(t.name ?? '', decodeTensor(t, external));
  for (const s of proto.sparseInitializer ?? []) {
    const { name, tensor } = decodeSparse(s, external);
    graph.initializers.set(name, tensor);
    graph.sparse.add(name);
  }
  graph.inputs = (proto.input ?? []).map(decodeValue);
  graph.outputs = (proto.output ?? []).map(decodeValue);
  for (const v of proto.valueInfo ?? []) graph.values.set(v.name ?? '', decodeValue(v));
  if (proto.unknown) graph.unknown = proto.unknown;
  return graph;
}

function decodeNode(proto: NodeProto, external: ExternalReader | undefined): Node {
  return {
    op: proto.opType ?? '',
    domain: proto.domain === 'ai.onnx' ? '' : (proto.domain ?? ''),
    name: proto.name ?? '',
    inputs: proto.input ?? [],
    outputs: proto.output ?? [],
    attributes: decodeAttributes(proto.attribute ?? [], external),
    ...(proto.unknown && { unknown: proto.unknown }),
  };
}

function decodeAttributes(list: readonly AttributeProto[], external: ExternalReader | undefined): Record<string, Attribute> {
  return Object.fromEntries(list.map((a) => [a.name ?? '', decodeAttribute(a, external)]));
}

function decodeAttribute(a: AttributeProto, external: ExternalReader | undefined): Attribute {
  if (a.refAttrName) return { type: 'reference', value: a.refAttrName, of: a.type ?? 0 };
  const type = attributeTypes[a.type ?? guessType(a)];
  switch (type) {
    case 'float':
      return { type, value: a.f ?? 0 };
    case 'int':
      return { type, value: a.i ?? 0 };
    case 'string':
      return { type, value: text.decode(a.s) };
    case 'tensor':
      return { type, value: decodeTensor(a.t ?? {}, external) };
    case 'graph':
      return { type, value: decodeGraph(a.g ?? {}, external) };
    case 'floats':
      return { type, value: a.floats ?? [] };
    case 'ints':
      return { type, value: a.ints ?? [] };
    case 'strings':
      return { type, value: (a.strings ?? []).map((s) => text.decode(s)) };
    case 'tensors':
      return { type, value: (a.tensors ?? []).map((t) => decodeTensor(t, external)) };
    case 'graphs':
      return { type, value: (a.graphs ?? []).map((g) => decodeGraph(g, external)) };
    default:
      // A sparse constant is the only other kind a tensor graph holds.
      if (a.sparse) return { type: 'tensor', value: decodeSparse(a.sparse, external).tensor };
      throw new GraphError(`attribute ${a.name}: expected a number, string, tensor or graph, got type ${a.type}`);
  }
}

/** IR version 1 files leave the type out: it follows from the field that is set. */
function guessType(a: AttributeProto): number {
  const fields = [a.f, a.i, a.s, a.t, a.g, a.floats, a.ints, a.strings, a.tensors, a.graphs];
  return fields.findIndex((value) => value !== undefined) + 1;
}

function decodeValue(proto: ValueInfoProto): ValueInfo {
  const name = proto.name ?? '';
  const shape = proto.type?.tensor?.shape;
  const dims = shape && (shape.dim ?? []).map(({ value, param }, axis): Dim => value ?? (param || `${name}.${axis}`));
  return { name, type: elementTypes[proto.type?.tensor?.elemType ?? 0] ?? 'undefined', shape: dims };
}

function decodeFunction(proto: FunctionProto, external: ExternalReader | undefined): FunctionBody {
  return {
    name: proto.name ?? '',
    domain: proto.domain ?? '',
    inputs: proto.input ?? [],
    outputs: proto.output ?? [],
    attributes: proto.attribute ?? [],
    defaults: decodeAttributes(proto.defaults ?? [], external),
    nodes: (proto.node ?? []).map((n) => decodeNode(n, external)),
    opsets: decodeOpsets(proto.opset ?? []),
    ...(proto.unknown && { unknown: proto.unknown }),
  };
}

/**
 * The bytes of an ONNX model file. External data becomes part of the file; initializers named in `graph.sparse` are stored sparse.
 * @throws {GraphError} when the file would pass protobuf's limit of 2 GB
 */
export function encodeModel(model: Model): Uint8Array {
  checkDecoded('model', model);
  const proto: ModelProto = {
    irVersion: model.irVersion,
    producerName: model.producerName,
    ...(model.producerVersion && { producerVersion: model.producerVersion }),
    ...(model.domain && { domain: model.domain }),
    ...(model.modelVersion && { modelVersion: model.modelVersion }),
    ...(model.doc !== undefined && { docString: model.doc }),
    graph: encodeGraph(model.graph),
    opset: encodeOpsets(model.opsets),
    metadata: Array.from(model.metadata, ([key, value]) => ({ key, value })),
    functions: model.functions.map(encodeFunction),
    ...(model.unknown && { unknown: model.unknown }),
  };
  let bytes = 0;
  for (const { data } of model.graph.initializers.values()) bytes += data.byteLength;
  if (bytes >= 2 ** 31) throw new GraphError(`model: expected less than 2 GB of initializers, got ${bytes} bytes`);
  const writer = new BinaryWriter();
  try {
    writeMessage(writer, modelTable, proto as Message);
  } catch (cause) {
    throw new GraphError(`model: expected numbers and names that a file can hold, got others (${String(cause)})`, {}, { cause });
  }
  return writer.finish();
}

function encodeOpsets(opsets: ReadonlyMap<string, number>): OpsetProto[] {
  return Array.from(opsets, ([domain, version]) => ({ domain, version }));
}

function encodeGraph(graph: Graph): GraphProto {
  const dense = [...graph.initializers].filter(([name]) => !graph.sparse.has(name));
  const sparse = [...graph.initializers].filter(([name]) => graph.sparse.has(name));
  return {
    node: graph.nodes.map(encodeNode),
    name: graph.name || 'graph',
    initializer: dense.map(([name, tensor]) => encodeTensor(name, tensor)),
    ...(graph.doc !== undefined && { docString: graph.doc }),
    input: graph.inputs.map(encodeValue),
    output: graph.outputs.map(encodeValue),
    valueInfo: Array.from(graph.values.values(), encodeValue),
    sparseInitializer: sparse.map(([name, tensor]) => encodeSparse(name, tensor)),
    ...(graph.unknown && { unknown: graph.unknown }),
  };
}

function encodeNode(node: Node): NodeProto {
  return {
    input: node.inputs,
    output: node.outputs,
    ...(node.name && { name: node.name }),
    opType: node.op,
    attribute: Object.entries(node.attributes).map(([name, attribute]) => encodeAttribute(name, attribute)),
    ...(node.domain && { domain: node.domain }),
    ...(node.unknown && { unknown: node.unknown }),
  };
}

function encodeAttribute(name: string, attribute: Attribute): AttributeProto {
  if (attribute.type === 'reference') return { name, refAttrName: attribute.value, type: attribute.of };
  const head = { name, type: attributeTypes.indexOf(attribute.type) };
  switch (attribute.type) {
    case 'float':
      return { ...head, f: attribute.value };
    case 'int':
      return { ...head, i: attribute.value };
    case 'string':
      return { ...head, s: utf8.encode(attribute.value) };
    case 'tensor':
      return { ...head, t: encodeTensor('', attribute.value) };
    case 'graph':
      return { ...head, g: encodeGraph(attribute.value) };
    case 'floats':
      return { ...head, floats: [...attribute.value] };
    case 'ints':
      return { ...head, ints: [...attribute.value] };
    case 'strings':
      return { ...head, strings: attribute.value.map((s) => utf8.encode(s)) };
    case 'tensors':
      return { ...head, tensors: attribute.value.map((t) => encodeTensor('', t)) };
    case 'graphs':
      return { ...head, graphs: attribute.value.map(encodeGraph) };
  }
}

function encodeValue({ name, type, shape }: ValueInfo): ValueInfoProto {
  if (type === 'undefined') return { name };
  const dim = shape?.map((extent) => (typeof extent === 'number' ? { value: extent } : { param: extent }));
  return { name, type: { tensor: { elemType: elementCode(type), ...(dim && { shape: { dim } }) } } };
}

function encodeFunction(f: FunctionBody): FunctionProto {
  return {
    name: f.name,
    input: [...f.inputs],
    output: [...f.outputs],
    attribute: [...f.attributes],
    node: f.nodes.map(encodeNode),
    opset: encodeOpsets(f.opsets),
    domain: f.domain,
    defaults: Object.entries(f.defaults).map(([name, attribute]) => encodeAttribute(name, attribute)),
    ...(f.unknown && { unknown: f.unknown }),
  };
}
