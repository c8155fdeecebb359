// The benchmark cases that ship with the package: every x.bench.js of the build, found by its name.
import { readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { BenchCase } from '../../src/bench/case.js';
import type { FoundCase } from '../../src/bench/run.js';

/** Where they are. */
export const caseFolder = fileURLToPath(new URL('../../test', import.meta.url));

/** The cases of a folder whose `area/file name` contains `pattern`, ordered by path. */
export async function findCases(pattern = '', folder = caseFolder): Promise<FoundCase[]> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.bench.js'));
  const found: FoundCase[] = [];
  for (const file of files.sort()) {
    const area = file.split(sep).slice(0, -1).join('/');
    const stem = file.split(sep).at(-1)?.replace('.bench.js', '');
    for (const subject of await casesIn(folder, file)) {
      if (`${area}/${stem} ${subject.name}`.includes(pattern)) found.push({ area, file, subject });
    }
  }
  return found;
}

/** The cases of one file. */
export async function casesIn(folder: string, file: string): Promise<readonly BenchCase[]> {
  const { default: given } = (await import(pathToFileURL(join(folder, file)).href)) as { default: BenchCase | readonly BenchCase[] };
  return [given].flat() as BenchCase[];
}
