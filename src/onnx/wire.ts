// Protobuf messages by table: field number → name and kind. Fields a table does not know are kept as bytes and written back.
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

type Scalar = 'int32' | 'int64' | 'bigint' | 'biguint' | 'float' | 'double' | 'string' | 'bytes';
/** One field: its name in memory, its kind (a message is a function that returns its table), and whether it repeats. */
export interface Field {
  readonly name: string;
  readonly kind: Scalar | (() => MessageTable);
  readonly repeated?: boolean;
}
export type MessageTable = Readonly<Record<number, Field>>;
/** A decoded message: fields by name; `unknown` holds the bytes of fields its table does not know. */
export type Message = Record<string, unknown> & { unknown?: Uint8Array[] };

const int64Max = 9223372036854775807n;
const wireTypes: Readonly<Record<Scalar, WireType>> = {
  int32: WireType.Varint,
  int64: WireType.Varint,
  bigint: WireType.Varint,
  biguint: WireType.Varint,
  float: WireType.Bit32,
  double: WireType.Bit64,
  string: WireType.LengthDelimited,
  bytes: WireType.LengthDelimited,
};

function readScalar(reader: BinaryReader, kind: Scalar): unknown {
  switch (kind) {
    case 'int32':
      return reader.int32();
    case 'int64':
      return Number(reader.int64());
    case 'bigint':
      return BigInt(reader.int64());
    case 'biguint':
      return BigInt(reader.uint64());
    default:
      return reader[kind]();
  }
}

function readField(reader: BinaryReader, message: Message, { name, kind, repeated }: Field, type: WireType): void {
  const one = (): unknown =>
    typeof kind === 'function' ? readMessage(new BinaryReader(reader.bytes()), kind()) : readScalar(reader, kind);
  if (!repeated) {
    message[name] = one();
    return;
  }
  const list = (message[name] ??= []) as unknown[];
  const packed = typeof kind !== 'function' && wireTypes[kind] !== WireType.LengthDelimited && type === WireType.LengthDelimited;
  if (!packed) {
    list.push(one());
    return;
  }
  const inner = new BinaryReader(reader.bytes());
  while (inner.pos < inner.len) list.push(readScalar(inner, kind as Scalar));
}

/** Reads one message to the end of `reader`. @throws {Error} on bytes that are no protobuf message */
export function readMessage(reader: BinaryReader, table: MessageTable): Message {
  const message: Message = {};
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    const field = table[number];
    if (field) {
      readField(reader, message, field, type);
    } else {
      const tag = (number << 3) | type;
      const writer = new BinaryWriter().uint32(tag >>> 0).raw(reader.skip(type, number));
      (message.unknown ??= []).push(writer.finish());
    }
  }
  return message;
}

function writeScalar(writer: BinaryWriter, kind: Scalar, value: unknown): void {
  switch (kind) {
    case 'int64': {
      // Numbers at or beyond 2^63 come from INT64_MAX ("to the end"), rounded when it was read.
      const wide = BigInt(value as number);
      writer.int64(wide > int64Max ? int64Max : wide < -int64Max ? -int64Max : wide);
      break;
    }
    case 'bigint':
      writer.int64(value as bigint);
      break;
    case 'biguint':
      writer.uint64(value as bigint);
      break;
    default:
      (writer[kind] as (v: unknown) => unknown).call(writer, value);
  }
}

function writeOne(writer: BinaryWriter, number: number, kind: Field['kind'], value: unknown): void {
  if (typeof kind === 'function') {
    writer.tag(number, WireType.LengthDelimited).fork();
    writeMessage(writer, kind(), value as Message);
    writer.join();
  } else {
    writer.tag(number, wireTypes[kind]);
    writeScalar(writer, kind, value);
  }
}

/** Writes one message: fields in the order of their numbers, absent ones left out, unknown ones last. */
export function writeMessage(writer: BinaryWriter, table: MessageTable, message: Message): void {
  for (const [key, { name, kind, repeated }] of Object.entries(table)) {
    const value = message[name];
    const number = Number(key);
    if (value === undefined) continue;
    if (!repeated) {
      writeOne(writer, number, kind, value);
    } else if (typeof kind !== 'function' && wireTypes[kind] !== WireType.LengthDelimited) {
      writer.tag(number, WireType.LengthDelimited).fork();
      for (const element of value as unknown[]) writeScalar(writer, kind, element);
      writer.join();
    } else {
      for (const element of value as unknown[]) writeOne(writer, number, kind, element);
    }
  }
  for (const bytes of message.unknown ?? []) writer.raw(bytes);
}
