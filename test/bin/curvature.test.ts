// The curvature verb: JSON, terminal and the HTML report.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawDigits } from '../../bin/demo/digits.js';
import { digitsNetwork } from '../../bin/demo/network.js';
import { writeNpz } from '../../src/core/npy.js';
import { encodeModel } from '../../src/onnx/model.js';
import { cli } from '../helpers/cli.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'afterpass-curvature-'));
  const { x, y } = drawDigits(60);
  writeFileSync(join(folder, 'd.npz'), writeNpz({ x, y: { data: y, shape: [60] } }));
  writeFileSync(join(folder, 'm.onnx'), encodeModel(digitsNetwork({ channels: [3, 4, 5] })));
});
afterAll(() => rmSync(folder, { recursive: true }));

const args = ['curvature', 'm.onnx', '--data', 'd.npz', '--steps', '12', '--probes', '12', '--top', '3'];

test('JSON on stdout and one self-contained page with five explained plots', async () => {
  const { code, stdout, stderr } = await cli([...args, '--json', '--report', 'r.html'], { cwd: folder });
  expect(code).toBe(0);
  expect(stderr).toBe('report: r.html\n');
  const result = JSON.parse(stdout);
  expect(result.eigenvalues).toHaveLength(3);
  expect(result.trace.standardError).toBeGreaterThanOrEqual(0);
  expect(result.density.grid).toHaveLength(result.density.density.length);
  expect(result).toMatchObject({ samples: 60, of: 60, report: 'r.html', converged: true });
  for (const key of [
    'residuals',
    'smallest',
    'samSharpness',
    'adaptiveSharpness',
    'directionalSharpness',
    'slices',
    'stability',
    'seconds',
  ])
    expect(result).toHaveProperty(key);
  const html = readFileSync(join(folder, 'r.html'), 'utf8');
  expect(html.match(/<svg/g)).toHaveLength(5);
  expect(html.match(/class="meaning"/g)).toHaveLength(5);
  expect(html).not.toMatch(/<script|<link|NaN|undefined|src=|url\(|@import/);
  expect(html.replace(/http:\/\/www\.w3\.org\/2000\/svg/g, '')).not.toMatch(/https?:/);
});

test('the terminal shows tables; a fixed seed gives the same numbers', async () => {
  const runs = [await cli([...args, '--samples', '30'], { cwd: folder }), await cli([...args, '--samples', '30'], { cwd: folder })];
  expect(runs[0]!.stdout).toMatch(/sharpness/);
  expect(runs[0]!.stdout).toMatch(/measured on 30 of 60 samples; --samples 60 takes all/);
  expect(runs[0]!.stdout).toBe(runs[1]!.stdout);
});

test('misuse is one line and exit code 2, before any work', async () => {
  writeFileSync(join(folder, 'taken.html'), '');
  const taken = await cli([...args, '--report', 'taken.html'], { cwd: folder });
  expect([taken.code, taken.stderr]).toEqual([
    2,
    "error: --report: expected a new file, got the existing 'taken.html'; --force replaces it\n",
  ]);
  const bad = await cli([...args, '--rho', '0'], { cwd: folder });
  expect(bad.code).toBe(2);
  expect(bad.stderr).toMatch(/^error: --rho: expected a number > 0, got 0/);
});
