// RotaryEmbedding of ai.onnx (operator set 23) and com.microsoft (Su et al. 2021, arXiv:2104.09864, §3.4), written out.
import type { Builder, Value } from '../builder.js';
import { over, times } from '../dims.js';
import { type Dim, intOf, type Node } from '../graph.js';
import { fail } from '../reference/value.js';
import { likeFirst, type Rule } from './rule.js';

/** Pairs of x [B, N, S, H] turned by angles whose cosines and sines are [B, 1, S, R/2]; elements beyond R stay. */
function turned(b: Builder, x: Value, cos: Value, sin: Value, interleaved: boolean): Value {
  const width = b.staticShape(x, 3)[0]!;
  const half = b.staticShape(cos, 3)[0]!;
  const part = (from: number, to: number): Value => (from === 0 && to === width ? x : b.slice(x, [3], [from], [to]));
  const shape = b.shape(x);
  let pairs: Value[];
  if (interleaved) {
    const apart = b.reshape(part(0, 2 * half), [...shape.slice(0, 3), half, 2]);
    pairs = [0, 1].map((k) => b.squeeze(b.slice(apart, [4], [k], [k + 1]), [4]));
  } else pairs = [part(0, half), part(half, 2 * half)];
  const [p, q] = pairs as [Value, Value];
  const real = b.sub(b.mul(p, cos), b.mul(q, sin));
  const imaginary = b.add(b.mul(p, sin), b.mul(q, cos));
  const together = interleaved
    ? b.reshape(
        b.concat(
          [real, imaginary].map((v) => b.unsqueeze(v, [4])),
          4,
        ),
        [...shape.slice(0, 3), 2 * half],
      )
    : b.concat([real, imaginary], 3);
  return 2 * half === width ? together : b.concat([together, part(2 * half, width)], 3);
}

/** x [B, S, N·H] or [B, N, S, H] turned and brought back to its shape. */
function rotated(b: Builder, node: Node, x: Value, cos: Value, sin: Value, heads: number): Value {
  const interleaved = intOf(node, 'interleaved', 0) !== 0;
  if (b.rank(x) === 4) return turned(b, x, cos, sin, interleaved);
  const [batch, steps, width] = b.shape(x) as [Dim, Dim, Dim];
  const each = over(width, heads);
  if (each === undefined) throw fail(node, `expected a width that ${heads} heads divide, got ${width}`);
  const apart = b.transpose(b.reshape(x, [batch, steps, heads, each]), [0, 2, 1, 3]);
  return b.reshape(b.transpose(turned(b, apart, cos, sin, interleaved), [0, 2, 1, 3]), [batch, steps, times(heads, each)]);
}

/** Rows of a cache [P, R/2] at positions [B, S], or a cache [B, S, R/2] itself, as [B, 1, S, R/2]. */
function rows(b: Builder, cache: Value, positions: Value | undefined): Value {
  return b.unsqueeze(positions ? b.op('Gather', [cache, positions], { axis: 0 }) : cache, [1]);
}

export const RotaryEmbedding: Rule = {
  infer: likeFirst,
  expand: (node, b) => {
    const [x, cos, sin, positions] = node.inputs.map((name) => name || undefined) as [Value, Value, Value, Value | undefined];
    return [rotated(b, node, x, rows(b, cos, positions), rows(b, sin, positions), intOf(node, 'num_heads', 1))];
  },
};

/** com.microsoft: positions come second, as [B, S] or as the one position of the first step. */
export const FusedRotaryEmbedding: Rule = {
  infer: likeFirst,
  expand: (node, b) => {
    const [x, positions, cos, sin] = node.inputs as [Value, Value, Value, Value];
    if (intOf(node, 'is_packed_batching', 0)) throw fail(node, 'expected one row per sample, got is_packed_batching');
    let places = positions;
    if (b.rank(positions) === 1) {
      const steps = b.shape(x)[b.rank(x) - 2]!;
      if (typeof steps !== 'number') throw fail(node, `expected positions [B, S] or a known number of steps, got ${steps}`);
      places = b.unsqueeze(b.add(positions, b.ints(Array.from({ length: steps }, (_, i) => i))), [0]);
    }
    const width = b.rank(x) === 3 ? (b.shape(x)[2] as number) : 0;
    const heads = intOf(node, 'num_heads', 0) || width / (2 * b.staticShape(cos, 1)[0]!);
    return [rotated(b, node, x, rows(b, cos, places), rows(b, sin, places), heads)];
  },
};
