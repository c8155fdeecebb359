// The benchmark cases that ship with the package: every x.bench.js of the build, found by its name.
import { readdirSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { BenchCase } from '../../src/bench/case.js';
import type { FoundCase } from '../../src/bench/run.js';

const folder = fileURLToPath(new URL('../../test', import.meta.url));

/** The cases whose `area/file name` contains `pattern`, ordered by path. */
export async function findCases(pattern = ''): Promise<FoundCase[]> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.bench.js'));
  const found: FoundCase[] = [];
  for (const file of files.sort()) {
    const { default: given } = (await import(pathToFileURL(join(folder, file)).href)) as { default: BenchCase | readonly BenchCase[] };
    const area = relative(folder, dirname(join(folder, file)))
      .split(sep)
      .join('/');
    for (const subject of [given].flat() as BenchCase[]) {
      const path = `${area}/${file.split(sep).at(-1)?.replace('.bench.js', '')} ${subject.name}`;
      if (path.includes(pattern)) found.push({ area, subject });
    }
  }
  return found;
}
