import fc from 'fast-check';
import { readNpy, readNpz, writeNpy, writeNpz } from '../../src/core/npy.js';
import type { TypedArray } from '../../src/core/tensor.js';

// Written by NumPy 2.4.6 savez_compressed: one member per type, order or corner.
const fromNumpy = [
  'UEsDBC0AAAAIAAAAIQCjb1Mj//////////8GABQAZjQubnB5AQAQAOAAAAAAAAAAhwAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBuk2airqOgnpZfVFKUmBefX5SSCh',
  'IPKSpNBQoXZyQWpAK5GkY6CsY6CiaaOgq1CmQCLgYwcHBkYGhwAGIgzQDEC0B8ewaGABAbKN4BpAWAeAVIHshPANIHgPQEIK0AxBuA2AHILwDSD4D0DCBtAMQ7HAFQSwME',
  'LQAAAAgAAAAhAH4SCoj//////////wYAFABiZS5ucHkBABAAkAAAAAAAAABNAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6XZqGuo6Cell9UUpSYF59flJIKEndLzC',
  'lOBYoXZyQWpAL5GkY6mjoKtQoUAC77HwxgcIAJQgMAUEsDBC0AAAAIAAAAIQBUXRTP//////////8IABQAaGFsZi5ucHkBABAAjAAAAAAAAABQAAAAAAAAAJvsF+obEMnI',
  'UMZQrZ6SWpxcpG6loG6TZqSuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GmY6mjoKtQoUAC4GG4Yd/6sZGRhqGOoAUEsDBC0AAAAIAAAAIQAWk4y7//////////',
  '8IABQAZmxhZy5ucHkBABAAgwAAAAAAAABHAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loF6TZKiuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GsY6mjoKtQoU',
  'AC5GBkYAUEsDBC0AAAAIAAAAIQBRarvz//////////8GABQAaTgubnB5AQAQAJAAAAAAAAAATwAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBuk2mhrqOgnpZfVFKUmB',
  'efX5SSChJ3S8wpTgWKF2ckFqQC+RpGOgqGmjoKtQpkAy5GBhBQYPj7HwIAUEsDBC0AAAAIAAAAIQCCvXKF//////////8GABQAdTEubnB5AQAQAIIAAAAAAAAARgAAAAAA',
  'AACb7BfqGxDJyFDGUK2eklqcXKRupaBeU2qorqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFAAuhv8AUEsDBC0AAAAIAAAAIQAGhnux//////////',
  '8GABQAaTIubnB5AQAQAIIAAAAAAAAARgAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBuk2mkrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RqGOpo6CrUKFACu',
  'K/8AUEsDBC0AAAAIAAAAIQAqW9gI//////////8KABQAc2NhbGFyLm5weQEAEACEAAAAAAAAAEYAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNmoq6joJ6WX1RSlJ',
  'gXn1+UkgoSd0vMKU4FihdnJBakAvkamjoKtQoUAS4GhgcOAFBLAwQtAAAACAAAACEAo2hSd///////////CQAUAGVtcHR5Lm5weQEAEACAAAAAAAAAAEYAAAAAAAAAm+wX',
  '6hsQychQxlCtnpJanFykbqWgbpNmoq6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaBjoKxpo6CrUKZAMuAFBLAwQtAAAACAAAACEAgLYXq///////////BgAUAG',
  'k0Lm5weQEAEACIAAAAAAAAAE0AAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpdpoq6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaRjqaOgq1ChQALgYGBtb/',
  '////AgBQSwECLQMtAAAACAAAACEAo29TI4cAAADgAAAABgAAAAAAAAAAAAAAgAEAAAAAZjQubnB5UEsBAi0DLQAAAAgAAAAhAH4SCohNAAAAkAAAAAYAAAAAAAAAAAAAAI',
  'ABvwAAAGJlLm5weVBLAQItAy0AAAAIAAAAIQBUXRTPUAAAAIwAAAAIAAAAAAAAAAAAAACAAUQBAABoYWxmLm5weVBLAQItAy0AAAAIAAAAIQAWk4y7RwAAAIMAAAAIAAAA',
  'AAAAAAAAAACAAc4BAABmbGFnLm5weVBLAQItAy0AAAAIAAAAIQBRarvzTwAAAJAAAAAGAAAAAAAAAAAAAACAAU8CAABpOC5ucHlQSwECLQMtAAAACAAAACEAgr1yhUYAAA',
  'CCAAAABgAAAAAAAAAAAAAAgAHWAgAAdTEubnB5UEsBAi0DLQAAAAgAAAAhAAaGe7FGAAAAggAAAAYAAAAAAAAAAAAAAIABVAMAAGkyLm5weVBLAQItAy0AAAAIAAAAIQAq',
  'W9gIRgAAAIQAAAAKAAAAAAAAAAAAAACAAdIDAABzY2FsYXIubnB5UEsBAi0DLQAAAAgAAAAhAKNoUndGAAAAgAAAAAkAAAAAAAAAAAAAAIABVAQAAGVtcHR5Lm5weVBLAQ',
  'ItAy0AAAAIAAAAIQCAtherTQAAAIgAAAAGAAAAAAAAAAAAAACAAdUEAABpNC5ucHlQSwUGAAAAAAoACgATAgAAWgUAAAAA',
].join('');
const archive = Uint8Array.from(atob(fromNumpy), (c) => c.charCodeAt(0));

test('an archive written by NumPy is read: types, byte orders, Fortran order, scalars, empty arrays', () => {
  const a = readNpz(archive);
  expect(a.f4).toEqual({ data: Float32Array.from({ length: 24 }, (_, i) => i), shape: [2, 3, 4] });
  expect(a.be).toEqual({ data: Float64Array.of(1.5, -2.25), shape: [2] });
  expect(Array.from(a.half?.data as Float32Array)).toEqual([1, -0.5, 65504, 2 ** -24, Infinity, NaN]);
  expect(a.flag).toEqual({ data: Uint8Array.of(1, 0, 1), shape: [3] });
  expect(a.i8).toEqual({ data: BigInt64Array.of(2n ** 53n + 1n, -3n), shape: [2, 1] });
  expect(a.i4).toEqual({ data: Int32Array.of(5, -6), shape: [2] });
  expect(a.i2).toEqual({ data: Int16Array.of(-300), shape: [1] });
  expect(a.u1).toEqual({ data: Uint8Array.of(0, 255), shape: [2] });
  expect(a.scalar).toEqual({ data: Float32Array.of(7), shape: [] });
  expect(a.empty).toEqual({ data: new Float32Array(0), shape: [0, 3] });
});

const kinds = [Float32Array, Float64Array, Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Uint32Array] as const;
const arrays = fc.tuple(fc.constantFrom(...kinds), fc.array(fc.nat(5), { maxLength: 4 }), fc.nat()).map(([Kind, shape, seed]) => ({
  data: new Kind(Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (i * 37 + seed) % 251)) as TypedArray,
  shape,
}));

test('every array comes back as it was written', () => fc.assert(fc.property(arrays, (a) => expect(readNpy(writeNpy(a))).toEqual(a))));

test.each([false, true])('an archive comes back as it was written (compress: %p)', (compress) =>
  fc.assert(
    fc.property(fc.dictionary(fc.string({ minLength: 1, maxLength: 12 }), arrays, { maxKeys: 5 }), (record) =>
      expect(readNpz(writeNpz(record, { compress }))).toEqual({ ...record }),
    ),
    { numRuns: 50 },
  ),
);

test('64-bit integers keep all their bits', () => {
  const big = { data: BigUint64Array.of(2n ** 64n - 1n), shape: [1] };
  expect(readNpy(writeNpy(big))).toEqual(big);
});

test('data starts at a multiple of 64 bytes, as NumPy aligns it', () => {
  const bytes = writeNpy({ data: Float32Array.of(1, 2), shape: [2] });
  expect((bytes.length - 8) % 64).toBe(0);
});

test('a file cut short at any byte is refused by name, never read as something else', () => {
  const npy = writeNpy({ data: Float32Array.from({ length: 40 }, (_, i) => i), shape: [5, 8] });
  for (let length = 0; length < npy.length; length++) {
    expect(() => readNpy(npy.subarray(0, length), 'weights')).toThrow(/^weights: expected /);
  }
  for (let length = 0; length < archive.length; length += 3) {
    expect(() => readNpz(archive.subarray(0, length), 'data')).toThrow(/^data: expected /);
  }
});

test('a flipped byte never escapes as anything but a named error', () => {
  for (const bytes of [archive, writeNpz({ x: { data: Float32Array.of(1, 2, 3), shape: [3] } })]) {
    for (let at = 0; at < bytes.length; at++) {
      const broken = bytes.slice();
      broken[at] = (broken[at] as number) ^ 0x55;
      try {
        readNpz(broken, 'data');
      } catch (error) {
        expect((error as Error).message).toMatch(/^data(: \w+)?: expected /);
      }
    }
  }
});

test('a changed data byte is caught by the checksum', () => {
  const bytes = writeNpz({ x: { data: Float32Array.of(1, 2, 3), shape: [3] } });
  bytes[30 + 'x.npy'.length + 128 + 3] ^= 1;
  expect(() => readNpz(bytes)).toThrow(/checksum/);
});

test.each([
  ["{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", /dtype <c8/],
  ["{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", /dtype of records/],
  ["{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", /dtype \|O/],
  ["{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 1000000000), }", /bytes of data/],
  ["{'descr': '<f4', 'fortran_order': False}", /without descr, fortran_order or shape/],
])('a header %s is refused', (header, message) => {
  const bytes = new Uint8Array(10 + header.length + 8);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]);
  for (let i = 0; i < header.length; i++) bytes[10 + i] = header.charCodeAt(i);
  expect(() => readNpy(bytes)).toThrow(message);
});

test('a Node Buffer inside a pool is read like any other bytes', () => {
  const written = writeNpz({ x: { data: Float64Array.of(1, 2, 3), shape: [3] } });
  for (let offset = 0; offset < 8; offset++) {
    const pool = Buffer.alloc(offset + written.length);
    pool.set(written, offset);
    expect(readNpz(pool.subarray(offset)).x).toEqual({ data: Float64Array.of(1, 2, 3), shape: [3] });
  }
});

test('a shape that does not hold the data is not written', () => {
  expect(() => writeNpy({ data: new Float32Array(5), shape: [2, 3] })).toThrow(/shape: expected 5 elements/);
});
