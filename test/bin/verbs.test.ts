// Every verb that takes a model, as a user runs it.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readNpy, writeNpy, writeNpz } from '../../src/core/npy.js';
import { Random } from '../../src/core/random.js';
import { decodeModel, encodeModel } from '../../src/onnx/model.js';
import { cli } from '../helpers/cli.js';
import { mlp, node } from '../helpers/models.js';

let folder: string;
let model: string;
let data: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'afterpass-verbs-'));
  model = join(folder, 'model.onnx');
  data = join(folder, 'data.npz');
  writeFileSync(model, encodeModel(mlp('float32')));
  const x = { data: new Random(1).fill(new Float32Array(90)), shape: [30, 3] };
  const y = { data: BigInt64Array.from({ length: 30 }, (_, i) => BigInt(i % 4)), shape: [30] };
  const bad = { data: y.data.map((label, i) => (i === 7 ? 9n : label)), shape: [30] };
  const holed = { data: x.data.map((v, i) => (i === 5 ? NaN : v)), shape: [30, 3] };
  const wide = { data: new Float32Array(60), shape: [30, 2] };
  writeFileSync(data, writeNpz({ x, y, bad, holed, wide }));
  writeFileSync(join(folder, 'x.npy'), writeNpy(x));
  writeFileSync(join(folder, 'y.csv'), Array.from(y.data, String).join('\n'));
  writeFileSync(join(folder, 'cut.onnx'), encodeModel(mlp('float32')).subarray(0, 200));
  writeFileSync(join(folder, 'text.onnx'), 'not a model at all');
  const odd = mlp('float32');
  node(odd.graph, 'Frobnicate', ['logits'], 'odd', {}, 'com.example');
  odd.graph.outputs = [{ name: 'odd', type: 'float32', shape: ['N', 4] }];
  writeFileSync(join(folder, 'odd.onnx'), encodeModel(odd));
});
afterAll(() => rmSync(folder, { recursive: true }));

const json = (stdout: string): any => JSON.parse(stdout);

test('evaluate gives the same numbers from an archive, from files and from stdin', async () => {
  const one = await cli(['evaluate', model, '--data', data, '--json']);
  expect(one.code).toBe(0);
  expect(Object.keys(json(one.stdout))).toEqual(['examples', 'loss', 'accuracy']);
  expect(json(one.stdout).examples).toBe(30);
  const two = await cli(['evaluate', model, '--x', 'x.npy', '--y', 'y.csv', '--json'], { cwd: folder });
  expect(json(two.stdout)).toEqual(json(one.stdout));
  const three = await cli(['evaluate', model, '--data', '-', '--json'], { input: readFileSync(data) });
  expect(json(three.stdout)).toEqual(json(one.stdout));
  const named = await cli(['evaluate', model, '--data', data, '--input', 'x=x', '--json']);
  expect(json(named.stdout)).toEqual(json(one.stdout));
  const piped = await cli(['evaluate', '-', '--data', data, '--json'], { input: readFileSync(model) });
  expect(json(piped.stdout)).toEqual(json(one.stdout));
  expect((await cli(['evaluate', model, '--data', data])).stdout).toMatch(/examples.*loss.*accuracy/);
});

test('finetune lowers the loss and writes a model with the same inputs and outputs', async () => {
  const out = join(folder, 'tuned.onnx');
  const { code, stdout } = await cli([
    'finetune',
    model,
    '--data',
    data,
    '--epochs',
    '20',
    '--learning-rate',
    '0.05',
    '--out',
    out,
    '--json',
  ]);
  expect(code).toBe(0);
  const { before, after, history } = json(stdout);
  expect(history).toHaveLength(20);
  expect(after.loss).toBeLessThan(before.loss);
  expect(decodeModel(readFileSync(out)).graph.inputs).toEqual(mlp('float32').graph.inputs);
  expect(json((await cli(['evaluate', out, '--data', data, '--json'])).stdout)).toEqual(after);
});

test('finetune takes its optimizers and losses from the registries', async () => {
  const out = join(folder, 'second.onnx');
  const mfac = ['--optimizer', 'mfac', '--window', '16', '--damping', '1e-3', '--learning-rate', '1e-4', '--epochs', '5'];
  const second = await cli(['finetune', model, '--data', data, ...mfac, '--out', out, '--json']);
  expect(second.code).toBe(0);
  expect(json(second.stdout).after.loss).toBeLessThan(json(second.stdout).before.loss);
  const misfit = await cli(['finetune', model, '--data', data, '--loss', 'huber', '--out', join(folder, 'none.onnx')]);
  expect(misfit).toMatchObject({ code: 2, stderr: expect.stringMatching(/y: expected targets of shape \[30, 4\] for huber, got 30/) });
  const wrong = await cli(['finetune', model, '--data', data, '--window', '16', '--out', join(folder, 'none.onnx')]);
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringMatching(/window: expected no such option for adam/) });
});

test('embed writes what the last linear layer reads, or the layer asked for', async () => {
  const out = join(folder, 'features.npy');
  expect(json((await cli(['embed', model, '--data', data, '--out', out, '--json'])).stdout)).toEqual({ shape: [30, 5], layer: 't', out });
  expect(readNpy(readFileSync(out)).shape).toEqual([30, 5]);
  const again = await cli(['embed', model, '--data', data, '--layer', 'Gemm_h', '--out', out, '--json']);
  expect(again).toMatchObject({ code: 2, stderr: expect.stringMatching(/^error: --out: expected a new file, got the existing/) });
  expect(json((await cli(['embed', model, '--data', data, '--layer', 'Gemm_h', '--out', out, '--json', '--force'])).stdout).layer).toBe(
    'h',
  );
});

test('grad writes derivative models, and --check lists what has no rule', async () => {
  const out = join(folder, 'grad.onnx');
  const { stdout, code } = await cli(['grad', model, '--loss', 'cross-entropy', '--wrt', 'w1,x', '--out', out, '--json']);
  expect(code).toBe(0);
  expect(json(stdout)).toMatchObject({
    unsupported: [],
    inputs: [{ name: 'x' }, { name: 'labels' }],
    outputs: [{ name: 'loss' }, { name: 'grad.w1' }, { name: 'grad.x' }],
  });
  expect(decodeModel(readFileSync(out)).graph.outputs).toHaveLength(3);
  const odd = await cli(['grad', join(folder, 'odd.onnx'), '--check', '--json']);
  expect(odd.code).toBe(1);
  expect(json(odd.stdout).unsupported).toEqual([{ domain: 'com.example', op: 'Frobnicate', node: 'Frobnicate_odd' }]);
});

const evaluateWith = (...args: string[]) => ['evaluate', 'model.onnx', '--data', 'data.npz', ...args];
test.each<[string, string[], RegExp]>([
  ['a missing model', ['evaluate', 'none.onnx', '--data', 'data.npz'], /^error: none.onnx: expected a readable file, got no such file/],
  ['missing data', ['evaluate', 'model.onnx', '--data', 'none.npz'], /^error: none.npz: expected a readable file, got no such file/],
  ['a truncated model', ['evaluate', 'cut.onnx', '--data', 'data.npz'], /^error: cut.onnx: model: expected an ONNX file, got a truncated/],
  [
    'a file that is no model',
    ['evaluate', 'text.onnx', '--data', 'data.npz'],
    /^error: text.onnx: model: expected an ONNX file, got other bytes/,
  ],
  [
    'an unknown operator',
    ['finetune', 'odd.onnx', '--data', 'data.npz', '--out', 'no.onnx'],
    /^error: .*com.example.Frobnicate.*Frobnicate_odd/,
  ],
  [
    'a missing key',
    evaluateWith('--x', 'pixels'),
    /^error: data.npz: expected an array 'pixels', got x, y, bad, holed, wide; name it with --x/,
  ],
  ['a label out of range', evaluateWith('--y', 'bad'), /^error: y: expected labels from 0 to 3, got 9 at index 7 \(label out of range\)/],
  ['a wrong shape', evaluateWith('--x', 'wide'), /^error: x: expected shape \[N, 3\], got \[30, 2\]/],
  ['NaN in the data', evaluateWith('--x', 'holed'), /^error: x: expected finite numbers, got NaN at index 5/],
  [
    'an unwritable output',
    ['finetune', 'model.onnx', '--data', 'data.npz', '--out', 'none/p.onnx'],
    /^error: --out: expected a writable place, got 'none\/p.onnx'/,
  ],
  [
    'an unknown loss',
    evaluateWith('--loss', 'hinge'),
    /^error: --loss: expected one of binary-cross-entropy, cross-entropy, huber, mse, got 'hinge'/,
  ],
  ['an unknown output', evaluateWith('--output', 'nothing'), /^error: --output: expected one of logits, got 'nothing'/],
  [
    'an option of another optimizer',
    ['finetune', 'model.onnx', '--data', 'data.npz', '--out', 'p.onnx', '--momentum', '0.9'],
    /^error: --momentum: expected no such option for adam, which takes --learning-rate, --weight-decay$/m,
  ],
])('%s ends with exit code 2, one line that names it, and no file', async (_, args, message) => {
  const before = readdirSync(folder);
  const { code, stdout, stderr } = await cli(args, { cwd: folder });
  expect(stderr).toMatch(message);
  expect(stderr.trimEnd()).not.toContain('\n');
  expect(stdout).toBe('');
  expect(code).toBe(2);
  expect(readdirSync(folder)).toEqual(before);
});

test('an output that is a folder is refused even with --force', async () => {
  mkdirSync(join(folder, 'taken.onnx'), { recursive: true });
  const { code, stderr } = await cli(['finetune', model, '--data', data, '--out', join(folder, 'taken.onnx'), '--force']);
  expect(stderr).toMatch(/--out: expected a file, got the folder/);
  expect(code).toBe(2);
});
