// The messages of onnx.proto (IR versions 3 to 13) as tables, and their shapes in memory. https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
import type { Field, MessageTable } from './wire.js';

const one = (name: string, kind: Field['kind']): Field => ({ name, kind });
const many = (name: string, kind: Field['kind']): Field => ({ name, kind, repeated: true });

export interface EntryProto {
  key?: string;
  value?: string;
}
export interface TensorProto {
  dims?: number[];
  dataType?: number;
  floatData?: number[];
  int32Data?: number[];
  stringData?: Uint8Array[];
  int64Data?: bigint[];
  name?: string;
  rawData?: Uint8Array;
  doubleData?: number[];
  uint64Data?: bigint[];
  externalData?: EntryProto[];
  dataLocation?: number;
}
export interface SparseTensorProto {
  values?: TensorProto;
  indices?: TensorProto;
  dims?: number[];
}
export interface DimensionProto {
  value?: number;
  param?: string;
}
export interface TypeProto {
  tensor?: { elemType?: number; shape?: { dim?: DimensionProto[] } };
}
export interface ValueInfoProto {
  name?: string;
  type?: TypeProto;
}
export interface AttributeProto {
  name?: string;
  f?: number;
  i?: number;
  s?: Uint8Array;
  t?: TensorProto;
  g?: GraphProto;
  floats?: number[];
  ints?: number[];
  strings?: Uint8Array[];
  tensors?: TensorProto[];
  graphs?: GraphProto[];
  type?: number;
  refAttrName?: string;
  sparse?: SparseTensorProto;
}
export interface NodeProto {
  input?: string[];
  output?: string[];
  name?: string;
  opType?: string;
  attribute?: AttributeProto[];
  domain?: string;
  unknown?: Uint8Array[];
}
export interface GraphProto {
  node?: NodeProto[];
  name?: string;
  initializer?: TensorProto[];
  docString?: string;
  input?: ValueInfoProto[];
  output?: ValueInfoProto[];
  valueInfo?: ValueInfoProto[];
  sparseInitializer?: SparseTensorProto[];
  unknown?: Uint8Array[];
}
export interface OpsetProto {
  domain?: string;
  version?: number;
}
export interface FunctionProto {
  name?: string;
  input?: string[];
  output?: string[];
  attribute?: string[];
  node?: NodeProto[];
  opset?: OpsetProto[];
  domain?: string;
  defaults?: AttributeProto[];
  unknown?: Uint8Array[];
}
export interface ModelProto {
  irVersion?: number;
  producerName?: string;
  producerVersion?: string;
  domain?: string;
  modelVersion?: number;
  docString?: string;
  graph?: GraphProto;
  opset?: OpsetProto[];
  metadata?: EntryProto[];
  functions?: FunctionProto[];
  unknown?: Uint8Array[];
}

const entry: MessageTable = { 1: one('key', 'string'), 2: one('value', 'string') };
const opset: MessageTable = { 1: one('domain', 'string'), 2: one('version', 'int64') };
const tensor: MessageTable = {
  1: many('dims', 'int64'),
  2: one('dataType', 'int32'),
  4: many('floatData', 'float'),
  5: many('int32Data', 'int32'),
  6: many('stringData', 'bytes'),
  7: many('int64Data', 'bigint'),
  8: one('name', 'string'),
  9: one('rawData', 'bytes'),
  10: many('doubleData', 'double'),
  11: many('uint64Data', 'biguint'),
  13: many('externalData', () => entry),
  14: one('dataLocation', 'int32'),
};
const sparse: MessageTable = { 1: one('values', () => tensor), 2: one('indices', () => tensor), 3: many('dims', 'int64') };
const dimension: MessageTable = { 1: one('value', 'int64'), 2: one('param', 'string') };
const shape: MessageTable = { 1: many('dim', () => dimension) };
const tensorType: MessageTable = { 1: one('elemType', 'int32'), 2: one('shape', () => shape) };
const type: MessageTable = { 1: one('tensor', () => tensorType) };
const valueInfo: MessageTable = { 1: one('name', 'string'), 2: one('type', () => type) };
const attribute: MessageTable = {
  1: one('name', 'string'),
  2: one('f', 'float'),
  3: one('i', 'int64'),
  4: one('s', 'bytes'),
  5: one('t', () => tensor),
  6: one('g', () => graph),
  7: many('floats', 'float'),
  8: many('ints', 'int64'),
  9: many('strings', 'bytes'),
  10: many('tensors', () => tensor),
  11: many('graphs', () => graph),
  20: one('type', 'int32'),
  21: one('refAttrName', 'string'),
  22: one('sparse', () => sparse),
};
const node: MessageTable = {
  1: many('input', 'string'),
  2: many('output', 'string'),
  3: one('name', 'string'),
  4: one('opType', 'string'),
  5: many('attribute', () => attribute),
  7: one('domain', 'string'),
};
const graph: MessageTable = {
  1: many('node', () => node),
  2: one('name', 'string'),
  5: many('initializer', () => tensor),
  10: one('docString', 'string'),
  11: many('input', () => valueInfo),
  12: many('output', () => valueInfo),
  13: many('valueInfo', () => valueInfo),
  15: many('sparseInitializer', () => sparse),
};
const functionTable: MessageTable = {
  1: one('name', 'string'),
  4: many('input', 'string'),
  5: many('output', 'string'),
  6: many('attribute', 'string'),
  7: many('node', () => node),
  9: many('opset', () => opset),
  10: one('domain', 'string'),
  11: many('defaults', () => attribute),
};
/** The table of ModelProto, from which all others are reached. */
export const modelTable: MessageTable = {
  1: one('irVersion', 'int64'),
  2: one('producerName', 'string'),
  3: one('producerVersion', 'string'),
  4: one('domain', 'string'),
  5: one('modelVersion', 'int64'),
  6: one('docString', 'string'),
  7: one('graph', () => graph),
  8: many('opset', () => opset),
  14: many('metadata', () => entry),
  25: many('functions', () => functionTable),
};
