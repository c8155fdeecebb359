// Arrays from files or stdin: npy, npz and csv, by the name's ending or, for `-`, by the bytes.
import { readFileSync } from 'node:fs';
import { DomainError } from '../../src/core/errors.js';
import { readNpy, readNpz } from '../../src/core/npy.js';
import type { Tensor } from '../../src/core/tensor.js';
import { readBytes } from '../../src/onnx/files.node.js';
import { readCsv } from './csv.js';

/** The bytes of a file, or of stdin for `-`. */
export function readInput(path: string): Uint8Array {
  return path === '-' ? readFileSync(0) : readBytes(path);
}

/** One array from `file.npy`, `file.csv`, `file.npz:key` or `-`. @throws {DomainError} when it is none of these */
export function readArray(path: string): Tensor {
  const inside = /^(.+\.npz):([^:\\/]+)$/.exec(path);
  if (inside) return keyOf(readArchive(inside[1] as string), inside[2] as string, inside[1] as string);
  const bytes = readInput(path);
  if (bytes[0] === 0x93) return readNpy(bytes, path);
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) {
    const arrays = readNpz(bytes, path);
    const names = Object.keys(arrays);
    if (names.length === 1) return arrays[names[0] as string] as Tensor;
    throw new DomainError(`${path}: expected one array, got ${names.join(', ') || 'none'}; name one as ${path}:${names[0] ?? 'key'}`);
  }
  if (/\.(npy|npz)$/i.test(path)) return readNpy(bytes, path);
  return readCsv(new TextDecoder().decode(bytes), path);
}

/** Every array of an npz file, or of stdin for `-`. */
export function readArchive(path: string): Record<string, Tensor> {
  return readNpz(readInput(path), path);
}

/** One array of an archive by name. @throws {DomainError} that lists the names there are */
export function keyOf(arrays: Readonly<Record<string, Tensor>>, key: string, path: string, hint = ''): Tensor {
  const found = Object.hasOwn(arrays, key) ? arrays[key] : undefined;
  if (!found) throw new DomainError(`${path}: expected an array '${key}', got ${Object.keys(arrays).join(', ') || 'none'}${hint}`);
  return found;
}
