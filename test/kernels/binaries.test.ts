// The binaries are what their names say: a build that silently used the wrong entry or features fails here.
import { readFileSync } from 'node:fs';
import binaryen from 'binaryen';

const tiers = ['simd', 'relaxed', 'reference', 'debug', 'scalar'];
const bytes = new Map(tiers.map((name): [string, Buffer] => [name, readFileSync(`build/wasm/${name}.wasm`)]));
const textOf = (name: string): string => binaryen.readBinary(bytes.get(name) as Buffer).emitText();
const exportsOf = (name: string): string[] =>
  WebAssembly.Module.exports(new WebAssembly.Module(readFileSync(`build/wasm/${name}.wasm`)))
    .map((entry) => entry.name)
    .sort();

test('no two binaries are equal', () => {
  for (const a of tiers) for (const b of tiers) if (a < b) expect(bytes.get(a)?.equals(bytes.get(b) as Buffer)).toBe(false);
});

test.each(['simd', 'reference', 'debug', 'scalar'])('the %s binary imports nothing', (name) => {
  expect(WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(`build/wasm/${name}.wasm`)))).toEqual([]);
});

test('the reference and scalar binaries hold no vector instruction, the plain one does, and only the relaxed one fuses', () => {
  const vector = /\b(v128|[if](8x16|16x8|32x4|64x2))\./;
  for (const name of ['reference', 'scalar']) expect(textOf(name)).not.toMatch(vector);
  const plain = textOf('simd');
  expect(plain).toMatch(vector);
  expect(plain).not.toContain('relaxed');
  const relaxed = textOf('relaxed');
  expect(relaxed).toContain('relaxed_madd');
  expect(relaxed).not.toContain('(import');
});

test('every kernel has a twin of the same name, and no twin is without its kernel', () => {
  expect(exportsOf('reference')).toEqual(exportsOf('simd'));
});
