// Result files: looked at before the work starts, written beside and renamed when it is done.
import { closeSync, existsSync, openSync, rmSync, statSync } from 'node:fs';
import { DomainError } from '../../src/core/errors.js';
import { writeWhole } from '../../src/onnx/files.node.js';

/**
 * Throws before any work when `path` cannot become a new file.
 * @throws {DomainError} when it exists (without `force`), is a folder, or its folder cannot be written
 */
export function checkOutput(path: string, { force = false, name = '--out' }: { force?: boolean | undefined; name?: string } = {}): void {
  if (existsSync(path)) {
    if (statSync(path).isDirectory()) throw new DomainError(`${name}: expected a file, got the folder '${path}'`);
    if (!force) throw new DomainError(`${name}: expected a new file, got the existing '${path}'; --force replaces it`);
  }
  const beside = `${path}.${process.pid}.partial`;
  try {
    closeSync(openSync(beside, 'wx'));
    rmSync(beside, { force: true });
  } catch (cause) {
    throw new DomainError(`${name}: expected a writable place, got '${path}' (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
}

/** Writes a whole file, or nothing. */
export function writeOutput(path: string, content: Uint8Array | string): void {
  writeWhole(path, typeof content === 'string' ? new TextEncoder().encode(content) : content);
}
