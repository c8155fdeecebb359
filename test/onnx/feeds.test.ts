import { readInputs } from '../../src/onnx/feeds.js';
import type { ValueInfo } from '../../src/onnx/graph.js';

const x: ValueInfo = { name: 'x', type: 'float32', shape: ['N', 3] };
const ids: ValueInfo = { name: 'ids', type: 'int64', shape: ['N', 'T'] };
const ones = (n: number, m = 3) => ({ data: new Float64Array(n * m).fill(1), shape: [n, m] });

test('numbers become the element type the graph declares, an ONNX Runtime tensor is read as it is', () => {
  expect(readInputs(ones(2), [x])).toEqual({
    samples: 2,
    tensors: { x: { data: new Float32Array(6).fill(1), shape: [2, 3], type: 'float32' } },
  });
  const { tensors } = readInputs({ x: ones(2), ids: { data: Int32Array.of(4, 5), dims: [2, 1] } }, [x, ids]);
  expect(tensors.ids).toEqual({ data: BigInt64Array.of(4n, 5n), shape: [2, 1], type: 'int64' });
});

test.each([
  [{ data: new Float32Array(4), shape: [2, 2] }, [x], /x: expected shape \[N, 3\], got \[2, 2\]/],
  [{ data: new Float32Array(3), shape: [3] }, [x], /x: expected shape \[N, 3\], got \[3\]/],
  [{ data: new Float32Array(0), shape: [0, 3] }, [x], /x: expected at least one sample/],
  [{ data: Float32Array.of(1, NaN, 2), shape: [1, 3] }, [x], /x: expected finite numbers, got NaN at index 1/],
  [ones(2), [x, ids], /x: expected a record with x, ids, got one tensor/],
  [{ x: ones(2) }, [x, ids], /x: expected inputs x, ids, got x/],
  [{ x: ones(2), z: ones(2) }, [x], /x: expected inputs x, got 'z' too/],
  [{ x: ones(2), ids: { data: new Int8Array(3), shape: [3, 1] } }, [x, ids], /ids: expected shape \[2, T\], got \[3, 1\]/],
  [{ x: ones(2), ids: { data: Float32Array.of(1, 1.5), shape: [2, 1] } }, [x, ids], /ids: expected integers, got 1.5 at index 1/],
  [7, [x], /x: expected a tensor or a record with x, got 7/],
])('inputs that do not fit are refused by name (%#)', (inputs, declared, message) => {
  expect(() => readInputs(inputs as never, declared)).toThrow(message);
});
