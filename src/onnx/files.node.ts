// Files on Node, Deno and Bun: whole reads, parts of external data files, and writes that appear whole or not at all.
import { DomainError } from '../core/errors.js';

/** The bytes of a file. @throws {DomainError} when it cannot be read */
export function readBytes(path: string): Uint8Array {
  try {
    return process.getBuiltinModule('node:fs').readFileSync(path);
  } catch (cause) {
    throw new DomainError(`${path}: expected a readable file, got ${reason(cause)}`, { cause });
  }
}

/**
 * Part of a file that lies beside `path`: a model's external data.
 * @throws {DomainError} when it cannot be read, or leads out of the folder by a link
 */
export function readBeside(path: string, location: string, offset: number, length?: number): Uint8Array {
  const { openSync, readSync, closeSync, fstatSync, realpathSync } = process.getBuiltinModule('node:fs');
  const { dirname, join, sep } = process.getBuiltinModule('node:path');
  const place = join(dirname(path), location);
  let file: number | undefined;
  try {
    const folder = realpathSync(dirname(path));
    if (!realpathSync(place).startsWith(folder.endsWith(sep) ? folder : folder + sep)) {
      throw new DomainError(`${place}: expected external data inside the model's folder, got a link out of it`);
    }
    file = openSync(place, 'r');
    const have = Math.max(0, fstatSync(file).size - offset);
    if (length !== undefined && length > have) {
      throw new DomainError(`${place}: expected ${length} bytes from ${offset}, got ${have}`);
    }
    const bytes = new Uint8Array(length ?? have);
    for (let at = 0; at < bytes.length; ) {
      const got = readSync(file, bytes, at, bytes.length - at, offset + at);
      if (got === 0) throw new DomainError(`${place}: expected ${bytes.length} bytes from ${offset}, got ${at}`);
      at += got;
    }
    return bytes;
  } catch (cause) {
    if (cause instanceof DomainError) throw cause;
    throw new DomainError(`${place}: expected a readable file of external data, got ${reason(cause)}`, { cause });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/**
 * Writes a file by writing beside it and renaming: a reader, or a crash, never meets half of it.
 * What a killed process left beside it is cleared away by the next write of the same file.
 * @throws {DomainError} when it cannot be written; nothing is left behind
 */
export function writeWhole(path: string, bytes: Uint8Array): void {
  const { openSync, writeSync, fsyncSync, closeSync, renameSync, rmSync } = process.getBuiltinModule('node:fs');
  const beside = `${path}.${process.pid}.partial`;
  try {
    const file = openSync(beside, 'w');
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, path);
    clearLeftovers(path);
  } catch (cause) {
    rmSync(beside, { force: true });
    throw new DomainError(`${path}: expected a writable file, got ${reason(cause)}`, { cause });
  }
}

/** Removes what writers of `path` left that are no more: their number is free, and a minute has passed (others may share the folder). */
function clearLeftovers(path: string): void {
  const { readdirSync, rmSync, statSync } = process.getBuiltinModule('node:fs');
  const { basename, dirname, join } = process.getBuiltinModule('node:path');
  const [folder, start] = [dirname(path), `${basename(path)}.`];
  for (const name of readdirSync(folder)) {
    const writer = name.startsWith(start) ? /^(\d+)\.partial$/.exec(name.slice(start.length))?.[1] : undefined;
    if (writer === undefined || alive(Number(writer))) continue;
    try {
      if (Date.now() - statSync(join(folder, name)).mtimeMs > 60_000) rmSync(join(folder, name), { force: true });
    } catch {
      // another writer was faster, or it is not ours to remove: it harms nobody
    }
  }
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as { code?: string }).code !== 'ESRCH';
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'no permission',
  EPERM: 'no permission',
  EISDIR: 'a folder',
  ENOTDIR: 'a path through something that is no folder',
  ENOSPC: 'a full disk',
  EROFS: 'a read-only file system',
};

function reason(error: unknown): string {
  const { code = '', message } = error as { code?: string; message?: string };
  return reasons[code] ?? (code || String(message));
}
