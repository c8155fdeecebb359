// Reshape, Transpose, Squeeze, Unsqueeze, Flatten, Expand, Shape, Size: data moves or repeats, values do not change.
import { GraphError } from '../../core/errors.js';
import type { Builder, Value, ValueType } from '../builder.js';
import { broadcast, isStatic, over, product, sameShape } from '../dims.js';
import { type Dim, intOf, intsOf, type Node, where } from '../graph.js';
import { axisOf, constantRule, fromFront, type Rule } from './rule.js';

/** A rule for data that only changes its shape: the cotangent takes the input's shape, the tangent the output's. */
const reshaped = (infer: Rule['infer'], simplify?: Rule['simplify']): Rule => ({
  infer,
  ...(simplify && { simplify }),
  vjp: ({ inputs: [x] }, [d], b) => [b.reshape(d!, b.shape(x!))],
  jvp: (node, [d], b) => [d && b.op(node.op, [d, ...node.inputs.slice(1)], node.attributes)],
});

/** The shape a Reshape asks for: 0 copies, −1 is what is left. */
export function reshapeTo(from: readonly Dim[], wanted: readonly Dim[], allowZero: boolean): Dim[] {
  const dims = wanted.map((dim, axis) => (dim === 0 && !allowZero ? from[axis]! : dim));
  const open = dims.indexOf(-1);
  if (open < 0) return dims;
  const known = product(dims.filter((_, axis) => axis !== open));
  dims[open] = known === 0 ? 0 : (over(product(from), known) ?? `(${product(from)}//${known})`);
  return dims;
}

/** `reshapeTo` for a node. @throws {GraphError} naming it when the shape cannot hold the elements */
function shapeAfter(node: Node, from: readonly Dim[], wanted: readonly Dim[]): Dim[] {
  const dims = reshapeTo(from, wanted, intOf(node, 'allowzero', 0) === 1);
  const known = isStatic(from) && isStatic(wanted);
  if (known && (!isStatic(dims) || product(dims) !== product(from))) {
    const { node: name, op } = where(node);
    throw new GraphError(`${op} '${name}': expected a shape of ${product(from)} elements, got [${wanted.join(', ')}]`, where(node));
  }
  return dims;
}

export const Reshape: Rule = {
  ...reshaped((node, b) => {
    const { type, shape, value } = b.type(node.inputs[0]!);
    const wanted = b.extentsOf(node.inputs[1]!);
    if (!wanted) {
      const rank = b.shape(node.inputs[1]!)[0];
      return [{ type, shape: typeof rank === 'number' ? Array.from({ length: rank }, (_, i) => `(${node.inputs[1]}.${i})`) : undefined }];
    }
    if (!shape) return [{ type, shape: wanted.some((dim) => typeof dim === 'number' && dim < 1) ? undefined : wanted }];
    const to = shapeAfter(node, shape, wanted);
    return [{ type, shape: to, value: to.length <= 1 ? value : undefined }];
  }),
  simplify: (node, b) => {
    const [x, to] = node.inputs as [Value, Value];
    const shape = b.type(x).shape;
    const wanted = b.extentsOf(to);
    if (!shape || !wanted) return undefined;
    const dims = shapeAfter(node, shape, wanted);
    if (sameShape(shape, dims)) return [x];
    const maker = b.makerOf(x);
    // Only the last of a chain of reshapes counts.
    if (maker && ['Reshape', 'Squeeze', 'Unsqueeze', 'Flatten'].includes(maker.op)) return [b.reshape(maker.inputs[0]!, dims)];
    // A computed shape becomes a constant when one extent at most is left open.
    if (!b.constantOf(to) && dims.filter((dim) => typeof dim === 'string').length <= 1) return [b.reshape(x, dims)];
    return undefined;
  },
};

export const Flatten = reshaped((node, b) => {
  const { type, shape } = b.type(node.inputs[0]!);
  const axis = shape && axisOf(node, b, 1);
  return [{ type, shape: shape && [product(shape.slice(0, axis)), product(shape.slice(axis))] }];
});

/** The axes a Squeeze or Unsqueeze names. */
function axesOf(node: Node, b: Builder, rank: number): number[] | undefined {
  return node.inputs[1] ? b.integersOf(node.inputs[1], node).map((axis) => fromFront(axis, rank)) : undefined;
}

/** Axes as an attribute (before opset 13) become an input. */
const axesAsInput: Rule['expand'] = (node, b) => {
  const axes = intsOf(node, 'axes');
  return axes && [b.op(node.op, [node.inputs[0]!, b.ints(axes)])];
};

export const Squeeze: Rule = {
  ...reshaped(
    (node, b) => {
      const { type, shape, value } = b.type(node.inputs[0]!);
      if (!shape) return [{ type }];
      const axes = axesOf(node, b, shape.length);
      return [{ type, shape: shape.filter((extent, axis) => (axes ? !axes.includes(axis) : extent !== 1)), value }];
    },
    (node, b) => undoes(node, b, 'Unsqueeze'),
  ),
  expand: axesAsInput,
};

export const Unsqueeze: Rule = {
  ...reshaped(
    (node, b) => {
      const { type, shape, value } = b.type(node.inputs[0]!);
      if (!shape) return [{ type }];
      const axes = axesOf(node, b, shape.length + b.integersOf(node.inputs[1]!, node).length)!;
      const rest = [...shape];
      const to = Array.from({ length: shape.length + axes.length }, (_, axis) => (axes.includes(axis) ? 1 : rest.shift()!));
      return [{ type, shape: to, value: to.length <= 1 ? value : undefined }];
    },
    (node, b) => undoes(node, b, 'Squeeze'),
  ),
  expand: axesAsInput,
};

/** Squeeze of Unsqueeze over the same axes, or the other way round, is nothing. */
function undoes(node: Node, b: Builder, op: string): Value[] | undefined {
  const maker = b.makerOf(node.inputs[0]!);
  if (maker?.op !== op || !maker.inputs[1] || maker.inputs[1] !== node.inputs[1]) return undefined;
  return b.integersOf(node.inputs[1]!, node).every((axis) => axis >= 0) ? [maker.inputs[0]!] : undefined;
}

function permOf(node: Node, b: Builder): number[] {
  return [...(intsOf(node, 'perm') ?? b.shape(node.inputs[0]!).map((_, axis, all) => all.length - 1 - axis))];
}

/** Rows of at most this many numbers, and at most so many of them for each sample, are gathered. */
const shortRow = 16;
const mostRows = 1024;

export const Transpose: Rule = {
  infer: (node, b) => {
    const { type, shape } = b.type(node.inputs[0]!);
    return [{ type, shape: shape && permOf(node, b).map((axis) => shape[axis]!) }];
  },
  simplify: (node, b) => {
    const [x] = node.inputs as [Value];
    if (!b.type(x).shape) return undefined;
    const perm = permOf(node, b);
    if (perm.every((axis, i) => axis === i)) return [x];
    const maker = b.makerOf(x);
    if (maker?.op === 'Transpose') {
      const inner = permOf(maker, b);
      return [
        b.transpose(
          maker.inputs[0]!,
          perm.map((axis) => inner[axis]!),
        ),
      ];
    }
    // Moving axes of extent 1 only is a reshape, which copies nothing.
    const shape = b.shape(x);
    const moved = perm.filter((axis) => shape[axis] !== 1);
    if (moved.every((axis, i) => i === 0 || moved[i - 1]! < axis) && isStatic(shape.slice(1))) {
      return [
        b.reshape(
          x,
          perm.map((axis) => shape[axis]!),
        ),
      ];
    }
    return undefined;
  },
  vjp: (node, [d], b) => {
    const perm = permOf(node, b);
    return [
      b.transpose(
        d!,
        perm.map((_, axis) => perm.indexOf(axis)),
      ),
    ];
  },
  jvp: (node, [d], b) => [d && b.transpose(d, permOf(node, b))],
  // Short rows of attention heads: ONNX Runtime gathers them twice as fast as it transposes.
  lower: (node, b) => {
    const [x] = node.inputs as [Value];
    const [n, p, q, width] = b.shape(x);
    if (permOf(node, b).join() !== '0,2,1,3' || !isStatic([p!, q!, width!]) || (width as number) > shortRow) return undefined;
    const [rows, columns] = [p as number, q as number];
    if (rows * columns > mostRows) return undefined;
    const places = Array.from({ length: rows * columns }, (_, i) => (i % rows) * columns + Math.floor(i / rows));
    const moved = b.op('Gather', [b.reshape(x, [n!, rows * columns, width!]), b.ints(places)], { axis: 1 });
    return [b.reshape(moved, [n!, columns, rows, width!])];
  },
};

export const Expand: Rule = {
  infer: (node, b) => {
    const { type, shape } = b.type(node.inputs[0]!);
    const wanted = b.extentsOf(node.inputs[1]!);
    if (wanted && shape) return [{ type, shape: broadcast(shape, wanted) }];
    const rank = b.type(node.inputs[1]!).shape?.[0];
    return [{ type, shape: typeof rank === 'number' ? Array.from({ length: rank }, (_, i) => `(${node.inputs[1]}.${i})`) : undefined }];
  },
  simplify: (node, b) => {
    const shape = b.type(node.inputs[0]!).shape;
    const wanted = b.extentsOf(node.inputs[1]!);
    return shape && wanted && sameShape(shape, broadcast(shape, wanted)) ? [node.inputs[0]!] : undefined;
  },
  vjp: ({ inputs: [x] }, [d], b) => [b.unbroadcast(d!, b.shape(x!))],
  jvp: ({ inputs: [, to] }, [d], b) => [d && b.op('Expand', [d, to!])],
};

export const Shape = constantRule((node, b): ValueType[] => {
  const { shape } = b.type(node.inputs[0]!);
  const part = shape?.slice(intOf(node, 'start', 0), intOf(node, 'end', shape.length));
  return [{ type: 'int64', shape: part && [part.length], value: part }];
});

export const Size = constantRule((node, b): ValueType[] => {
  const { shape } = b.type(node.inputs[0]!);
  return [{ type: 'int64', shape: [], value: shape && [product(shape)] }];
});
