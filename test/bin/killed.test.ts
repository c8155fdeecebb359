// A process killed while it writes: the old file stays whole, and what it left is cleared away by the next write.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { writeNpy } from '../../src/core/npy.js';
import { Graph, graphTensor, modelOf } from '../../src/onnx/graph.js';
import { decodeModel, encodeModel } from '../../src/onnx/model.js';
import { cliPath } from '../helpers/cli.js';
import { randomF32 } from '../helpers/close.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'afterpass-killed-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const halves = (): string[] => readdirSync(folder).filter((name) => name.endsWith('.partial'));
const size = (name: string): number => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0;

/** Runs a program and kills it as soon as part of an output file is written; the name of what it left. One that was too fast is run again. */
async function killedWhileWriting(args: readonly string[], prepare = () => {}): Promise<string> {
  for (let run = 0; run < 20; run++) {
    prepare();
    const child = spawn(process.execPath, args, { cwd: folder, stdio: 'ignore' });
    const closed = new Promise((done) => child.on('close', (_code, signal) => done(signal)));
    while (child.exitCode === null && !halves().some((name) => size(name) > 0)) await setImmediate();
    child.kill('SIGKILL');
    if ((await closed) !== 'SIGKILL' || halves().length === 0) continue; // it had written everything
    expect(halves()).toHaveLength(1);
    return halves()[0] as string;
  }
  throw new Error('no run was met in the middle of writing');
}

/** Lets a leftover look as if it were of yesterday. */
const age = (name: string): void => utimesSync(join(folder, name), 1, 1);

test('OnnxModel.save: the old model is whole, and the next save leaves nothing but the new one', async () => {
  const graph = new Graph();
  const n = 3000; // 36 MB: long enough to be met in the middle
  graph.inputs = [{ name: 'x', type: 'float32', shape: ['N', n] }];
  graph.outputs = [{ name: 'y', type: 'float32', shape: ['N', n] }];
  graph.initializers.set('w', graphTensor('float32', new Float32Array(n * n).fill(0.5), [n, n]));
  graph.nodes.push({ op: 'MatMul', domain: '', name: 'y', inputs: ['x', 'w'], outputs: ['y'], attributes: {} });
  const old = encodeModel(modelOf(graph));
  writeFileSync(join(folder, 'm.onnx'), old);
  const library = pathToFileURL('build/src/onnx/onnx-model.js').href;
  writeFileSync(
    join(folder, 'save.mjs'),
    `import { OnnxModel } from '${library}';
const model = await OnnxModel.open('m.onnx', { ort: {} });
model.setParameters(model.getParameters().fill(2));
await model.save('m.onnx');
if (!process.argv[2]) for (;;) await model.save('m.onnx');\n`,
  );
  const left = await killedWhileWriting(['save.mjs']);
  const now = readFileSync(join(folder, 'm.onnx'));
  const first = decodeModel(now).graph.initializers.get('w')?.data as Float32Array;
  expect(now.length).toBe(old.length);
  expect([0.5, 2]).toContain(first[0]); // the file before, or the one of a save that was over
  expect(first.every((w) => w === first[0])).toBe(true);

  age(left);
  const again = spawn(process.execPath, ['save.mjs', 'once'], { cwd: folder, stdio: 'ignore' });
  expect(await new Promise((done) => again.on('close', done))).toBe(0);
  expect(readdirSync(folder).sort()).toEqual(['m.onnx', 'save.mjs']);
});

test('an output of the command line: the old file is untouched, and the next run clears up', async () => {
  const values = randomF32(8_000_000, 1);
  writeFileSync(join(folder, 'x.npy'), writeNpy({ data: values, shape: [values.length] }));
  const left = await killedWhileWriting([cliPath, 'sort', 'x.npy', '--out', 'y.npy', '--force'], () =>
    writeFileSync(join(folder, 'y.npy'), 'the old file'),
  );
  expect(readFileSync(join(folder, 'y.npy'), 'utf8')).toBe('the old file');

  age(left);
  writeFileSync(join(folder, 'x.npy'), writeNpy({ data: Float32Array.of(2, 1), shape: [2] }));
  const again = spawn(process.execPath, [cliPath, 'sort', 'x.npy', '--out', 'y.npy', '--force'], { cwd: folder, stdio: 'ignore' });
  expect(await new Promise((done) => again.on('close', done))).toBe(0);
  expect(readdirSync(folder).sort()).toEqual(['x.npy', 'y.npy']);
});
