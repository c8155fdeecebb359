// Steps of random graphs: arithmetic, products, reductions, movement of elements and indexing, in the form of the maker's operator set.
import { sizeOf } from '../../src/core/tensor.js';
import { float, type GraphMaker, type Plain, Unfit } from './graph-maker.js';

export type Step = (m: GraphMaker) => void;

/** Fails unless the operator set has the operator. */
export function from(m: GraphMaker, opset: number): void {
  if (m.opset < opset) throw new Unfit('operator set');
}

/** Some axes of a value, each from either end. */
function someAxes(m: GraphMaker, name: string): number[] {
  const rank = m.rank(name);
  return [...Array(rank).keys()].filter(() => m.chance(0.5)).map((axis) => (m.chance(0.4) ? axis - rank : axis));
}

const plain = 'Abs Atan Asinh Cos Sin Tanh Sigmoid Erf Softplus Softsign Relu Neg Identity Floor Ceil Sign Sinh'.split(' ');
const since: Record<string, number> = { Round: 11, HardSwish: 14, Mish: 18 };

function unary(m: GraphMaker): void {
  const op = m.choose([...plain, ...Object.keys(since)]);
  from(m, since[op] ?? 9);
  m.emit(op, [m.any()]);
}

function shaped(m: GraphMaker): void {
  const [op, names, low] = m.choose<[string, string[], number]>([
    ['Elu', ['alpha'], 9],
    ['Selu', ['alpha', 'gamma'], 9],
    ['Celu', ['alpha'], 12],
    ['LeakyRelu', ['alpha'], 9],
    ['ThresholdedRelu', ['alpha'], 9],
    ['HardSigmoid', ['alpha', 'beta'], 9],
    ['Shrink', ['lambd', 'bias'], 9],
  ]);
  from(m, low);
  const attributes = Object.fromEntries(names.filter(() => m.chance(0.5)).map((name) => [name, float(m.int(1, 6) / 8)]));
  m.emit(op, [m.any()], attributes);
}

function limited(m: GraphMaker): void {
  const kind = m.choose(['positive', 'unit', 'above one'] as const);
  const op = m.choose(
    { positive: ['Log', 'Sqrt', 'Reciprocal'], unit: ['Acos', 'Asin', 'Atanh', 'Exp', 'Tan', 'Cosh'], 'above one': ['Acosh', 'Log'] }[kind],
  );
  m.emit(op, [m.tamed(m.any(), kind)]);
}

function binary(m: GraphMaker): void {
  const op = m.choose(['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Max', 'Min', 'Sum', 'Mean', 'Mod']);
  const x = m.any();
  let pair = [x, m.partner(x)];
  if (m.chance(0.5)) pair.reverse();
  if (op === 'Div') pair = [pair[0]!, m.tamed(pair[1]!, 'positive')];
  if (op === 'Pow') pair = m.chance(0.5) ? [pair[0]!, m.given('float64', [m.int(0, 3)], [])] : [m.tamed(pair[0]!, 'positive'), pair[1]!];
  if (op === 'Mod') {
    from(m, 10);
    m.emit(op, [pair[0]!, m.tamed(pair[1]!, 'positive')], { fmod: 1 });
    return;
  }
  if (['Max', 'Min', 'Sum', 'Mean'].includes(op)) {
    const extra = m.int(0, 2);
    pair = extra === 0 ? [x] : extra === 1 ? pair : [...pair, m.partner(m.choose(pair))];
  }
  m.emit(op, pair);
}

function chosen(m: GraphMaker): void {
  const x = m.any();
  const op = m.choose(['Greater', 'Less', 'Equal', ...(m.opset >= 12 ? ['GreaterOrEqual', 'LessOrEqual'] : [])]);
  if (op === 'Equal') from(m, 11);
  const [on] = m.emit(op, [x, m.partner(x)]);
  if (m.chance(0.3)) return void m.emit('Cast', [on!], { to: 11 });
  const [gate] = m.chance(0.3) ? m.emit('Not', [on!]) : [on];
  m.emit('Where', [gate!, m.partner(x), m.partner(x)]);
}

function prelu(m: GraphMaker): void {
  const x = m.any(1);
  const shape = m.shapeOf(x);
  m.emit('PRelu', [x, m.fresh(shape.slice(m.int(0, shape.length)).map((e) => (m.chance(0.4) ? 1 : e)))]);
}

function clip(m: GraphMaker): void {
  const x = m.any();
  if (m.opset < 11)
    return void m.emit('Clip', [x], { ...(m.chance(0.7) && { min: float(-0.5) }), ...(m.chance(0.7) && { max: float(0.75) }) });
  const bound = (value: number): string => (m.chance(0.3) ? '' : m.given('float64', [value], []));
  m.emit('Clip', [x, bound(-0.5), bound(0.75)]);
}

function matmul(m: GraphMaker): void {
  const a = m.any(1, 4);
  const shape = m.shapeOf(a);
  const k = shape.at(-1)!;
  const n = m.int(1, 3);
  const batch = shape.slice(0, -2);
  const other = m.choose([[k], [k, n], [...batch.map((e) => (m.chance(0.5) ? 1 : e)), k, n], [...batch.slice(1), k, n]]);
  const fits = (s: readonly number[]): boolean => (s.length > 1 ? s.at(-2) === k && s.length === 2 : s.length === 1 && s[0] === k);
  m.emit('MatMul', [a, m.chance(0.3) ? m.some(fits, () => other) : m.fresh(other)]);
}

function gemm(m: GraphMaker): void {
  const transA = m.int(0, 1);
  const transB = m.int(0, 1);
  const a = m.any(2, 2);
  const [rows, columns] = m.shapeOf(a) as [number, number];
  const [rowsOut, k] = transA ? [columns, rows] : [rows, columns];
  const n = m.int(1, 4);
  const b = m.some(
    (s) => s.length === 2 && s[transB] === k,
    () => (transB ? [n, k] : [k, n]),
  );
  const width = m.shapeOf(b)[transB ? 0 : 1]!;
  const c = m.choose([undefined, [], [1], [width], [1, width], [rowsOut, 1], [rowsOut, width]]);
  if (m.opset < 11 && !c) throw new Unfit('operator set');
  const attributes: Plain = { transA, transB, ...(m.chance(0.5) && { alpha: float(0.5) }), ...(m.chance(0.5) && { beta: float(0.25) }) };
  m.emit('Gemm', [a, b, ...(c ? [m.fresh(c)] : [])], attributes);
}

function einsum(m: GraphMaker): void {
  from(m, 12);
  const letters = 'abcd';
  const x = m.any(1, 3);
  const sizes = new Map<string, number>();
  const first = m.shapeOf(x).map((extent, i) => (sizes.set(letters[i]!, extent), letters[i]!));
  sizes.set('e', m.int(1, 3));
  const second = [...sizes.keys()].filter(() => m.chance(0.5)).sort(() => (m.chance(0.5) ? 1 : -1));
  const two = m.chance(0.7);
  const used = [...new Set([...first, ...(two ? second : [])])];
  const out = used.filter(() => m.chance(0.6)).sort(() => (m.chance(0.5) ? 1 : -1));
  const other = two ? [m.fresh(second.map((letter) => sizes.get(letter)!))] : [];
  m.emit('Einsum', [x, ...other], { equation: `${[first.join(''), ...(two ? [second.join('')] : [])].join(',')}->${out.join('')}` });
}

function reduction(m: GraphMaker): void {
  const op = m.choose(
    'ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceSumSquare ReduceLogSum ReduceLogSumExp'.split(' '),
  );
  const x = op === 'ReduceLogSum' ? m.tamed(m.any(), 'positive') : m.any();
  const axes = someAxes(m, x);
  const keepdims = m.int(0, 1);
  const input = m.opset >= (op === 'ReduceSum' ? 13 : 18);
  if (input) {
    const none = m.chance(0.2);
    const list = none ? [] : [m.ints(axes)];
    m.emit(op, [x, ...list], { keepdims, ...(m.chance(0.3) && { noop_with_empty_axes: m.int(0, 1) }) });
  } else m.emit(op, [x], { keepdims, ...(axes.length && { axes }) });
}

function soft(m: GraphMaker): void {
  const x = m.any(1);
  const op = m.choose(['Softmax', 'LogSoftmax', 'Hardmax', 'CumSum', 'LpNormalization']);
  if (op === 'CumSum') {
    from(m, 11);
    m.emit(op, [x, m.ints([m.axis(x)], [])], { exclusive: m.int(0, 1), reverse: m.int(0, 1) });
  } else if (op === 'LpNormalization') m.emit(op, [m.tamed(x, 'positive')], { axis: m.axis(x), p: m.int(1, 2) });
  else m.emit(op, [x], m.chance(0.3) ? {} : { axis: m.opset < 11 ? m.int(0, m.rank(x) - 1) : m.axis(x) });
}

function moved(m: GraphMaker): void {
  const x = m.any();
  const shape = m.shapeOf(x);
  const size = sizeOf(shape);
  const op = m.choose(['Reshape', 'Flatten', 'Transpose', 'Squeeze', 'Unsqueeze', 'Expand', 'Tile', 'Shape', 'Trilu']);
  if (op === 'Flatten')
    m.emit(op, [x], m.chance(0.3) ? {} : { axis: m.opset < 11 ? m.int(0, shape.length) : m.int(-shape.length, shape.length) });
  else if (op === 'Transpose') {
    const perm = [...shape.keys()].sort(() => (m.chance(0.5) ? 1 : -1));
    m.emit(op, [x], m.chance(0.2) ? {} : { perm });
  } else if (op === 'Reshape') {
    const target = m.choose([
      [-1],
      [size],
      [size, 1],
      [1, size],
      [...shape, 1],
      shape.map((e, i) => (i === 0 ? 0 : e)),
      [0, -1],
      [2, -1],
      [-1, 3],
    ]);
    m.emit(op, [x, m.ints(target)]);
  } else if (op === 'Squeeze') {
    const axes = [...shape.keys()]
      .filter((i) => shape[i] === 1 && m.chance(0.6))
      .map((i) => (m.chance(0.5) && m.opset >= 11 ? i - shape.length : i));
    if (m.opset >= 13) m.emit(op, [x, ...(axes.length ? [m.ints(axes)] : [])]);
    else m.emit(op, [x], axes.length ? { axes } : {});
  } else if (op === 'Unsqueeze') {
    const rank = shape.length + 1;
    const axis = m.int(0, rank - 1);
    const axes = [m.chance(0.4) && m.opset >= 11 ? axis - rank : axis];
    if (m.opset >= 13) m.emit(op, [x, m.ints(axes)]);
    else m.emit(op, [x], { axes });
  } else if (op === 'Expand') {
    const target = shape.map((e) => (e === 1 ? m.int(1, 3) : m.chance(0.3) ? 1 : e));
    m.emit(op, [x, m.ints(m.chance(0.3) ? [2, ...target] : target)]);
  } else if (op === 'Tile') m.emit(op, [x, m.ints(shape.map(() => m.int(1, 2)))]);
  else if (op === 'Trilu') {
    from(m, 14);
    if (shape.length < 2) throw new Unfit('rank');
    m.emit(op, [x, ...(m.chance(0.5) ? [m.ints([m.int(-2, 2)], [])] : [])], { upper: m.int(0, 1) });
  } else {
    const [extents] = m.emit('Shape', [x]);
    const other = m.some(
      (s) => sizeOf(s) === size,
      () => [size],
    );
    m.emit('Reshape', [other, extents!]);
  }
}

function cut(m: GraphMaker): void {
  const x = m.any(1);
  const shape = m.shapeOf(x);
  const rank = shape.length;
  const op = m.choose(['Slice', 'Split', 'Concat', 'Pad']);
  if (op === 'Concat') {
    const axis = m.axis(x);
    const at = (axis + rank) % rank;
    const fits = (s: readonly number[]): boolean => s.length === rank && s.every((e, i) => i === at || e === shape[i]);
    const parts = Array.from({ length: m.int(0, 2) }, () => m.some(fits, () => shape));
    m.emit(op, [x, ...parts], { axis: m.opset < 11 ? at : axis });
  } else if (op === 'Slice') {
    const axes = [...shape.keys()].filter(() => m.chance(0.6));
    const back = axes.map(() => m.opset >= 10 && m.chance(0.3));
    const lows = axes.map((a) => m.int(0, shape[a]! - 1));
    const highs = axes.map((a, i) => m.int(lows[i]! + 1, shape[a]!));
    const starts = axes.map((a, i) => (back[i] ? highs[i]! - 1 : m.chance(0.3) ? lows[i]! - shape[a]! : lows[i]!));
    const ends = axes.map((a, i) => (back[i] ? (lows[i] ? lows[i]! - 1 : -shape[a]! - 1) : m.chance(0.2) ? 1000 : highs[i]!));
    if (m.opset < 10) m.emit(op, [x], { starts, ends, axes });
    else
      m.emit(op, [
        x,
        m.ints(starts),
        m.ints(ends),
        m.ints(axes.map((a) => (m.chance(0.3) ? a - rank : a))),
        m.ints(back.map((b) => (b ? -1 : 1) * m.int(1, 2))),
      ]);
  } else if (op === 'Split') {
    const axis = m.axis(x);
    const extent = shape[(axis + rank) % rank]!;
    if (extent < 2) throw new Unfit('extent');
    const first = m.int(1, extent - 1);
    const own = m.opset < 11 ? (axis + rank) % rank : axis;
    if (m.opset >= 18 && m.chance(0.4)) m.emit(op, [x], { axis, num_outputs: 2 }, 2);
    else if (m.opset >= 13) m.emit(op, [x, m.ints([first, extent - first])], { axis }, 2);
    else m.emit(op, [x], { axis: own, split: [first, extent - first] }, 2);
  } else {
    const mode = m.choose(['constant', 'reflect', 'edge', ...(m.opset >= 19 ? ['wrap'] : [])]);
    const most = (e: number): number => (mode === 'reflect' || mode === 'wrap' ? Math.min(2, e - 1) : 2);
    const pads = [...shape.map((e) => m.int(0, most(e))), ...shape.map((e) => m.int(0, most(e)))];
    if (m.opset < 11) m.emit(op, [x], { pads, mode });
    else m.emit(op, [x, m.ints(pads), ...(mode === 'constant' && m.chance(0.5) ? [m.fresh([])] : [])], { mode });
  }
}

function indexed(m: GraphMaker): void {
  const x = m.any(1);
  const shape = m.shapeOf(x);
  const rank = shape.length;
  const op = m.choose([
    'Gather',
    'GatherElements',
    'GatherND',
    'ScatterElements',
    'ScatterND',
    'TopK',
    'ArgMax',
    'Compress',
    'OneHot',
    'ReverseSequence',
  ]);
  const axis = m.axis(x);
  const at = (axis + rank) % rank;
  const extent = shape[at]!;
  const picks = (length: number, of: number): number[] => Array.from({ length }, () => m.int(m.opset >= 11 ? -of : 0, of - 1));
  if (op === 'Gather') {
    const where = m.choose([[], [1], [3], [2, 2]]);
    m.emit(op, [x, m.ints(picks(sizeOf(where), extent), where)], { axis: m.opset < 11 ? at : axis });
  } else if (op === 'GatherElements') {
    from(m, 11);
    const where = shape.map((e, i) => (i === at ? m.int(1, 3) : m.int(1, e)));
    m.emit(op, [x, m.ints(picks(sizeOf(where), extent), where)], { axis });
  } else if (op === 'ScatterElements') {
    from(m, 11);
    const where = shape.map((e) => m.int(1, e));
    const add = m.opset >= 16 && m.chance(0.5);
    const rows = where[at]!;
    const inner = sizeOf(where.slice(at + 1));
    const order = [...Array(extent).keys()].sort(() => (m.chance(0.5) ? 1 : -1));
    const list = add ? picks(sizeOf(where), extent) : Array.from({ length: sizeOf(where) }, (_, i) => order[Math.floor(i / inner) % rows]!);
    const updates = m.some(
      (s) => s.join() === where.join(),
      () => where,
    );
    m.emit(op, [x, m.ints(list, where), updates], { axis, ...(add && { reduction: 'add' }) });
  } else if (op === 'GatherND' || op === 'ScatterND') {
    from(m, 11);
    const depth = m.int(1, rank);
    const count = m.int(1, 3);
    const add = op === 'ScatterND' && m.opset >= 16 && m.chance(0.5);
    const rows = Array.from({ length: count }, () => shape.slice(0, depth).map((e) => m.int(0, e - 1)));
    const list = add || op === 'GatherND' ? rows : [...new Map(rows.map((row) => [row.join(), row])).values()];
    const at = m.ints(list.flat(), [list.length, depth]);
    if (op === 'GatherND') return void m.emit(op, [x, at]);
    const where = [list.length, ...shape.slice(depth)];
    m.emit(
      op,
      [
        x,
        at,
        m.some(
          (s) => s.join() === where.join(),
          () => where,
        ),
      ],
      add ? { reduction: 'add' } : {},
    );
  } else if (op === 'TopK') {
    const k = m.int(1, extent);
    const attributes = { axis: m.opset < 11 ? at : axis, ...(m.opset >= 11 && { largest: m.int(0, 1) }) };
    if (m.opset < 10) m.emit(op, [x], { ...attributes, k }, 2);
    else m.emit(op, [x, m.ints([k])], attributes, 2);
  } else if (op === 'ArgMax') {
    from(m, 11);
    const [best] = m.emit(op, [x], { axis, keepdims: 1 });
    m.emit('GatherElements', [x, best!], { axis });
  } else if (op === 'Compress')
    m.emit(
      op,
      [
        x,
        m.given(
          'bool',
          Array.from({ length: extent }, (_, i) => (i === 0 || m.chance(0.5) ? 1 : 0)),
        ),
      ],
      { axis: m.opset < 11 ? at : axis },
    );
  else if (op === 'OneHot')
    m.emit(op, [m.ints(picks(2, 3)), m.ints([3], m.chance(0.5) ? [] : [1]), m.fresh([2])], m.chance(0.5) ? { axis: 0 } : {});
  else {
    from(m, 10);
    if (rank < 2) throw new Unfit('rank');
    m.emit(op, [x, m.ints(Array.from({ length: shape[1]! }, () => m.int(1, shape[0]!)))]);
  }
}

function inert(m: GraphMaker): void {
  const x = m.any();
  const op = m.choose(['Dropout', 'Cast', 'ConstantOfShape', 'Size', 'IsNaN', 'CastLike']);
  if (op === 'Dropout') m.emit(op, [x], m.opset < 12 ? { ratio: float(0.5) } : {}, m.opset < 12 ? 1 : m.int(1, 2));
  else if (op === 'Cast') m.emit(op, [x], { to: 11 });
  else if (op === 'CastLike') {
    from(m, 15);
    m.emit(op, [x, m.partner(x)]);
  } else if (op === 'Size') m.emit('Mul', [x, m.emit('Reciprocal', [m.emit('Cast', m.emit('Size', [x]), { to: 11 })[0]!])[0]!]);
  else if (op === 'IsNaN') m.emit('Where', [m.emit(op, [x])[0]!, m.partner(x), x]);
  else
    m.emit('Add', [
      x,
      m.emit(
        'Cast',
        m.emit('ConstantOfShape', m.emit('Shape', [x]), {
          value: { type: 'tensor', value: { type: 'int64', data: BigInt64Array.of(2n), shape: [1] } },
        }),
        { to: 11 },
      )[0]!,
    ]);
}

export const steps: Readonly<Record<string, Step>> = {
  unary,
  shaped,
  limited,
  binary,
  chosen,
  prelu,
  clip,
  matmul,
  gemm,
  einsum,
  reduction,
  soft,
  moved,
  cut,
  indexed,
  inert,
};
