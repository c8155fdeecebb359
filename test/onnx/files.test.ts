import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readBeside, readBytes, writeWhole } from '../../src/onnx/files.node.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'afterpass-files-'))));
afterEach(() => rmSync(folder, { recursive: true }));

test('a written file is whole and nothing lies beside it', () => {
  writeWhole(join(folder, 'a.bin'), Uint8Array.of(1, 2, 3));
  expect([...readBytes(join(folder, 'a.bin'))]).toEqual([1, 2, 3]);
  expect(readdirSync(folder)).toEqual(['a.bin']);
});

test('a file that cannot be written is refused by name and leaves nothing behind', () => {
  mkdirSync(join(folder, 'taken'));
  expect(() => writeWhole(join(folder, 'taken'), Uint8Array.of(1))).toThrow(/taken: expected a writable file, got /);
  expect(() => writeWhole(join(folder, 'none', 'a.bin'), Uint8Array.of(1))).toThrow(/no such file or folder/);
  expect(readdirSync(folder)).toEqual(['taken']);
});

test('what a killed writer left long ago is cleared away by the next write, what is young or of a living process stays', () => {
  const gone = 2 ** 22 + 1; // beyond every process number
  const left = {
    old: `a.bin.${gone}.partial`,
    young: `a.bin.${gone + 1}.partial`,
    living: `a.bin.${process.ppid}.partial`,
    other: 'b.bin.1.partial',
  };
  for (const name of Object.values(left)) writeFileSync(join(folder, name), 'half');
  for (const name of [left.old, left.living, left.other]) utimesSync(join(folder, name), 1, 1);
  writeWhole(join(folder, 'a.bin'), Uint8Array.of(1));
  expect(readdirSync(folder).sort()).toEqual(['a.bin', left.living, left.young, left.other].sort());
});

test('a missing file is refused by name', () => {
  expect(() => readBytes(join(folder, 'none.onnx'))).toThrow(/none.onnx: expected a readable file, got no such file or folder/);
});

test('external data is read by offset and length, and refused when short or outside the folder', () => {
  writeFileSync(join(folder, 'data.bin'), Uint8Array.of(0, 1, 2, 3, 4));
  const model = join(folder, 'model.onnx');
  expect([...readBeside(model, 'data.bin', 1, 3)]).toEqual([1, 2, 3]);
  expect([...readBeside(model, 'data.bin', 2)]).toEqual([2, 3, 4]);
  expect(() => readBeside(model, 'data.bin', 3, 3)).toThrow(/expected 3 bytes from 3, got 2/);
  expect(() => readBeside(model, 'gone.bin', 0)).toThrow(/gone.bin: expected a readable file of external data/);
  mkdirSync(join(folder, 'inner'));
  symlinkSync(join(folder, 'data.bin'), join(folder, 'inner', 'link.bin'));
  expect(() => readBeside(join(folder, 'inner', 'model.onnx'), 'link.bin', 0)).toThrow(/a link out of it/);
});
