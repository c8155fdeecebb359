// npm run build: kernels first (their names are types of the sources), then the TypeScript sources, then the package's few files.
import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';

function run(...args) {
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

rmSync('build/src', { recursive: true, force: true });
rmSync('build/bin', { recursive: true, force: true });
rmSync('build/test', { recursive: true, force: true });
run('scripts/build-wasm.mjs');
run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.json');
run('scripts/bundle.mjs');
run('scripts/systems.mjs');
try {
  chmodSync('build/bin/cli.js', 0o755);
} catch (error) {
  if (error.code !== 'ENOENT') throw error;
}
