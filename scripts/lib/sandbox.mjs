// Projects outside the repository's node_modules: the packed tarball installed as a user would, and tools fetched by package name.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const cache = resolve('.cache');
/** Outside the repository, whose own node_modules would be found from within. */
const projects = join(tmpdir(), `afterpass-projects-${createHash('sha256').update(cache).digest('hex').slice(0, 8)}`);

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
  const folder = join(projects, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }));
  if (dependencies.length)
    npm(['install', '--ignore-scripts', '--legacy-peer-deps', '--prefer-offline', ...patience, ...dependencies], folder, env);
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

/**
 * Packages used as tools, installed once below .cache/tools.
 * @returns the folder whose node_modules has them, and what could not be had, by name with the reason
 */
export function tools(wanted) {
  const folder = join(cache, 'tools');
  mkdirSync(folder, { recursive: true });
  const manifest = join(folder, 'package.json');
  if (!existsSync(manifest)) writeFileSync(manifest, JSON.stringify({ name: 'tools', private: true, type: 'module' }));
  const absent = () => {
    const have = JSON.parse(readFileSync(manifest, 'utf8')).dependencies ?? {};
    return Object.entries(wanted).filter(([name]) => !have[name] || !existsSync(join(folder, 'node_modules', name)));
  };
  // Scripts are needed: deno and bun fetch nothing, but choose their binary in theirs.
  const install = (list) =>
    npm(['install', '--ignore-scripts=false', '--prefer-offline', ...patience, ...list.map(([name, spec]) => `${name}@${spec}`)], folder);
  const missing = {};
  if (absent().length) {
    try {
      install(absent());
    } catch (first) {
      // One that is not to be had must not take the others with it.
      for (const [name, spec] of absent()) {
        try {
          if (offline([first.message])) throw first;
          install([[name, spec]]);
        } catch (error) {
          missing[name] = reason(error);
        }
      }
    }
  }
  return { folder, missing };
}

/** The line of npm's output that says why. */
export function reason({ message }) {
  const lines = message.split('\n');
  return lines.find((line) => /npm error code|code E/.test(line)) ?? lines.find((line) => /npm error/.test(line)) ?? lines[0];
}

/** Without a network npm would try for minutes. */
const patience = ['--fetch-retries=1', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000', '--fetch-timeout=60000'];

/** True where an error says that there is no network, rather than no such package. */
export function offline(reasons) {
  return reasons.some((reason) =>
    /ENOTFOUND|ETIMEDOUT|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ENETUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED/.test(reason),
  );
}
