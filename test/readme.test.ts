// The README's samples run as printed, on small files that stand in for the demo's.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { drawDigits } from '../bin/demo/digits.js';
import { digitsNetwork } from '../bin/demo/network.js';
import { writeNpz } from '../src/core/npy.js';
import { encodeModel } from '../src/onnx/model.js';

const readme = readFileSync('README.md', 'utf8');
const samples = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map((match) => match[1] as string);

let folder: string;
beforeAll(() => {
  // Inside the package, so that `afterpass` resolves to the build as it will for users.
  folder = mkdtempSync(resolve('build', 'readme-'));
  mkdirSync(join(folder, 'afterpass-demo'));
  const [train, test] = [drawDigits(160, { seed: 1 }), drawDigits(40, { seed: 2 })];
  const labels = (y: Uint8Array) => ({ data: y, shape: [y.length] });
  const arrays = { x_train: train.x, y_train: labels(train.y), x_test: test.x, y_test: labels(test.y) };
  writeFileSync(join(folder, 'afterpass-demo', 'digits.npz'), writeNpz(arrays));
  writeFileSync(join(folder, 'afterpass-demo', 'dense.onnx'), encodeModel(digitsNetwork({ channels: [3, 4, 5] })));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('there are three samples', () => expect(samples).toHaveLength(3));

test.each(samples.map((code, i) => [i + 1, code]))('sample %i runs and prints', (i, code) => {
  const file = join(folder, `sample-${i}.mjs`);
  writeFileSync(file, code);
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], { cwd: folder, encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(stdout).not.toMatch(/NaN|undefined/);
  expect(stdout.trim()).not.toBe('');
});

test('every page and every verb that the README names exists', async () => {
  for (const [, path] of readme.matchAll(/\]\(([\w./-]+)\)/g)) expect([path, existsSync(path as string)]).toEqual([path, true]);
  const { commands } = await import('../bin/commands/index.js');
  const verbs = commands.map(({ command }) => String(command).split(' ')[0] as string);
  const table = readme.slice(readme.indexOf('## On the command line'), readme.indexOf('## Limits'));
  for (const [, cell] of table.matchAll(/^\| (.+?) \|/gm)) {
    for (const [, verb] of (cell as string).matchAll(/`([a-z]+)/g)) expect(verbs).toContain(verb);
  }
});
