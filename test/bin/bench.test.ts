// `bench` as a user runs it: in several processes, twice, the second time against the first.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cli, cliPath } from '../helpers/cli.js';

const folder = mkdtempSync(join(tmpdir(), 'afterpass-bench-'));
afterAll(() => rmSync(folder, { recursive: true }));

const run = (...args: string[]) => cli(['bench', 'wassersteinTokenLoss', '--builds', 'simd', '--baselines', 'no', '--quiet', ...args]);

test('rows hold the centres of several processes, and a row that took far less time before is called slower', async () => {
  const { code, stdout } = await run('--seconds', '0.1', '--json');
  expect(code).toBe(0);
  const earlier = JSON.parse(stdout);
  const { centres, error } = earlier.cases[0].relative;
  expect(centres.length).toBeGreaterThanOrEqual(3);
  expect(error).toBeGreaterThan(0);

  for (const { relative } of earlier.cases) relative.value /= 1e9; // beyond what any scatter of a busy machine could hide
  writeFileSync(join(folder, 'faster.json'), JSON.stringify(earlier));
  const again = await run('--seconds', '0.1', '--compare', join(folder, 'faster.json'));
  expect(again.stdout).toMatch(/slower: wassersteinTokenLoss .* processes\)/);
});

test('one pass tells the times but not a change', async () => {
  const { stdout } = await run('--seconds', '0.01', '--json');
  writeFileSync(join(folder, 'once.json'), stdout);
  const { stdout: text } = await run('--seconds', '0.01', '--compare', join(folder, 'once.json'));
  expect(text).toMatch(/cannot be told: wassersteinTokenLoss .* 1 and 1 processes; 3 are needed/);
});

test('cases are listed without being timed, and a pattern that none has is refused by name', async () => {
  const { stdout } = await cli(['bench', '--list', '--json']);
  const areas = new Set((JSON.parse(stdout) as { cases: { area: string }[] }).cases.map(({ area }) => area));
  for (const area of [
    'compression',
    'curvature',
    'dense',
    'kernels',
    'linalg',
    'losses',
    'mfac',
    'onnx',
    'optimizers',
    'sorting',
    'transport',
    'workflows',
  ])
    expect(areas).toContain(area);
  const { code, stderr } = await cli(['bench', 'nothing-of-that-name']);
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/^error: pattern: expected part of an area, file or case .*got 'nothing-of-that-name'/),
  ]);
});

test('an interrupted run prints the rows it has and exits with 130', async () => {
  const child = spawn(process.execPath, [cliPath, 'bench', '--builds', 'simd', '--json', '--seconds', '0.05']);
  let [out, err] = ['', ''];
  child.stdout.on('data', (piece) => (out += piece));
  child.stderr.on('data', (piece) => (err += piece));
  child.stderr.once('data', () => child.kill('SIGINT'));
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(code).toBe(130);
  expect(err).toMatch(/interrupted: \d+ rows have fewer samples/);
  expect(Array.isArray(JSON.parse(out).cases)).toBe(true);
});

test('a file that is no earlier run is refused by name', async () => {
  writeFileSync(join(folder, 'other.json'), JSON.stringify({ cases: [{ name: 'old' }] }));
  const { code, stderr } = await run('--compare', join(folder, 'other.json'));
  expect([code, stderr]).toEqual([2, expect.stringMatching(/^error: --compare: expected the JSON of an earlier bench/)]);
});
