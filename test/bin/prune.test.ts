// The prune verb, and what it leaves behind when it is stopped.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawDigits } from '../../bin/demo/digits.js';
import { digitsNetwork } from '../../bin/demo/network.js';
import { writeNpz } from '../../src/core/npy.js';
import { decodeModel, encodeModel } from '../../src/onnx/model.js';
import { cli, cliPath } from '../helpers/cli.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'afterpass-prune-'));
  const { x, y } = drawDigits(150);
  writeFileSync(join(folder, 'd.npz'), writeNpz({ x_train: x, y_train: { data: y, shape: [150] } }));
  writeFileSync(join(folder, 'm.onnx'), encodeModel(digitsNetwork({ channels: [4, 6, 8] })));
});
afterAll(() => rmSync(folder, { recursive: true }));

const args = ['prune', 'm.onnx', '--data', 'd.npz', '--x', 'x_train', '--y', 'y_train'];

test('prune writes a valid model with exactly the asked share of zeros, and says what it did in it', async () => {
  const { code, stdout, stderr } = await cli(
    [...args, '--sparsity', '0.75', '--steps', '2', '--gradients', '50', '--out', 'p.onnx', '--json'],
    { cwd: folder },
  );
  expect(stderr).toBe('');
  expect(code).toBe(0);
  const result = JSON.parse(stdout);
  expect(Object.keys(result)).toEqual(
    expect.arrayContaining(['sparsity', 'parameters', 'pruned', 'perLayer', 'before', 'after', 'bytes', 'gzipBytes', 'out', 'seconds']),
  );
  const dense = decodeModel(readFileSync(join(folder, 'm.onnx')));
  const pruned = decodeModel(readFileSync(join(folder, 'p.onnx')));
  let [weights, zeros] = [0, 0];
  for (const [name, { data }] of pruned.graph.initializers) {
    if (!name.endsWith('.weight')) continue;
    weights += data.length;
    zeros += (data as Float32Array).filter((w) => w === 0).length;
  }
  expect(result.parameters).toBe(weights);
  expect(zeros).toBe(Math.floor(0.75 * weights));
  expect(result.pruned).toBe(zeros);
  expect(result.gzipBytes).toBeLessThan(result.bytes);
  expect(result.bytes).toBe(readFileSync(join(folder, 'p.onnx')).length);
  expect(pruned.graph.inputs).toEqual(dense.graph.inputs);
  expect(pruned.graph.outputs).toEqual(dense.graph.outputs);
  expect(JSON.parse(pruned.metadata.get('afterpass.prune') as string)).toMatchObject({
    method: 'mfac',
    sparsity: 0.75,
    steps: 2,
    gradients: 50,
  });
  const again = await cli(['evaluate', 'p.onnx', '--data', 'd.npz', '--x', 'x_train', '--y', 'y_train', '--json'], { cwd: folder });
  expect(JSON.parse(again.stdout)).toEqual(result.after);
});

test('several sparsities make several files, each from the dense model', async () => {
  const { stdout } = await cli(
    [...args, '--method', 'magnitude', '--sparsity', '0.5,0.9', '--include', 'conv*.weight', '--out', 's.onnx', '--json'],
    { cwd: folder },
  );
  const { runs } = JSON.parse(stdout);
  expect(runs.map((run: { out: string; sparsity: number }) => run.out)).toEqual(['s-0.5.onnx', 's-0.9.onnx']);
  expect(runs[0].perLayer.map(({ opType }: { opType: string }) => opType)).toEqual(['Conv', 'Conv', 'Conv']);
  expect(runs[0].before).toEqual(runs[1].before);
});

test('--compress stores the zeros of mostly empty weights in no bytes, and the model computes the same', async () => {
  const how = ['--method', 'magnitude', '--sparsity', '0.9', '--json'];
  const dense = JSON.parse((await cli([...args, ...how, '--out', 'stored.onnx'], { cwd: folder })).stdout);
  const sparse = JSON.parse((await cli([...args, ...how, '--out', 'sparse.onnx', '--compress'], { cwd: folder })).stdout);
  expect(sparse.bytes).toBeLessThan(dense.bytes / 1.5);
  expect(sparse.bytes).toBe(readFileSync(join(folder, 'sparse.onnx')).length);
  const [one, two] = await Promise.all(
    ['stored.onnx', 'sparse.onnx'].map((name) => cli(['evaluate', name, ...args.slice(2), '--json'], { cwd: folder })),
  );
  expect(two?.stdout).toBe(one?.stdout);
});

test('--pattern 2:4 and --method channel write models that evaluate as they say, the second a smaller one', async () => {
  for (const how of [
    ['--method', 'sparsegpt', '--pattern', '2:4', '--include', 'conv*.weight'],
    ['--method', 'channel', '--sparsity', '0.5'],
  ]) {
    const out = `${how[1]}.onnx`;
    const { stdout, stderr, code } = await cli([...args, ...how, '--out', out, '--json'], { cwd: folder });
    expect([stderr, code]).toEqual(['', 0]);
    const result = JSON.parse(stdout);
    const again = await cli(['evaluate', out, ...args.slice(2), '--json'], { cwd: folder });
    expect(JSON.parse(again.stdout)).toEqual(result.after);
    if (how[1] === 'channel') expect(result.bytes).toBeLessThan(0.6 * readFileSync(join(folder, 'm.onnx')).length);
    else expect(Math.abs(result.sparsity - 0.5)).toBeLessThan(0.06);
  }
});

test('--method channel --speedup times the layers here and writes a model of at most half of the channels with its speed', async () => {
  writeFileSync(join(folder, 'fast.onnx'), encodeModel(digitsNetwork({ channels: [16, 16, 16] })));
  const how = ['prune', 'fast.onnx', ...args.slice(2), '--method', 'channel', '--sparsity', '0.5', '--speedup', '1.1', '--samples', '32'];
  const { stdout, code } = await cli([...how, '--out', 'faster.onnx', '--json'], { cwd: folder });
  expect(code).toBe(0);
  const { groups, speedup, after } = JSON.parse(stdout);
  const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
  const kept = groups.map((group: { kept: object }) => Object.keys(group.kept).length);
  expect(sum(kept)).toBeLessThanOrEqual(0.5 * sum(groups.map(({ channels }: { channels: number }) => channels)));
  expect(speedup).toBeGreaterThan(0); // how fast is the machine's affair
  const again = await cli(['evaluate', 'faster.onnx', ...args.slice(2), '--json'], { cwd: folder });
  expect(JSON.parse(again.stdout)).toEqual(after);
});

test.each([
  [['--speedup', '2', '--sparsity', '0.5'], /^error: --speedup: expected method channel, got mfac/],
  [['--speedup', '0.5', '--method', 'channel'], /^error: --speedup: expected a number from 1 to 1000, got 0.5/],
  [['--speedup', '900', '--method', 'channel'], /^error: --speedup: expected one that fewer channels bring here, .* at most, got 900/],
  [['--sparsity', '1.2'], /^error: --sparsity: expected a number from 0 to 1, got 1.2/],
  [['--sparsity', 'half'], /^error: --sparsity: expected a number, got 'half'/],
  [['--sparsity', '0.5', '--method', 'guess'], /^error: --method: expected one of mfac, magnitude, .* got 'guess'/],
  [['--sparsity', '0.5', '--include', 'nothing*'], /^error: --include: expected a glob .* got 'nothing\*' that matches none/],
  [['--pattern', '4:2'], /^error: --pattern: expected n:m with 1 <= n <= m, such as 2:4, got '4:2'/],
  [['--pattern', '2:4', '--sparsity', '0.5'], /^error: --sparsity: expected either a sparsity or a pattern, got both/],
  [['--pattern', '2:4', '--method', 'block4'], /^error: --pattern: expected a method that knows patterns .*, got block4/],
  [['--pattern', '2:4', '--method', 'channel'], /^error: --pattern: expected a method that prunes weights, got channel/],
  [['--sparsity', '0.5', '--min-per-layer', '0.1'], /^error: minimumPerLayer: expected method magnitude without a pattern, got mfac/],
  [[], /^error: --sparsity: expected either a sparsity or a pattern, got none/],
])('%j is misuse: one line, exit code 2, no file', async (extra, message) => {
  const { code, stderr } = await cli([...args, ...extra, '--out', 'none.onnx'], { cwd: folder });
  expect(stderr).toMatch(message);
  expect(stderr.trimEnd()).not.toContain('\n');
  expect(code).toBe(2);
  expect(readdirSync(folder).filter((name) => name.includes('none'))).toEqual([]);
});

test.each([
  ['SIGKILL', null],
  ['SIGINT', 130],
] as const)('%s in the middle of the work leaves no output, whole or partial', async (signal, exitCode) => {
  const long = [...args, '--sparsity', '0.9', '--steps', '500', '--out', 'killed.onnx'];
  const child = spawn(process.execPath, [cliPath, ...long], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (stderr += piece));
  const closed = new Promise<number | null>((done) => child.on('close', done));
  await new Promise((done) => setTimeout(done, 4000));
  expect(child.exitCode).toBeNull(); // it is still at work
  child.kill(signal);
  expect(await closed).toBe(exitCode);
  if (signal === 'SIGINT') expect(stderr).toMatch(/^error: signal: the work was aborted/);
  expect(readdirSync(folder).filter((name) => name.includes('killed'))).toEqual([]);
});

test('--compact writes a file of little more than half the size that evaluates alike, and not together with --compress', async () => {
  const wide = { channels: [16, 24, 32] as const };
  writeFileSync(join(folder, 'wide.onnx'), encodeModel(digitsNetwork({ channels: [...wide.channels] })));
  const how = ['prune', 'wide.onnx', ...args.slice(2), '--method', 'magnitude', '--pattern', '2:4', '--json'];
  const plain = JSON.parse((await cli([...how, '--out', 'plain.onnx'], { cwd: folder })).stdout);
  const packed = JSON.parse((await cli([...how, '--compact', '--out', 'packed.onnx'], { cwd: folder })).stdout);
  expect(packed.bytes).toBe(readFileSync(join(folder, 'packed.onnx')).length);
  expect(packed.bytes).toBeLessThan(0.6 * plain.bytes);
  const again = await cli(['evaluate', 'packed.onnx', ...args.slice(2), '--json'], { cwd: folder });
  expect(JSON.parse(again.stdout)).toEqual(plain.after);
  const both = await cli([...how, '--compact', '--compress', '--out', 'both.onnx'], { cwd: folder });
  expect([both.code, both.stderr]).toEqual([2, 'error: --compact: expected either --compress or --compact, got both\n']);
});
