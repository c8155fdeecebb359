import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cli } from '../helpers/cli.js';

test.each([
  [[], /^error: verb: expected one, got none/],
  [['doctr'], /^error: verb: expected one that exists, got 'doctr'; did you mean 'doctor'\?/],
  [['frobnicate'], /^error: verb: expected one that exists, got 'frobnicate'/],
  [['frobnicate', 'a', 'b'], /^error: verb: expected one that exists, got 'frobnicate'/],
  [['embed', 'm.onnx', '--y=labels', '--out', 'f.npy'], /^error: --y: expected an option of 'embed', got an unknown one/],
  [['doctor', '-z'], /^error: -z: expected an option of 'doctor', got an unknown one/],
  [['doctor', '--foo'], /^error: --foo: expected an option of 'doctor', got an unknown one/],
  [['doctor', '--seed'], /^error: --seed: expected a value, got none/],
  [['doctor', '--seed', 'x'], /^error: --seed: expected a number, got 'x'/],
  [['doctor', '--seed', '1.5'], /^error: --seed: expected an integer >= 0, got 1.5/],
  [['doctor', '--seed', '1', '--seed', '2'], /^error: --seed: expected one value, got 2/],
  [['doctor', '--threads', '0'], /^error: --threads: expected an integer from 1 to 1024, got 0/],
  [['doctor', 'more'], /^error: arguments: expected fewer, got 'more' too/],
])('misuse %j is one line on stderr and exit code 2', async (args, message) => {
  const { code, stdout, stderr } = await cli(args);
  expect(stderr).toMatch(message);
  expect(stderr.trimEnd()).not.toContain('\n');
  expect(stdout).toBe('');
  expect(code).toBe(2);
});

test('--version prints the version of the package, not of the project it runs in, and nothing else', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const folder = mkdtempSync(join(tmpdir(), 'afterpass-version-'));
  writeFileSync(join(folder, 'package.json'), '{ "version": "99.0.0" }');
  const { code, stdout } = await cli(['--version'], { cwd: folder });
  rmSync(folder, { recursive: true });
  expect(stdout).toBe(`${version}\n`);
  expect(code).toBe(0);
});

test('doctor reports the kernels and the ONNX Runtime it found, as exactly one JSON object', async () => {
  const { code, stdout } = await cli(['doctor', '--json']);
  const report = JSON.parse(stdout) as { kernels: string; onnxRuntime: { name: string }; threads: number };
  expect(report.kernels).toBe('simd');
  expect(report.onnxRuntime.name).toMatch(/^onnxruntime-(node|web)$/);
  expect(report.threads).toBeGreaterThan(0);
  expect(code).toBe(0);
});
