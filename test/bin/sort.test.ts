import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readNpy, writeNpy } from '../../src/core/npy.js';
import { softRank } from '../../src/sorting/index.js';
import { cli } from '../helpers/cli.js';

const folder = mkdtempSync(join(tmpdir(), 'afterpass-sort-'));
const table = new TextEncoder().encode('3,1,2\n9,8,7\n');
const run = async (...args: string[]) => {
  const { code, stdout, stderr } = await cli(['sort', '-', '--json', ...args], { input: table });
  return { code, stderr, result: stdout ? JSON.parse(stdout) : undefined };
};

test('rows of a table from stdin are sorted, ranked and cut to the best', async () => {
  expect((await run()).result).toMatchObject({ method: 'sort', shape: [2, 3], values: [1, 2, 3, 7, 8, 9] });
  expect((await run('--method', 'argsort', '--direction', 'descending')).result).toMatchObject({ indices: [0, 2, 1, 0, 1, 2] });
  expect((await run('--method', 'rank')).result).toMatchObject({ ranks: [3, 1, 2, 3, 2, 1] });
  expect((await run('--method', 'top-k', '--k', '2')).result).toMatchObject({ shape: [2, 2], values: [3, 2, 9, 8], indices: [0, 2, 0, 1] });
  expect((await run('--method', 'quantile', '--q', '0.5')).result).toMatchObject({ shape: [2, 1], values: [2, 8] });
});

test('soft ranks of an npy file are those of the library, and --out writes them whole', async () => {
  const x = { data: Float32Array.of(0.3, -1, 2, 0.5), shape: [4] };
  const [from, to] = [join(folder, 'x.npy'), join(folder, 'ranks.npy')];
  writeFileSync(from, writeNpy(x));
  const args = ['sort', from, '--method', 'soft-rank', '--strength', '0.5', '--units', 'range', '--out', to];
  expect((await cli(args)).code).toBe(0);
  expect(readNpy(readFileSync(to)).data).toEqual(softRank(x.data, { strength: 0.5, units: 'range' }).values);
  const again = await cli(args);
  expect(again.code).toBe(2);
  expect(again.stderr).toMatch(/^error: --out: expected a new file/);
});

test('a column of numbers is one row, printed as a table', async () => {
  const { code, stdout } = await cli(['sort', '-'], { input: new TextEncoder().encode('3\n1\n2\n') });
  expect(code).toBe(0);
  expect(stdout.match(/\d/g)?.join('')).toBe('011223');
});

test.each([
  [['--method', 'top-k'], /^error: --k: expected a number of elements for top-k, got none/],
  [['--method', 'top-k', '--k', '4'], /^error: --k: expected an integer from 1 to 3, got 4/],
  [['--method', 'bubble'], /^error: --method: expected one of sort, argsort/],
  [['--method', 'soft-rank', '--strength', '-1'], /^error: --strength: expected a number >= 0, got -1/],
  [['--method', 'diff-sort', '--steepness', '0'], /^error: --steepness: expected a number > 0, got 0/],
])('%j is misuse: exit 2 and one line', async (args, message) => {
  const { code, stderr } = await run(...args);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});
