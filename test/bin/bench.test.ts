// `bench` as a user runs it: in several processes, twice, the second time against the first.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cli } from '../helpers/cli.js';

const folder = mkdtempSync(join(tmpdir(), 'afterpass-bench-'));
afterAll(() => rmSync(folder, { recursive: true }));

const run = (...args: string[]) => cli(['bench', 'hard quickSelect of', '--builds', 'simd', '--baselines', 'no', '--quiet', ...args]);

test('rows hold the centres of several processes, and a row that took half the time before is called slower', async () => {
  const { code, stdout } = await run('--seconds', '0.1', '--json');
  expect(code).toBe(0);
  const earlier = JSON.parse(stdout);
  const { centres, error } = earlier.cases[0].relative;
  expect(centres.length).toBeGreaterThanOrEqual(3);
  expect(error).toBeGreaterThan(0);

  for (const { relative } of earlier.cases) relative.value /= 2;
  writeFileSync(join(folder, 'faster.json'), JSON.stringify(earlier));
  const again = await run('--seconds', '0.1', '--compare', join(folder, 'faster.json'));
  expect(again.stdout).toMatch(/slower: quickSelect .* processes\)/);
});

test('one pass tells the times but not a change', async () => {
  const { stdout } = await run('--seconds', '0.01', '--json');
  writeFileSync(join(folder, 'once.json'), stdout);
  const { stdout: text } = await run('--seconds', '0.01', '--compare', join(folder, 'once.json'));
  expect(text).toMatch(/cannot be told: quickSelect .* 1 and 1 processes; 3 are needed/);
});

test('a file that is no earlier run is refused by name', async () => {
  writeFileSync(join(folder, 'other.json'), JSON.stringify({ cases: [{ name: 'old' }] }));
  const { code, stderr } = await run('--compare', join(folder, 'other.json'));
  expect([code, stderr]).toEqual([2, expect.stringMatching(/^error: --compare: expected the JSON of an earlier bench/)]);
});
