// Steps of random graphs: movement of elements, indexing, and operators that leave values as they are.
import { sizeOf } from '../../src/core/tensor.js';
import { float, type GraphMaker, Unfit } from './graph-maker.js';
import { from, type Step } from './graph-steps.js';

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
    if (!sizeOf(shape)) throw new Unfit('ONNX Runtime ends the process on an empty one');
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

export const layoutSteps: Readonly<Record<string, Step>> = { moved, cut, indexed, inert };
