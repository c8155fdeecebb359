import { drawDigits } from '../../bin/demo/digits.js';
import { digitsNetwork } from '../../bin/demo/network.js';
import { decodeModel, encodeModel } from '../../src/onnx/model.js';

test('the same seed draws the same digits, another seed others', () => {
  const [a, b, c] = [1, 1, 2].map((seed) => drawDigits(30, { seed }));
  expect(a).toEqual(b);
  expect(a?.x.data).not.toEqual(c?.x.data);
});

test('pixels lie between paper and ink, and every digit is drawn equally often', () => {
  const { x, y } = drawDigits(200, { size: 16 });
  expect(x.shape).toEqual([200, 1, 16, 16]);
  expect(Math.min(...x.data)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...x.data)).toBeLessThanOrEqual(1);
  for (let digit = 0; digit < 10; digit++) expect(y.filter((label) => label === digit).length).toBe(20);
});

test('without sloppiness and noise all drawings of a digit differ by the pen only', () => {
  const { x, y } = drawDigits(40, { sloppiness: 0, noise: 0 });
  const inked = (i: number): string =>
    Array.from(x.data.subarray(i * 144, (i + 1) * 144), (v) => (v > 0.9 ? '#' : v > 0 ? '+' : '.')).join('');
  const ones = [...y.keys()].filter((i) => y[i] === 1);
  const core = inked(ones[0] as number);
  for (const i of ones) expect([...inked(i)].filter((c, p) => (c === '#') !== (core[p] === '#') && core[p] === '.').length).toBe(0);
});

test('the network is a model that comes back from its own bytes', () => {
  const model = digitsNetwork({ channels: [2, 3, 4] });
  expect(decodeModel(encodeModel(model)).graph.nodes.map(({ op }) => op)).toEqual([
    'Conv',
    'Relu',
    'Conv',
    'Relu',
    'MaxPool',
    'Conv',
    'Relu',
    'GlobalAveragePool',
    'Flatten',
    'Gemm',
  ]);
});
