// npm run check:package: the tarball as users meet it. publint and arethetypeswrong, sizes, TypeScript consumers, bundlers.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { bundle, entryNames, kernelsGzip, specifier } from './lib/entries.mjs';
import { packed, project, run, tools, writeFiles } from './lib/sandbox.mjs';

const kilobytes = 1024;
const areaBudget = 120 * kilobytes;
const kernelBudget = 64 * kilobytes;
const problems = [];
const lines = [];

async function step(name, work) {
  const start = performance.now();
  try {
    const note = await work();
    lines.push(`ok   ${name}${note ? `: ${note}` : ''} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  } catch (error) {
    problems.push(name);
    lines.push(`FAIL ${name}: ${error.message}`);
  }
  process.stdout.write(`${lines.at(-1)}\n`);
}

const tarball = packed();
const { folder: toolbox, missing } = tools({ publint: '0.3', '@arethetypeswrong/cli': '0.18', vite: '8' });
if (Object.keys(missing).length) process.stdout.write(`missing: ${JSON.stringify(missing)}\n`);
const consumer = project('consumer', { dependencies: [tarball] });
const names = entryNames();

await step('publint', async () => {
  const { publint } = await import(pathToFileURL(join(toolbox, 'node_modules/publint/src/index-node.js')).href);
  const { messages } = await publint({ pkgDir: join(consumer, 'node_modules/afterpass'), strict: true, pack: false });
  const bad = messages.filter(({ type }) => type !== 'suggestion');
  if (bad.length) throw new Error(JSON.stringify(bad, null, 1));
  return `${messages.length} suggestions`;
});

// ESM only: `require` of it works where Node has require(esm), which attw's node16-cjs column does not know.
await step('arethetypeswrong', () => {
  run(process.execPath, [
    join(toolbox, 'node_modules/@arethetypeswrong/cli/dist/index.js'),
    tarball,
    ...['--profile', 'esm-only', '--exclude-entrypoints', './kernels.wasm'],
  ]);
});

await step('no install script, four different binaries inside', () => {
  const { scripts = {} } = JSON.parse(readFileSync(join(consumer, 'node_modules/afterpass/package.json'), 'utf8'));
  const hooks = Object.keys(scripts).filter((name) => /^(pre|post)?install$|^prepare$/.test(name));
  if (hooks.length) throw new Error(`install scripts: ${hooks.join(', ')}`);
  const files = readdirSync(join(consumer, 'node_modules/afterpass'), { recursive: true, encoding: 'utf8' });
  const stray = files.filter(
    (file) => /(^|\/)(test|assembly)\//.test(file) && !/^build\/test\/.*\.bench\.js$/.test(file) && file.includes('.'),
  );
  if (stray.length) throw new Error(`files that do not belong: ${stray.slice(0, 5).join(', ')}`);
  return `${files.length} files, ${Math.round(statSync(tarball).size / kilobytes)} kB packed`;
});

for (const name of names) {
  await step(`size of ${specifier(name)}`, async () => {
    const { gzip, inputs, text } = await bundle(consumer, name);
    const onnx = inputs.filter((file) => /\/build\/lib\/(onnx|ort)/.test(file));
    if (text.includes('sparseInitializer')) onnx.push('the decoder of models');
    const free = ['./transport', './sorting', './optimizers', './losses', './linalg', './mfac'];
    if (free.includes(name) && onnx.length) throw new Error(`brings ONNX code: ${onnx.slice(0, 3).join(', ')}`);
    if (!['.', './relaxed'].includes(name) && gzip > areaBudget) throw new Error(`${gzip} bytes gzip, budget ${areaBudget}`);
    return `${(gzip / kilobytes).toFixed(1)} kB gzip`;
  });
}

await step('size of one method', async () => {
  const contents = "import { sgd } from 'afterpass/optimizers'; globalThis.f = sgd;";
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: consumer },
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
  });
  return `sgd without kernels ${gzipSync(outputFiles[0].contents).length} bytes gzip`;
});

await step('kernels.wasm', () => {
  const gzip = kernelsGzip();
  if (gzip > kernelBudget) throw new Error(`${gzip} bytes gzip, budget ${kernelBudget}`);
  return `${(gzip / kilobytes).toFixed(1)} kB gzip`;
});

const consumerSource = `${names.map((name, i) => `import * as area${i} from '${specifier(name)}';`).join('\n')}
export const all: object[] = [${names.map((_, i) => `area${i}`).join(', ')}];\n`;
const settings = (module, moduleResolution, lib = ['ES2022', 'DOM', 'ESNext.Disposable']) =>
  JSON.stringify({
    compilerOptions: { module, moduleResolution, lib, target: 'ES2022', strict: true, noEmit: true, types: [] },
    files: [],
  });
for (const [kind, module, resolution, extension] of [
  ['ESM under node16', 'node16', 'node16', 'mts'],
  ['ESM under nodenext', 'nodenext', 'nodenext', 'mts'],
  ['ESM under bundler', 'esnext', 'bundler', 'ts'],
  ['CommonJS under node20', 'node20', 'node16', 'cts'],
  ['CommonJS under nodenext', 'nodenext', 'nodenext', 'cts'],
]) {
  await step(`TypeScript: ${kind}`, () => {
    const config = JSON.parse(settings(module, resolution));
    config.files = [`use.${extension}`];
    if (kind === 'CommonJS under node20') delete config.compilerOptions.moduleResolution;
    const file = `tsconfig.${kind.replaceAll(' ', '-')}.json`;
    writeFiles(consumer, { [`use.${extension}`]: consumerSource, [file]: JSON.stringify(config) });
    run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', join(consumer, file)]);
  });
}

const page = { 'index.html': '<script type="module" src="./main.js"></script>', 'main.js': consumerSource.replace(': object[]', '') };
for (const [kind, extra] of [
  ['without onnxruntime-node', []],
  ['with onnxruntime-node', ['onnxruntime-node']],
]) {
  const folder = project(`bundled-${extra.length}`, { dependencies: [tarball, ...extra], files: page });
  await step(`Vite build ${kind}`, () => {
    run(process.execPath, [join(toolbox, 'node_modules/vite/bin/vite.js'), 'build', '--logLevel', 'error'], { cwd: folder });
  });
  if (!extra.length) {
    await step('Vite build of every area alone', () => {
      for (const name of names) {
        writeFiles(folder, { 'main.js': `import * as area from '${specifier(name)}';\ndocument.title = Object.keys(area).join();\n` });
        run(process.execPath, [join(toolbox, 'node_modules/vite/bin/vite.js'), 'build', '--logLevel', 'error'], { cwd: folder });
      }
      writeFiles(folder, page);
      return `${names.length} entries`;
    });
  }
  for (const platform of ['browser', 'node']) {
    await step(`esbuild bundle for ${platform} ${kind}`, async () => {
      const outfile = join(folder, `out-${platform}.mjs`);
      await build({ entryPoints: [join(folder, 'main.js')], bundle: true, format: 'esm', platform, outfile, logLevel: 'silent' });
      if (platform === 'browser') return;
      writeFileSync(
        join(folder, 'call.mjs'),
        `import { all } from './out-node.mjs'; if (all.length !== ${names.length}) throw new Error('lost');
const { sinkhorn } = all.find((area) => area.sinkhorn);
if (!sinkhorn({ cost: [0, 1, 1, 0], a: [0.5, 0.5], b: [0.5, 0.5] }, { epsilon: 0.5 }).converged) throw new Error('no result');`,
      );
      run(process.execPath, ['--experimental-wasm-relaxed-simd', 'call.mjs'], { cwd: folder });
    });
  }
}

await step('AFTERPASS_BUILD chooses each tier', () => {
  const source = `import { capabilities } from 'afterpass'; process.stdout.write(capabilities().build);`;
  writeFiles(consumer, { 'tier.mjs': source });
  for (const tier of ['simd', 'relaxed', 'reference']) {
    const env = { ...process.env, AFTERPASS_BUILD: tier };
    const got = run(process.execPath, ['--experimental-wasm-relaxed-simd', 'tier.mjs'], { cwd: consumer, env });
    if (got !== tier) throw new Error(`expected ${tier}, got ${got}`);
  }
});

process.stdout.write(problems.length ? `failed: ${problems.join(', ')}\n` : `package: all ${lines.length} checks passed\n`);
process.exitCode = problems.length ? 1 : 0;
