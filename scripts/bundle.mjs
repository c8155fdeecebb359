// What the package exports, in few files: a cold start on Node pays for every file it reads. build/src → build/lib, flat.
//   base.js        what three areas or more share (errors, checks, memory, kernels), with its names prefixed by module
//   base.node.js   the same for Node and Bun with their binaries in it: every file and every name to resolve costs half a millisecond or more
//   <area>.js      one per export; what two or three areas share beyond the base is in part-*.js, written by esbuild
//   load.*.js, …   what differs by runtime (package.json `imports`, '#lib/…'), with the inlined binaries
// Models are never in the base: who wants transport gets no decoder. No module is in two files: instances, error classes and private fields are one in a process.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
import { build } from 'esbuild';

const { exports: exported, imports } = JSON.parse(readFileSync('package.json', 'utf8'));
const source = (path) => path.replace('build/lib/', 'build/src/').replace('./', '');
const areas = Object.entries(exported)
  .filter(([, target]) => typeof target === 'object')
  .flatMap(([name, { types, ...files }]) =>
    Object.values(files).map((file) => {
      const own = file === files.default ? types.replace(/\.d\.ts$/, '.js') : `${dirname(types)}/${basename(file)}`;
      return { name: basename(file, '.js'), entry: name, source: source(own) };
    }),
  );
/** `#load`, `#ort` …: the same map for build/src (command line, tests) and for build/lib. */
const switches = Object.keys(imports).filter((name) => /^#[a-z]+$/.test(name) && typeof imports[name] === 'object');
const platform = {};
for (const name of switches) {
  const [here, there] = [imports[name], imports[`#lib/${name.slice(1)}`]];
  for (const [condition, path] of Object.entries(here)) {
    const file = path.split('/').at(-1);
    if (there?.[condition] !== `./build/lib/${file}`)
      throw new Error(`#lib/${name.slice(1)}: expected ./build/lib/${file} for ${condition}`);
    platform[file.slice(0, -3)] = path.slice(2);
  }
}

const common = {
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  minifySyntax: true,
  outdir: 'build/lib',
  chunkNames: 'part-[hash]',
  metafile: true,
  logLevel: 'warning',
};
/** Inlined into base.js: a package more is a file more. */
const loader = '@assemblyscript/loader';
const external = (path) => ({ path, external: true });
const switched = {
  name: 'switches-and-binaries',
  setup(b) {
    b.onResolve({ filter: /^#[a-z]+$/ }, ({ path }) => external(`#lib/${path.slice(1)}`));
    b.onResolve({ filter: /^#wasm\/.*\.wasm$/ }, ({ path }) => external(path));
    b.onResolve({ filter: /^#wasm\// }, ({ path }) => ({ path: resolve(`build/wasm/${path.slice(6)}.js`) }));
    b.onResolve({ filter: /^[@a-z]/ }, ({ path, kind }) => (kind === 'entry-point' || path === loader ? undefined : external(path)));
  },
};

/** Which modules every area reaches. */
async function reached() {
  const entryPoints = areas
    .filter(({ entry }) => !['.', './relaxed', './workflows', './threads/worker'].includes(entry))
    .map((area) => area.source);
  const { metafile } = await build({ ...common, entryPoints, write: false, plugins: [switched] });
  const users = new Map();
  const walk = (file, area) => {
    const seen = users.get(file) ?? users.set(file, new Set()).get(file);
    if (seen.has(area)) return;
    seen.add(area);
    for (const { path, external: outside } of metafile.inputs[file].imports) if (!outside) walk(path, area);
  };
  for (const entry of entryPoints) walk(entry, entry);
  // What the files of a runtime need lies in the base too, which all of them find loaded.
  const { metafile: switches } = await build({ ...common, entryPoints: Object.values(platform), write: false, plugins: [switched] });
  for (const file of Object.keys(switches.inputs))
    if (!users.has(file) && always.test(file)) users.set(file, new Set(Object.keys(platform)));
  return users;
}

const always = /^build\/src\/(core|runtime|kernels)\//;
const users = await reached();
const never = new Set([...areas.map((area) => area.source), ...Object.values(platform)]);
const isBase = ([file, by]) =>
  file.startsWith('build/src/') &&
  !file.startsWith('build/src/onnx/') &&
  !never.has(file) &&
  (always.test(file) ? by.size > 1 : by.size > 2);
const base = [...users].filter(isBase).map(([file]) => file);
const { metafile: names } = await build({ ...common, bundle: false, entryPoints: [...users.keys()], outdir: '/nowhere', write: false });
const exportsOf = new Map(Object.values(names.outputs).map((output) => [resolve(output.entryPoint), output.exports]));
/** Modules of the base, and what base.js calls their exports. */
const prefixed = new Map();
const lists = [];
for (const file of base) {
  const prefix = file.replace(/^build\/src\/|\.js$/g, '').replace(/[^a-z0-9]/gi, '_');
  const pairs = exportsOf.get(resolve(file)).map((name) => [name, `${prefix}_${name}`]);
  prefixed.set(resolve(file), pairs);
  if (pairs.length) lists.push(`export { ${pairs.map(([name, long]) => `${name} as ${long}`).join(', ')} } from './${file}';`);
}

rmSync('build/lib', { recursive: true, force: true });
await build({
  ...common,
  stdin: { contents: lists.join('\n'), resolveDir: '.', sourcefile: 'base.js' },
  outfile: 'build/lib/base.js',
  banner: { js: '/* With @assemblyscript/loader, Apache-2.0, by the AssemblyScript authors. */' },
  outdir: undefined,
  plugins: [switched],
});
/** `import { a, b as c } from './module.js'` and the forms of export, with the names that base.js gives to a module in it. */
function importsOfBase(code, folder) {
  return code.replace(/^(import|export) (\{[^}]*\}|\*.*?) from ['"](\.[^'"]+)['"];?/gm, (line, kind, what, path) => {
    const file = resolve(folder, path);
    const pairs = prefixed.get(file);
    const namespace = kind === 'import' && /^\* as (\w+)$/.exec(what)?.[1];
    if (namespace) {
      // As an object of its own: esbuild's would count as an effect, and bundlers would keep it.
      const entries = (pairs ?? exportsOf.get(file).map((name) => [name, name])).map(([name, long]) => [
        name,
        long,
        `${namespace}_${name}`,
      ]);
      return `import { ${entries.map(([, long, local]) => `${long} as ${local}`).join(', ')} } from '${pairs ? './base.js' : path}';
const ${namespace} = { ${entries.map(([name, , local]) => `${name}: ${local}`).join(', ')} };`;
    }
    if (!pairs) return line;
    const long = new Map(pairs);
    const all = kind === 'export' && what === '*';
    if (!all && !what.startsWith('{')) throw new Error(`${folder}: expected names from ${path}, which is in base.js, got '${line}'`);
    const list = all
      ? pairs.map(([name]) => [name, name])
      : [...what.matchAll(/(\w+)(?: as (\w+))?/g)].map(([, name, local = name]) => [name, local]);
    return `${kind} { ${list.map(([name, local]) => `${long.get(name)} as ${local}`).join(', ')} } from './base.js';`;
  });
}
const fromBase = {
  name: 'base',
  setup(b) {
    b.onResolve({ filter: /^\.\/base\.js$/ }, () => external('./base.js'));
    b.onLoad({ filter: /\/build\/src\/.*\.js$/ }, ({ path }) => ({ contents: importsOfBase(readFileSync(path, 'utf8'), dirname(path)) }));
    // The root names the areas, and one runtime's file may name another's: their code is in one place.
    b.onResolve({ filter: /^\./ }, ({ path, importer, resolveDir }) => {
      const target = relative('.', resolve(resolveDir, path));
      const root = /build\/src\/(index|relaxed)\.js$/.test(importer);
      const area = root && areas.find((candidate) => candidate.source === target);
      const other = Object.entries(platform).find(([, file]) => file === target);
      const name = area ? area.name : importer && other?.[0];
      return name ? external(`./${name}.js`) : undefined;
    });
  },
};
const entryPoints = Object.fromEntries([...areas.map((area) => [area.name, area.source]), ...Object.entries(platform)]);
const { outputFiles } = await build({ ...common, entryPoints, splitting: true, write: false, plugins: [fromBase, switched] });
// esbuild keeps the order of modules by importing files for their effects alone. There are none but those of relaxed.js itself.
const written = new Map(outputFiles.map(({ path, text }) => [basename(path), text.replace(/^import "\.\/part-[A-Z0-9]+\.js";\n/gm, '')]));
for (const part of [...written.keys()].filter((name) => name.startsWith('part-'))) joinOnlyUser(part);
for (const [name, text] of written) writeFileSync(`build/lib/${name}`, text.replaceAll('"./base.js"', '"#lib/base"'));
await build({
  ...common,
  entryPoints: ['build/lib/base.js'],
  outfile: 'build/lib/base.node.js',
  outdir: undefined,
  plugins: [
    {
      name: 'of-node',
      setup(b) {
        const files = { '#lib/base': 'base.js', '#lib/load': 'load.node.js', '#lib/scalars': 'load-scalars.js' };
        b.onResolve({ filter: /^#lib\// }, ({ path }) => ({ path: resolve('build/lib', files[path]) }));
      },
    },
  ],
});

/** A part that one file alone imports, by the names the part exports, becomes part of that file. */
function joinOnlyUser(part) {
  const line = new RegExp(`import \\{([^}]*)\\} from "\\./${part}";\\n`);
  const users = [...written].filter(([, text]) => text.includes(`"./${part}"`));
  const list = /\nexport \{([^}]*)\};\n$/;
  const [[user, text] = [], ...more] = users;
  const given = user && line.exec(text)?.[1];
  const offered = list.exec(written.get(part))?.[1];
  if (more.length || !given || !offered || / as /.test(given + offered)) return;
  const own = text.replace(line, '');
  if (!/^(import \{[^}]*\} from "[^"]+";\n)*export \{[^}]*\};\n$/.test(own)) return; // names of its own could be those of the part
  // What it only hands on it hands on by `export … from`, which declares nothing.
  const names = (inner) => inner.split(',').map((name) => name.trim());
  const handed = [...own.matchAll(/import \{([^}]*)\} from ("[^"]+");\n/g)].map(([, inner, from]) => ({ inner: names(inner), from }));
  const here = names(/export \{([^}]*)\};\n$/.exec(own)[1]).filter((name) => !handed.some(({ inner }) => inner.includes(name)));
  if (/ as /.test(own)) return;
  const ends = [`export { ${here.join(', ')} };`, ...handed.map(({ inner, from }) => `export { ${inner.join(', ')} } from ${from};`)];
  written.set(user, `${written.get(part).replace(list, '\n')}${ends.join('\n')}\n`);
  written.delete(part);
}
