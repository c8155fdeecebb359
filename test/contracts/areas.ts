// The areas as the contract tests see them: every folder of src with an index.ts.
import { existsSync, readdirSync } from 'node:fs';
import type { Registry } from '../../src/core/registry.js';

export type Calls = Record<string, (area: never) => unknown>;

export interface Area {
  readonly name: string;
  readonly exports: Record<string, unknown>;
  readonly registry: Registry | undefined;
  readonly calls: Calls | undefined;
}

/** `topK` -> `top-k`. */
export const kebab = (name: string): string => name.replace(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '-').toLowerCase();

/** Areas whose exports are not methods with papers and names of their own, and which so have no registry. */
const withoutRegistry = ['onnx', 'workflows'];

/** Loads every area with its registry and its example calls. */
export async function loadAreas(): Promise<Area[]> {
  const areas: Area[] = [];
  for (const name of readdirSync('src').sort()) {
    if (!existsSync(`src/${name}/index.ts`)) continue;
    const registered = existsSync(`src/${name}/registry.ts`);
    if (!registered && !withoutRegistry.includes(name)) throw new Error(`src/${name} has an index.ts but no registry.ts`);
    const { registry } = registered ? ((await import(`../../src/${name}/registry.js`)) as { registry: Registry }) : { registry: undefined };
    const called = existsSync(`test/contracts/calls/${name}.ts`);
    const { calls } = called ? ((await import(`./calls/${name}.js`)) as { calls: Calls }) : { calls: undefined };
    areas.push({ name, registry, calls, exports: (await import(`../../src/${name}/index.js`)) as Record<string, unknown> });
  }
  return areas;
}
