// The samples of docs/derivatives.md run as printed, on a small model.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { drawDigits } from '../../bin/demo/digits.js';
import { digitsNetwork } from '../../bin/demo/network.js';
import { writeNpz } from '../../src/core/npy.js';
import { encodeModel } from '../../src/onnx/model.js';

const page = readFileSync(join('docs', 'derivatives.md'), 'utf8');
const samples = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map((match, i) => [i + 1, match[1] as string] as const);

let folder: string;
beforeAll(() => {
  // Inside the package, so that `afterpass` resolves to the build as it will for users.
  folder = mkdtempSync(resolve('build', 'derivatives-'));
  const { x, y } = drawDigits(20, { seed: 1 });
  writeFileSync(join(folder, 'digits.npz'), writeNpz({ x, y: { data: y, shape: [y.length] } }));
  writeFileSync(join(folder, 'model.onnx'), encodeModel(digitsNetwork({ channels: [3, 4, 5] })));
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each(samples)('sample %i runs and prints', (i, code) => {
  const file = join(folder, `sample-${i}.mjs`);
  writeFileSync(file, code);
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], { cwd: folder, encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(stdout).not.toMatch(/NaN|undefined/);
  expect(stdout.trim()).not.toBe('');
});
