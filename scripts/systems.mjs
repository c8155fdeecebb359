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
  const methods = Object.values(registries).reduce((sum, registry) => sum + Object.keys(registry).length, 0);
  return `# Papers at work

Generated from the registries by the build: ${new Set(lines.map(([id]) => id)).size} papers, ${methods} methods in ${Object.keys(registries).length} areas.

| id | system | export | test |
|---|---|---|---|
${lines.map(([, line]) => `${line}\n`).join('')}`;
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
  if (!existsSync('docs/systems.md') || readFileSync('docs/systems.md', 'utf8') !== page) writeFileSync('docs/systems.md', page);
}
