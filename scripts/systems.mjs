// docs/systems.md from the registries: one line per paper and method. Runs at the end of every build.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** The page for `{ area: registry }`; names are those of docs/systems.json. */
export function systemsPage(registries, names) {
  const lines = [];
  for (const [area, registry] of Object.entries(registries)) {
    for (const { method, papers = [], test } of Object.values(registry)) {
      for (const id of papers) lines.push([id, `| ${id} | ${names[id]} | \`${area}.${method.name}\` | [${test}](../${test}) |`]);
    }
  }
  lines.sort(([a, x], [b, y]) => a - b || (x < y ? -1 : 1));
  return `# Papers at work

Generated from the registries by the build.

| id | system | export | test |
|---|---|---|---|
${lines.map(([, line]) => `${line}\n`).join('')}`;
}

/** True when two pages have the same lines, in whatever order. */
export function sameLines(a, b) {
  const sorted = (text) => text.split('\n').sort().join('\n');
  return sorted(a) === sorted(b);
}

/** Reads the registries of the build. */
async function builtRegistries() {
  const registries = {};
  for (const area of readdirSync('build/src').sort()) {
    const file = `build/src/${area}/registry.js`;
    if (existsSync(file) && area !== 'core') registries[area] = (await import(pathToFileURL(file).href)).registry;
  }
  return registries;
}

if (process.argv[1]?.endsWith('systems.mjs')) {
  const names = JSON.parse(readFileSync('docs/systems.json', 'utf8'));
  const page = systemsPage(await builtRegistries(), names);
  // The same lines in another order (two branches merged) are left alone: a build should not dirty a clean tree.
  if (!existsSync('docs/systems.md') || !sameLines(readFileSync('docs/systems.md', 'utf8'), page)) writeFileSync('docs/systems.md', page);
}
