// The same bits in every runtime: no source of numbers may use what engines, or the tiers of one engine, compute differently.
import { readdirSync, readFileSync } from 'node:fs';

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.ts') && !name.startsWith('bench/'),
);
const code = (name: string): string => readFileSync(`src/${name}`, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*|'[^'\n]*'/g, '');

test("no file calls a function of Math whose last bits are the engine's own", () => {
  const transcendental = /\bMath\.(a?(sin|cos|tan)h?|atan2|exp|expm1|log|log1p|log2|log10|pow|hypot|cbrt|random)\b/;
  expect(sources.filter((name) => transcendental.test(code(name)))).toEqual([]);
});

test('no file raises anything but 2 to a power with **: compiled and interpreted x ** 2 differ in the last bit', () => {
  expect(sources.filter((name) => /(?<!\b2) \*\* |\*\*=/.test(code(name)))).toEqual([]);
});
