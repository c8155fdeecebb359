// Rules over generated shapes and attributes, in double precision on the reference evaluator.
import fc from 'fast-check';
import { checkDerivatives, distinct, given, ints, normal, type OperatorCase, positive } from '../../helpers/operator-cases.js';

const runs = { numRuns: 25, seed: 20 };
const size = (max = 4): fc.Arbitrary<number> => fc.integer({ min: 1, max });
const list = (length: number, min: number, max: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min, max }), { minLength: length, maxLength: length });
const check = (cases: fc.Arbitrary<OperatorCase>): void =>
  fc.assert(
    fc.property(cases, (c) => void checkDerivatives(c)),
    runs,
  );

/** Windows that fit: spatial extents from 4 to 7, reach of at most 5 before padding. */
const windows = fc.integer({ min: 1, max: 3 }).chain((rank) =>
  fc.record({
    spatial: list(rank, 4, rank === 3 ? 5 : 7),
    kernel: list(rank, 1, 3),
    strides: list(rank, 1, 3),
    dilations: list(rank, 1, 2),
    pads: list(2 * rank, 0, 1),
  }),
);

/** Pads smaller than the kernel, so that no window lies in the padding alone. */
const within = (pads: readonly number[], kernel: readonly number[]): number[] =>
  pads.map((p, i) => Math.min(p, kernel[i % kernel.length]! - 1));

test('Conv over generated groups, strides, dilations and pads', () =>
  check(
    fc.record({ w: windows, n: size(2), group: size(2), depth: size(2), filters: size(2) }).map(({ w, n, group, depth, filters }) => ({
      op: 'Conv',
      inputs: [normal(n, group * depth, ...w.spatial), normal(group * filters, depth, ...w.kernel), normal(group * filters)],
      attributes: { group, strides: w.strides, dilations: w.dilations, pads: w.pads },
    })),
  ));

test('ConvTranspose over generated groups, strides, dilations and pads', () =>
  check(
    fc.record({ w: windows, n: size(2), group: size(2), depth: size(2), filters: size(2) }).map(({ w, n, group, depth, filters }) => ({
      op: 'ConvTranspose',
      inputs: [
        normal(n, group * depth, ...w.spatial.map((e) => e - 2)),
        normal(group * depth, filters, ...w.kernel),
        normal(group * filters),
      ],
      attributes: {
        group,
        strides: w.strides,
        dilations: w.dilations,
        pads: w.pads.map((p, i) => Math.min(p, w.kernel[i % w.kernel.length]! - 1)),
      },
    })),
  ));

test.each(['MaxPool', 'AveragePool', 'LpPool'])('%s over generated windows', (op) =>
  check(
    fc.record({ w: windows, ceil_mode: fc.integer({ min: 0, max: 1 }), channels: size(2) }).map(({ w, ceil_mode, channels }) => ({
      op,
      opset: 19,
      inputs: [(op === 'LpPool' ? positive : distinct)(1, channels, ...w.spatial)],
      attributes: { kernel_shape: w.kernel, strides: w.strides, dilations: w.dilations, pads: within(w.pads, w.kernel), ceil_mode },
    })),
  ),
);

/** A shape and another that broadcasts with it. */
const pair = fc.array(size(3), { maxLength: 4 }).chain((shape) =>
  fc
    .record({
      drop: fc.integer({ min: 0, max: shape.length }),
      ones: fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }),
    })
    .map(({ drop, ones }) => ({
      shape,
      other: shape.map((extent, axis) => (ones[axis] ? 1 : extent)).slice(drop),
    })),
);

test.each(['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Max', 'Min'])('%s over generated broadcast shapes, on either side', (op) =>
  check(
    fc.record({ p: pair, turned: fc.boolean() }).map(({ p, turned }) => {
      const operands =
        op === 'Max' || op === 'Min' ? [normal(...p.shape), normal(...p.other)] : [positive(...p.shape), positive(...p.other)];
      return { op, inputs: turned ? operands.reverse() : operands };
    }),
  ),
);

test('MatMul over generated stacks', () =>
  check(
    fc
      .record({ p: pair, m: size(), k: size(), n: size() })
      .map(({ p, m, k, n }) => ({ op: 'MatMul', inputs: [normal(...p.shape, m, k), normal(...p.other, k, n)] })),
  ));

/** A shape and some of its axes, some counted from the end. */
const someAxes = fc
  .array(size(3), { minLength: 1, maxLength: 4 })
  .chain((shape) => fc.record({ shape: fc.constant(shape), axes: fc.subarray([...shape.keys()]), back: fc.boolean() }))
  .map(({ shape, axes, back }) => ({ shape, axes: axes.map((axis) => (back ? axis - shape.length : axis)) }));

test.each(['ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceProd', 'ReduceL2', 'ReduceLogSumExp'])('%s over generated axes', (op) =>
  check(
    fc.record({ a: someAxes, keepdims: fc.integer({ min: 0, max: 1 }) }).map(({ a, keepdims }) => ({
      op,
      inputs: [distinct(...a.shape), ...(a.axes.length ? [ints(a.axes)] : [])],
      attributes: { keepdims },
    })),
  ),
);

test('Slice over generated starts, ends and steps', () =>
  check(
    fc
      .array(
        fc.record({
          extent: fc.integer({ min: 2, max: 6 }),
          start: fc.integer({ min: -7, max: 7 }),
          length: size(6),
          step: fc.constantFrom(1, 2, 3, -1, -2),
        }),
        {
          minLength: 1,
          maxLength: 3,
        },
      )
      .map((axes) => axes.map((a) => ({ ...a, start: Math.min(a.start, a.extent - 1) })))
      .map((axes) => ({
        op: 'Slice',
        inputs: [
          normal(...axes.map((a) => a.extent)),
          ints(axes.map((a) => a.start)),
          ints(axes.map((a) => (a.step > 0 ? (a.start < 0 ? Math.max(a.start, -a.extent) + a.extent : a.start) + a.length : -100))),
          ints(axes.map((_, k) => k)),
          ints(axes.map((a) => a.step)),
        ],
      })),
  ));

test('Pad over generated borders and modes', () =>
  check(
    fc
      .array(
        fc.record({
          extent: fc.integer({ min: 3, max: 5 }),
          before: fc.integer({ min: 0, max: 2 }),
          after: fc.integer({ min: 0, max: 2 }),
        }),
        { minLength: 1, maxLength: 3 },
      )
      .chain((axes) =>
        fc.constantFrom('constant', 'reflect', 'edge').map((mode) => ({
          op: 'Pad',
          inputs: [normal(...axes.map((a) => a.extent)), ints([...axes.map((a) => a.before), ...axes.map((a) => a.after)])],
          attributes: { mode },
        })),
      ),
  ));

test('Resize over generated sizes, modes and coordinates', () =>
  check(
    fc
      .record({
        from: list(2, 1, 5),
        to: list(2, 1, 7),
        mode: fc.constantFrom('nearest', 'linear', 'cubic'),
        coordinate_transformation_mode: fc.constantFrom('half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric'),
      })
      .map(({ from, to, ...attributes }) => ({
        op: 'Resize',
        inputs: [normal(1, 2, ...from), undefined, undefined, ints([1, 2, ...to])],
        attributes,
      })),
  ));

test('Gather, GatherElements and ScatterElements over generated axes and indices', () =>
  check(
    fc
      .record({
        op: fc.constantFrom('Gather', 'GatherElements', 'ScatterElements'),
        shape: list(3, 2, 4),
        axis: fc.integer({ min: 0, max: 2 }),
        count: size(3),
        picks: list(48, -2, 1),
      })
      .map(({ op, shape, axis, count, picks }): OperatorCase => {
        const picked = op === 'Gather' ? [count, 2] : shape.map((extent, k) => (k === axis ? count : extent));
        const total = picked.reduce((a, b) => a * b, 1);
        const at = given(
          'int64',
          Array.from({ length: total }, (_, i) => picks[i % picks.length]!),
          picked,
          false,
        );
        if (op === 'ScatterElements')
          return { op, inputs: [normal(...shape), at, normal(...picked)], attributes: { axis, reduction: 'add' } };
        return { op, inputs: [normal(...shape), at], attributes: { axis } };
      }),
  ));

test.each(['Softmax', 'LogSoftmax', 'CumSum', 'LayerNormalization'])('%s over generated shapes and axes', (op) =>
  check(
    fc
      .record({ shape: fc.array(fc.integer({ min: 2, max: 4 }), { minLength: 2, maxLength: 4 }), at: fc.nat(3) })
      .map(({ shape, at }): OperatorCase => {
        const axis = at % (shape.length - 1);
        if (op === 'CumSum')
          return { op, inputs: [normal(...shape), ints([axis], [])], attributes: { exclusive: at % 2, reverse: at >> 1 } };
        if (op === 'LayerNormalization')
          return { op, inputs: [normal(...shape), normal(...shape.slice(axis)), normal(...shape.slice(axis))], attributes: { axis } };
        return { op, inputs: [normal(...shape)], attributes: { axis } };
      }),
  ),
);
