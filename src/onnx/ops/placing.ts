// Operators that put elements back where windows took them: Col2Im and MaxUnpool, written out.
import { sizeOf } from '../../core/tensor.js';
import { floatTensor, type Value } from '../builder.js';
import { minus, plus, product, times } from '../dims.js';
import type { Dim } from '../graph.js';
import { fail } from '../reference/value.js';
import { likeFirst, type Rule } from './rule.js';
import { windowOf, windowOfPool } from './window.js';

/** [n, C·taps, places] summed into [n, C, …image]: the transposed convolution of every tap's plane with a one at its tap. */
export const Col2Im: Rule = {
  infer: likeFirst,
  expand: (node, b) => {
    const [x] = node.inputs as [Value];
    const image = b.integersOf(node.inputs[1]!, node);
    const block = b.integersOf(node.inputs[2]!, node);
    const { strides, dilations, pads } = windowOf(node, block);
    const taps = sizeOf(block);
    const [n, rows] = b.shape(x) as [Dim, Dim];
    if (typeof rows !== 'number' || rows % taps) throw fail(node, `expected C·${taps} rows, got ${rows}`);
    const reach = block.map((k, i) => dilations[i]! * (k - 1) + 1);
    const room = image.map((extent, i) => extent + pads[i]! + pads[i + block.length]! - reach[i]!);
    const out = room.map((r, i) => Math.floor(r / strides[i]!) + 1);
    const ones = Float64Array.from({ length: rows * taps }, (_, i) => (Math.floor(i / taps) % taps === i % taps ? 1 : 0));
    const kernel = b.constant(floatTensor(b.elementType(x), ones, [rows, 1, ...block]));
    const rest = room.map((r, i) => r - (out[i]! - 1) * strides[i]!);
    const attributes = { kernel_shape: block, strides, dilations, pads, group: rows / taps, output_padding: rest };
    return [b.op('ConvTranspose', [b.reshape(x, [n, rows, ...out]), kernel], attributes)];
  },
};

/** Elements at given places of zeros. */
export const MaxUnpool: Rule = {
  infer: likeFirst,
  expand: (node, b) => {
    const [x, places, wanted] = node.inputs as [Value, Value, Value | undefined];
    const { kernel, strides, pads } = windowOfPool(node);
    const shape = b.shape(x);
    const open = shape.slice(2).map((extent, i) => {
      const whole = plus(times(minus(extent, 1), strides[i]!), kernel[i]!);
      return minus(whole, pads[i]! + pads[i + kernel.length]!);
    });
    const into = wanted ? b.extentsOf(wanted) : [...shape.slice(0, 2), ...open];
    if (!into) throw fail(node, 'expected an output_shape known before running, got a computed one');
    const flat = (value: Value): Value => b.reshape(value, [product(shape)]);
    const zeros = b.expand(b.scalar(x, 0), [product(into)]);
    return [b.reshape(b.op('ScatterElements', [zeros, flat(places), flat(x)], { axis: 0 }), into)];
  },
};
