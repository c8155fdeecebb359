import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { supportedOps } from '../../../src/onnx/index.js';
import { rules } from '../../../src/onnx/ops/index.js';
import { referenceOps } from '../../../src/onnx/reference/index.js';

const folder = join('test', 'onnx', 'ops');
const tables = readdirSync(folder)
  .filter((name) => name.endsWith('.test.ts') && name !== 'coverage.test.ts')
  .map((name) => readFileSync(join(folder, name), 'utf8'))
  .join('\n');
const tested = (op: string): boolean => tables.includes(`'${op}'`);

test('more than 110 operators have rules besides those whose derivative is zero', () => {
  const moving = Object.values(rules).filter((rule) => !rule.zero);
  expect(moving.length).toBeGreaterThanOrEqual(110);
});

test('every operator with a rule has a case in the tables of this folder', () => {
  expect(supportedOps().filter((op) => !tested(op.split('.').at(-1)!))).toEqual([]);
});

test('every operator of the evaluator has a case in the tables of this folder', () => {
  expect(referenceOps().filter((op) => !tested(op))).toEqual([]);
});

test('a rule has both directions, or is written out, or has no derivative', () => {
  const halves = Object.entries(rules).filter(([, { vjp, jvp, expand, zero }]) => !zero && !expand && !(vjp && jvp));
  expect(halves.map(([op]) => op)).toEqual(['Identity']); // readers of its output read its input
});
