// npm test [-- pattern]: jest in ESM mode, then the two lines that count (the golden line last, on stdout).
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'afterpass-test-'));
const summary = join(folder, 'summary.txt');
const { status } = spawnSync(
  process.execPath,
  ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js', ...process.argv.slice(2)],
  { stdio: 'inherit', env: { ...process.env, AFTERPASS_TEST_SUMMARY: summary } },
);
let lines = 'golden: 0 run, 0 not implemented, 0 absent\n';
try {
  lines = readFileSync(summary, 'utf8');
} catch {
  // jest stopped before it could report
}
rmSync(folder, { recursive: true, force: true });
process.stdout.write(lines);
const absent = Number(/(\d+) absent/.exec(lines)?.[1] ?? 0);
if (process.env.CI && process.env.AFTERPASS_GOLDEN && absent > 0) process.exitCode = 1;
if (status !== 0) process.exitCode = status ?? 1;
