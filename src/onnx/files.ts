// Runtimes without files: bytes in, bytes out.
import { RuntimeLoadError } from '../core/errors.js';

const refuse = (path: string): never => {
  throw new RuntimeLoadError(`path: expected bytes in this runtime, which has no files, got '${path}'`);
};

/** @throws {RuntimeLoadError} always: there are no files here */
export function readBytes(path: string): Uint8Array {
  return refuse(path);
}

/** @throws {RuntimeLoadError} always: there are no files here */
export function readBeside(path: string, _location: string, _offset: number, _length?: number): Uint8Array {
  return refuse(path);
}

/** @throws {RuntimeLoadError} always: there are no files here */
export function writeWhole(path: string, _bytes: Uint8Array): void {
  refuse(path);
}
