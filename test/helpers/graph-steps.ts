// Steps of random graphs: arithmetic, products and reductions, in the form of the maker's operator set.
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

/** log of the determinant of a matrix that is near to a multiple of the identity, and other makers of matrices. */
function matrices(m: GraphMaker): void {
  const op = m.choose(['Det', 'EyeLike', 'Range', 'Xor']);
  if (op === 'Det') {
    from(m, 11);
    const x = m.some(
      (s) => s.length >= 2 && s.at(-1) === s.at(-2) && s.at(-1)! <= 3,
      () => [...m.extents(m.int(0, 1)), 3, 3],
    );
    m.emit(op, [x]);
  } else if (op === 'EyeLike') {
    const x = m.some(
      (s) => s.length === 2,
      () => m.extents(2),
    );
    m.emit('Mul', [x, m.emit(op, [x], { dtype: 11, k: m.int(-1, 1) })[0]!]);
  } else if (op === 'Range') {
    from(m, 11);
    const x = m.any(1);
    const one = (value: number): string => m.given('float64', [value], []);
    m.emit('Mul', [x, m.emit(op, [one(0.5), one(0.5 + m.shapeOf(x).at(-1)!), one(1)])[0]!]);
  } else {
    const x = m.any();
    const on = ['Greater', 'Less'].map((compare) => m.emit(compare, [x, m.partner(x)])[0]!);
    m.emit('Where', [m.emit(m.choose(['And', 'Or', 'Xor']), on)[0]!, x, m.partner(x)]);
  }
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
  matrices,
};
