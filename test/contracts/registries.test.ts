// What every area promises, read from its registry: a new method meets these without a line here.
import { existsSync, readFileSync } from 'node:fs';
// @ts-ignore: a script without types
import { sameLines, systemsPage } from '../../scripts/systems.mjs';
import { numbersOf } from '../../src/bench/agreement.js';
import type { Method } from '../../src/core/registry.js';
import * as afterpass from '../../src/index.js';
import { OnnxModel } from '../../src/onnx/index.js';
import { Instance } from '../../src/runtime/instance.js';
import { kebab, loadAreas } from './areas.js';
import { ortCalls } from './calls/onnx.js';

const areas = await loadAreas();
const registered = areas.filter(({ registry }) => registry);
const methods = registered.flatMap(({ name, registry, exports, calls }) =>
  Object.entries(registry ?? {}).map(([key, method]): [string, string, Method, typeof exports, typeof calls] => [
    name,
    key,
    method,
    exports,
    calls,
  ]),
);
const packaged = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Record<string, unknown> };

test.each(methods)('%s/%s is the kebab-case of an export of the area', (_area, key, { method }, exports) => {
  const name = Object.keys(exports).find((candidate) => kebab(candidate) === key);
  expect(name).toBeDefined();
  expect(exports[name as string]).toBe(method);
});

test.each(methods)(
  '%s/%s names a test that exists and bears the number of every paper it proves',
  (_area, _key, { test: file, papers = [] }) => {
    expect(existsSync(file)).toBe(true);
    const source = papers.length ? readFileSync(file, 'utf8') : '';
    for (const id of papers) expect(source).toMatch(new RegExp(`systems/${id}\\b`));
  },
);

test.each(methods)('%s/%s has a call whose result is the same every time', async (_area, key, _method, exports, calls) => {
  expect(calls).toHaveProperty([key]);
  const call = calls?.[key] as (area: unknown) => unknown;
  const { arena } = new Instance();
  const once = numbersOf(await call(exports), arena);
  const again = numbersOf(await call(exports), arena);
  expect(once.length).toBeGreaterThan(0);
  expect(again).toEqual(once);
});

test.each(registered.map((area): [string, (typeof areas)[number]] => [area.name, area]))(
  'every function that %s exports is registered',
  (_name, area) => {
    const functions = Object.entries(area.exports).filter(([, value]) => typeof value === 'function');
    const missing = functions.map(([name]) => kebab(name)).filter((key) => !(key in (area.registry ?? {})));
    expect(missing).toEqual([]);
  },
);

test.each(registered.map((area): [string, (typeof areas)[number]] => [area.name, area]))(
  '%s has no call without a method',
  (_name, area) => {
    expect(Object.keys(area.calls ?? {}).filter((key) => !(key in (area.registry ?? {})))).toEqual([]);
  },
);

/** Called with an ONNX Runtime (`ortCalls`), in the runtimes. */
const onModels = ['pruneChannels', 'quantizeModel'];
const plain = areas.filter(({ registry }) => !registry);
test.each(plain.map((area): [string, (typeof areas)[number]] => [area.name, area]))(
  'every function that %s exports has a call, and its result is the same every time',
  async (_name, { exports, calls = {} }) => {
    const functions = Object.entries(exports).filter(
      ([name, value]) => typeof value === 'function' && ![...onModels, 'OnnxModel'].includes(name),
    );
    expect(Object.keys(calls).sort()).toEqual(functions.map(([name]) => kebab(name)).sort());
    const { arena } = new Instance();
    for (const [key, call] of Object.entries(calls)) {
      const once = numbersOf(await call(exports as never), arena);
      expect([key, once.length > 0]).toEqual([key, true]);
      expect([key, numbersOf(await call(exports as never), arena)]).toEqual([key, once]);
    }
  },
);

test('every method of OnnxModel has a call', () => {
  const prototype = Object.getOwnPropertyDescriptors(OnnxModel.prototype);
  const methods = Object.entries(prototype).filter(([name, { value }]) => typeof value === 'function' && name !== 'constructor');
  const elsewhere = ['getParameters', 'dispose']; // part of the other calls
  expect(
    methods
      .map(([name]) => name)
      .filter((name) => !elsewhere.includes(name))
      .sort(),
  ).toEqual(
    Object.keys(ortCalls)
      .filter((name) => !onModels.includes(name))
      .sort(),
  );
});

test.each(areas.map(({ name }) => name))('%s is an export of the package and a namespace of its root', (name) => {
  expect(packaged.exports).toHaveProperty([`./${name}`]);
  const namespace = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  if (name !== 'workflows') expect(afterpass).toHaveProperty([namespace]);
});

const described = registered.map(({ name }) => name).filter((name) => existsSync(`src/${name}/README.md`));
test.each(described)('the README of %s names all of its methods', (name) => {
  const readme = readFileSync(`src/${name}/README.md`, 'utf8');
  const area = areas.find((candidate) => candidate.name === name);
  const missing = Object.values(area?.registry ?? {}).filter(({ method }) => !new RegExp(`\\b${method.name}\\b`).test(readme));
  expect(missing.map(({ method }) => method.name)).toEqual([]);
});

test('docs/systems.md is what the registries say (the build writes it)', () => {
  const names = JSON.parse(readFileSync('docs/systems.json', 'utf8')) as Record<string, string>;
  const registries = Object.fromEntries(registered.map(({ name, registry }) => [name, registry]));
  const page = systemsPage(registries, names) as string;
  expect(sameLines(readFileSync('docs/systems.md', 'utf8'), page)).toBe(true);
});
