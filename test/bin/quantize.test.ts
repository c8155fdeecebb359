// The quantize verb: files that ONNX Runtime opens, and what it says about them.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawDigits } from '../../bin/demo/digits.js';
import { digitsNetwork } from '../../bin/demo/network.js';
import { writeNpz } from '../../src/core/npy.js';
import { decodeModel, encodeModel } from '../../src/onnx/model.js';
import { OnnxModel } from '../../src/onnx/onnx-model.js';
import { fit } from '../../src/workflows/index.js';
import { cli } from '../helpers/cli.js';
import { runModel } from '../helpers/ort.js';

let folder: string;
const { x, y } = drawDigits(150);
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'afterpass-quantize-'));
  writeFileSync(join(folder, 'd.npz'), writeNpz({ x, y: { data: y, shape: [150] } }));
  const model = await OnnxModel.open(digitsNetwork({ channels: [4, 6, 8] }));
  await fit(model, { x, y }, { epochs: 6, learningRate: 1e-2, batchSize: 25 });
  await model.save(join(folder, 'm.onnx'));
  model.dispose();
});
afterAll(() => rmSync(folder, { recursive: true }));

test('quantize writes an integer model that runs at every optimisation level and keeps the accuracy', async () => {
  const { code, stdout, stderr } = await cli(['quantize', 'm.onnx', '--data', 'd.npz', '--out', 'q.onnx', '--json'], { cwd: folder });
  expect([stderr, code]).toEqual(['', 0]);
  const result = JSON.parse(stdout);
  expect(Object.keys(result)).toEqual(
    expect.arrayContaining(['before', 'after', 'perLayer', 'meanBits', 'originalBytes', 'bytes', 'gzipBytes', 'out', 'seconds']),
  );
  expect(Math.abs(result.after.accuracy - result.before.accuracy)).toBeLessThan(0.05);
  expect(result.meanBits).toBe(8);
  const bytes = readFileSync(join(folder, 'q.onnx'));
  expect(result.bytes).toBe(bytes.length);
  expect(result.originalBytes).toBe(readFileSync(join(folder, 'm.onnx')).length);
  const feeds = { x: { type: 'float32', data: x.data as Float32Array, shape: x.shape } } as const;
  const model = decodeModel(bytes);
  const name = model.graph.inputs[0]!.name;
  const [plain, whole] = await Promise.all((['disabled', 'all'] as const).map((level) => runModel(bytes, { [name]: feeds.x }, level)));
  const output = model.graph.outputs[0]!.name;
  const [a, b] = [plain![output]!.data as Float32Array, whole![output]!.data as Float32Array];
  const off = a.reduce((sum, v, k) => sum + (v - b[k]!) ** 2, 0) / a.reduce((sum, v) => sum + v * v, 0);
  expect(Math.sqrt(off)).toBeLessThan(0.05);
  const again = await cli(['evaluate', 'q.onnx', '--data', 'd.npz', '--json'], { cwd: folder });
  expect(JSON.parse(again.stdout)).toEqual(result.after);
  expect(JSON.parse(model.metadata.get('afterpass.quantize')!)).toMatchObject({ rounding: 'mse', calibration: 'minmax' });
});

test('a budget of bits is kept, and weights alone need no ranges', async () => {
  const how = ['--activations', 'none', '--budget', '5', '--out', 'b.onnx', '--json'];
  const result = JSON.parse((await cli(['quantize', 'm.onnx', '--data', 'd.npz', ...how], { cwd: folder })).stdout);
  expect(result.meanBits).toBeLessThanOrEqual(5);
  expect(result.meanBits).toBeGreaterThan(3);
  expect(decodeModel(readFileSync(join(folder, 'b.onnx'))).graph.nodes.some(({ op }) => op === 'QuantizeLinear')).toBe(false);
  expect(encodeModel(decodeModel(readFileSync(join(folder, 'b.onnx')))).length).toBe(result.bytes);
});

test.each([
  [['--bits', '9'], /^error: --bits: expected an integer from 2 to 8, got 9/],
  [['--bits', '4', '--budget', '4'], /^error: --budget: expected either bits or a budget of bits per weight, got both/],
  [['--method', 'best'], /^error: --method: expected one of minmax, mse, discrete, got 'best'/],
  [['--include', 'nothing*'], /^error: --include: expected a glob .* matches none/],
])('%j is misuse: one line, exit code 2, no file', async (extra, message) => {
  const { code, stderr } = await cli(['quantize', 'm.onnx', '--data', 'd.npz', '--out', 'none.onnx', ...extra], { cwd: folder });
  expect(stderr).toMatch(message);
  expect(code).toBe(2);
  expect(readdirSync(folder)).not.toContain('none.onnx');
});
