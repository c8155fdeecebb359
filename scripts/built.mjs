// Builds a fresh clone once, before what needs a build: npm leaves `pre…` scripts out under `ignore-scripts`. After changes: npm run build.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

if (!existsSync('build/bin/cli.js')) {
  console.error('No build yet: npm run build.');
  const { status } = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: ['ignore', 'inherit', 'inherit'] });
  process.exitCode = status ?? 1;
}
