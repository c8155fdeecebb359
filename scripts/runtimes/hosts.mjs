// How the calls are run in each runtime. A host returns the results, or throws; `missing` is for what this machine cannot have.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { build } from 'esbuild';
import { run } from '../lib/sandbox.mjs';

/** Thrown where a runtime is not to be had. */
export class Missing extends Error {}

const last = (output) => JSON.parse(output.trim().split('\n').at(-1));

/** Results printed as the last line of a program's output. */
export function program(path, args, folder) {
  if (!existsSync(path)) throw new Missing(`${path} is not installed`);
  return last(run(path, args, { cwd: folder }));
}

/** Bundles a worker for workerd: `.wasm` stays an import, as wrangler leaves it; returns the modules for miniflare. */
export async function workerModules(folder, entry) {
  const wasm = [];
  const { outputFiles } = await build({
    entryPoints: [join(folder, entry)],
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker', 'import'],
    write: false,
    plugins: [
      {
        name: 'wasm-modules',
        setup(b) {
          b.onResolve({ filter: /\.wasm$/ }, async ({ path, pluginData, ...rest }) => {
            if (pluginData === 'resolved') return undefined;
            const { path: file } = await b.resolve(path, { ...rest, pluginData: 'resolved' });
            wasm.push(file);
            return { path: `./${file.split('/').at(-1)}`, external: true };
          });
        },
      },
    ],
  });
  return [
    { type: 'ESModule', path: 'worker.mjs', contents: outputFiles[0].text },
    ...[...new Set(wasm)].map((file) => ({ type: 'CompiledWasm', path: file.split('/').at(-1), contents: readFileSync(file) })),
  ];
}

/** Starts a worker in miniflare, passes it to `use`, and stops it. */
export async function inWorkerd(toolbox, modules, use) {
  if (!existsSync(join(toolbox, 'node_modules/miniflare'))) throw new Missing('miniflare is not installed');
  const { Miniflare } = createRequire(join(toolbox, 'package.json'))('miniflare');
  const flare = new Miniflare({ modules, compatibilityDate: '2026-01-01' });
  try {
    return await use(flare);
  } finally {
    await flare.dispose();
  }
}

const types = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
};

/** Serves a folder, opens a page in headless Chromium, and resolves with the JSON that the page posts to /result. */
export async function inChromium(folder, page = 'index.html', { screenshot } = {}) {
  const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
  if (!chromium) throw new Missing('no Chromium: apt-get install chromium');
  let report;
  const reported = new Promise((resolve) => {
    report = resolve;
  });
  const server = createServer((request, response) => {
    if (request.url === '/result') {
      let body = '';
      request.on('data', (part) => (body += part));
      request.on('end', () => (response.end('{}'), report(JSON.parse(body))));
      return;
    }
    const file = join(folder, decodeURIComponent(new URL(request.url, 'http://x').pathname));
    if (!file.startsWith(folder) || !existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' }).end(readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}/${page}`;
  const profile = join(folder, '.profile');
  const flags = [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--no-first-run',
    `--user-data-dir=${profile}`,
  ];
  const browser = spawn(chromium, [...flags, '--remote-debugging-port=0', url], { stdio: 'ignore' });
  let timer;
  try {
    const limit = new Promise((_, refuse) => {
      timer = setTimeout(() => refuse(new Error('no result from the page within 60 s')), 60_000);
      browser.on('exit', () => refuse(new Error('Chromium ended before the page reported')));
    });
    const result = await Promise.race([reported, limit]);
    if (screenshot) {
      mkdirSync(join(screenshot, '..'), { recursive: true });
      const shot = [...flags.slice(0, -1), `--user-data-dir=${profile}-shot`, '--window-size=1000,1280', '--virtual-time-budget=8000'];
      // Not spawnSync: the page is served by this process.
      const camera = spawn(chromium, [...shot, `--screenshot=${screenshot}`, url], {
        stdio: 'ignore',
        timeout: 60_000,
        killSignal: 'SIGKILL',
      });
      await new Promise((resolve) => camera.once('exit', resolve));
    }
    return result;
  } finally {
    clearTimeout(timer);
    browser.kill('SIGKILL');
    server.closeAllConnections();
    server.close();
    await new Promise((resolve) => setTimeout(resolve, 200));
    for (const path of [profile, `${profile}-shot`]) rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Vite's production build of a project folder. */
export function viteBuild(toolbox, folder) {
  if (!existsSync(join(toolbox, 'node_modules/vite'))) throw new Missing('vite is not installed');
  run(process.execPath, [join(toolbox, 'node_modules/vite/bin/vite.js'), 'build', '--logLevel', 'error'], { cwd: folder });
  return join(folder, 'dist');
}

/** One plain module file of an entry, for a script tag. */
export async function plainModule(folder, entry, outfile) {
  await build({ entryPoints: [join(folder, entry)], bundle: true, format: 'esm', platform: 'browser', outfile, logLevel: 'silent' });
}

/** An entry and what it imports dynamically as files of their own. */
export async function splitModules(folder, entry, outdir) {
  await build({
    entryPoints: [join(folder, entry)],
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    outdir,
    logLevel: 'silent',
  });
}
