// The zip container as far as npz needs it: stored and deflated members, zip64 fields, checksums verified.
import { Inflate } from 'fflate';
import { DomainError } from './errors.js';

const endOfDirectory = 0x06054b50;
const directoryEntry = 0x02014b50;
const localHeader = 0x04034b50;
const zip64End = 0x06064b50;
const zip64Locator = 0x07064b50;
/** A 32-bit size field that says the real one is in the zip64 extra field. */
const elsewhere = 0xffffffff;

interface Member {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly compressed: number;
  readonly size: number;
  readonly header: number;
}

/**
 * Reads every member of a zip archive into memory.
 * @returns bytes by member name, in the order of the archive's directory; stored members are views of `bytes`
 * @throws {DomainError} when the archive is damaged, truncated, encrypted or compressed otherwise than by deflate
 */
export function unzip(bytes: Uint8Array, name = 'bytes'): Record<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out: Record<string, Uint8Array> = Object.create(null) as Record<string, Uint8Array>;
  try {
    for (const member of directory(view, bytes, name)) out[member.name] = contents(view, bytes, member, name);
  } catch (cause) {
    if (cause instanceof DomainError) throw cause;
    throw damaged(name, 'a field that points outside the file', cause); // a DataView RangeError, or fflate's own words
  }
  return out;
}

function* directory(view: DataView, bytes: Uint8Array, name: string): Iterable<Member> {
  let end = view.byteLength - 22;
  const lowest = Math.max(0, end - 65535); // the comment after the record is at most 65535 bytes
  while (end >= lowest && view.getUint32(end, true) !== endOfDirectory) end--;
  if (end < lowest) throw damaged(name, 'no directory (a truncated file, or none)');
  let count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if ((count === 0xffff || at === elsewhere) && end >= 20 && view.getUint32(end - 20, true) === zip64Locator) {
    const record = Number(view.getBigUint64(end - 12, true));
    if (view.getUint32(record, true) !== zip64End) throw damaged(name, 'a broken zip64 record');
    count = Number(view.getBigUint64(record + 32, true));
    at = Number(view.getBigUint64(record + 48, true));
  }
  const text = new TextDecoder();
  for (let left = count; left > 0; left--) {
    if (view.getUint32(at, true) !== directoryEntry) throw damaged(name, 'a broken directory entry');
    if (view.getUint16(at + 8, true) & 1) throw damaged(name, 'an encrypted member');
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((o) => view.getUint16(at + o, true)) as [number, number, number];
    const sizes = { size: view.getUint32(at + 24, true), compressed: view.getUint32(at + 20, true), header: view.getUint32(at + 42, true) };
    const extraAt = at + 46 + nameLength;
    widen(sizes, view, extraAt, extraAt + extraLength);
    yield {
      name: text.decode(bytes.subarray(at + 46, extraAt)),
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      ...sizes,
    };
    at = extraAt + extraLength + commentLength;
  }
}

/** Replaces the fields that say "elsewhere" by the 64-bit ones of the zip64 extra field, which come in this order. */
function widen(sizes: { size: number; compressed: number; header: number }, view: DataView, from: number, to: number): void {
  for (let at = from; at + 4 <= to; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    let field = at + 4;
    for (const key of ['size', 'compressed', 'header'] as const) {
      if (sizes[key] !== elsewhere) continue;
      sizes[key] = Number(view.getBigUint64(field, true));
      field += 8;
    }
  }
}

function contents(view: DataView, bytes: Uint8Array, member: Member, name: string): Uint8Array {
  const { header, method, compressed, size, crc } = member;
  if (view.getUint32(header, true) !== localHeader) throw damaged(name, `no header for '${member.name}'`);
  const start = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
  if (start + compressed > bytes.length) throw damaged(name, `'${member.name}' cut short`);
  const raw = bytes.subarray(start, start + compressed);
  if (method !== 0 && method !== 8) throw damaged(name, `'${member.name}' in compression method ${method}`);
  const data = method === 0 ? raw : inflate(raw, size, () => damaged(name, `'${member.name}' with a broken deflate stream`));
  if (data.length !== size) throw damaged(name, `'${member.name}' with ${data.length} bytes in place of ${size}`);
  if (crc32(data) !== crc) throw damaged(name, `'${member.name}' with a wrong checksum`);
  return data;
}

/** Inflates piece by piece, so that a false size never allocates more than the stream really holds. */
function inflate(raw: Uint8Array, size: number, fail: () => DomainError): Uint8Array {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const stream = new Inflate((piece) => {
    length += piece.length;
    if (length > size) throw fail();
    pieces.push(piece);
  });
  const step = 1 << 16;
  for (let at = 0; at < raw.length || at === 0; at += step) stream.push(raw.subarray(at, at + step), at + step >= raw.length);
  const out = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

let table: Uint32Array | undefined;

/** The checksum of zip members (ISO 3309, reflected polynomial 0xEDB88320). */
function crc32(bytes: Uint8Array): number {
  table ??= Uint32Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    return c;
  });
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = (table[(crc ^ (bytes[i] as number)) & 255] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}

function damaged(name: string, got: string, cause?: unknown): DomainError {
  return new DomainError(`${name}: expected a whole zip archive, got ${got}`, { cause });
}
