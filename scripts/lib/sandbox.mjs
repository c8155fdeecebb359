// Projects outside the repository's node_modules: the packed tarball installed as a user would, and tools fetched by package name.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const cache = resolve('.cache');

/** Runs a program and returns its output; throws with both streams when it fails. */
export function run(program, args, options = {}) {
  const result = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 2 ** 28, timeout: 600_000, ...options });
  if (result.status !== 0) {
    const why = result.error?.message ?? `exit ${result.status ?? result.signal}`;
    throw new Error(`${program.split('/').at(-1)} ${args.join(' ').slice(0, 120)}: ${why}\n${result.stdout ?? ''}${result.stderr ?? ''}`);
  }
  return result.stdout;
}

function npm(args, cwd, env = {}) {
  return run('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], { cwd, env: { ...process.env, ...env } });
}

/** `npm pack` of the working copy; the path of the tarball. */
export function packed() {
  mkdirSync(cache, { recursive: true });
  const [{ filename }] = JSON.parse(npm(['pack', '--json', '--pack-destination', cache], '.'));
  return join(cache, filename);
}

/** An empty project with exactly these files and dependencies (`name` or `name@range` or a path), installed without scripts. */
export function project(name, { files = {}, dependencies = [], env } = {}) {
  const folder = join(cache, 'projects', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }));
  if (dependencies.length) npm(['install', '--ignore-scripts', '--legacy-peer-deps', '--prefer-offline', ...dependencies], folder, env);
  writeFiles(folder, files);
  return folder;
}

/** Writes `{ path: text }` below a folder. */
export function writeFiles(folder, files) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** Packages used as tools, installed once: the folder whose node_modules has them, or an error naming the one that failed. */
export function tools(wanted) {
  const folder = join(cache, 'tools');
  mkdirSync(folder, { recursive: true });
  const manifest = join(folder, 'package.json');
  if (!existsSync(manifest)) writeFileSync(manifest, JSON.stringify({ name: 'tools', private: true, type: 'module' }));
  const have = JSON.parse(readFileSync(manifest, 'utf8')).dependencies ?? {};
  const missing = Object.entries(wanted).filter(([name]) => !have[name] || !existsSync(join(folder, 'node_modules', name)));
  // Scripts are needed: deno and bun fetch nothing, but choose their binary in theirs.
  if (missing.length)
    npm(['install', '--ignore-scripts=false', '--prefer-offline', ...missing.map(([name, spec]) => `${name}@${spec}`)], folder);
  return folder;
}
