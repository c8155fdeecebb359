import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readNpy, readNpz, writeNpy } from '../../src/core/npy.js';
import { emd, progressivePartial, sinkhorn } from '../../src/transport/index.js';
import { cli } from '../helpers/cli.js';
import { randomF64 } from '../helpers/close.js';

const folder = mkdtempSync(join(tmpdir(), 'afterpass-transport-'));
const file = (name: string) => join(folder, name);
const save = (name: string, data: Float64Array | Float32Array, shape: number[]) => {
  writeFileSync(file(name), writeNpy({ data, shape }));
  return file(name);
};
const [x, y] = [randomF64(20, 1), randomF64(16, 2)];
const [a, b] = [save('x.npy', x, [10, 2]), save('y.npy', y, [8, 2])];

test('two point sets: value, plan, potentials and picture are those of the library', async () => {
  const args = [
    'transport',
    a,
    b,
    '--epsilon',
    '0.1',
    '--out',
    file('p.npy'),
    '--potentials',
    file('p.npz'),
    '--picture',
    file('p.svg'),
    '--json',
  ];
  const { code, stdout } = await cli(args);
  expect(code).toBe(0);
  const want = sinkhorn({ x: { data: x, shape: [10, 2] }, y: { data: y, shape: [8, 2] } }, { epsilon: 0.1 });
  expect(JSON.parse(stdout)).toMatchObject({ value: want.value, iterations: want.iterations, converged: true, shape: [10, 8] });
  const plan = readNpy(readFileSync(file('p.npy')));
  expect(plan.shape).toEqual([10, 8]);
  expect([...(plan.data as Float64Array)]).toEqual([...want.plan()]);
  expect([...(readNpz(readFileSync(file('p.npz'))).f!.data as Float64Array)]).toEqual([...want.f]);
  const svg = readFileSync(file('p.svg'), 'utf8');
  expect(svg).toMatch(/^<svg /);
  expect(svg.match(/<circle/g)).toHaveLength(18);
});

test('a cost matrix, exactly; and a picture of its plan', async () => {
  const cost = save('c.npy', Float64Array.of(0, 2, 1, 1, 0, 3), [2, 3]);
  const { code, stdout } = await cli(['transport', '--cost', cost, '--method', 'emd', '--picture', file('c.svg'), '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout).value).toBeCloseTo(emd({ cost: { data: Float64Array.of(0, 2, 1, 1, 0, 3), shape: [2, 3] } }).value, 12);
  expect(readFileSync(file('c.svg'), 'utf8')).toMatch(/<rect/);
});

test('iterations that run out are exit 1 with a result', async () => {
  const { code, stdout } = await cli(['transport', a, b, '--epsilon', '0.0001', '--max-iterations', '2', '--json']);
  expect(code).toBe(1);
  expect(JSON.parse(stdout).converged).toBe(false);
});

test('label: logits and features become labels, sizes and files', async () => {
  const logits = randomF64(90, 3);
  const path = save('l.npy', logits, [30, 3]);
  const { code, stdout } = await cli(['label', path, '--classes', '3', '--mass', '0.6', '--soft', file('soft.npy'), '--json']);
  expect(code).toBe(0);
  const want = progressivePartial({ logits: { data: logits, shape: [30, 3] } }, { mass: 0.6 });
  const got = JSON.parse(stdout);
  expect(got).toMatchObject({ samples: 30, classes: 3, from: 'logits', converged: true });
  expect(got.labels).toHaveLength(30);
  expect([...(readNpy(readFileSync(file('soft.npy'))).data as Float64Array)]).toEqual([...want.pseudoLabels]);
  const features = await cli(['label', save('f.npy', randomF64(200, 4), [40, 5]), '--classes', '3', '--semantic-weight', '2', '--json']);
  expect(features.code).toBe(0);
  expect(JSON.parse(features.stdout)).toMatchObject({ from: 'features', classes: 3, samples: 40 });
});

test.each([
  [['transport', a], /^error: transport: expected two point sets or --cost/],
  [['transport', a, b, '--epsilon', '0'], /^error: --epsilon: expected a number > 0, got 0/],
  [['transport', a, b, '--method', 'sinkhorn-partial'], /^error: --mass: expected the mass to move/],
  [['transport', a, b, '--method', 'magic'], /^error: --method: expected one of auto, scaling/],
  [['label', a, '--classes', '3', '--from', 'logits'], /^error: --classes: expected 2, the columns of the logits, got 3/],
  [['label', a, '--from', 'features'], /^error: --classes: expected the number of clusters/],
  [['label', a, '--from', 'features', '--classes', '500'], /^error: --classes: expected an integer from 1 to \d+, got 500/],
  [['label', a, '--mass=0'], /^error: --mass: expected a number > 0, got 0/],
])('%j is misuse: exit 2 and one line', async (args, message) => {
  const { code, stderr } = await cli(args);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});
