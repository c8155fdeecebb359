// Steps of random graphs: convolutions, pooling, normalizations and resizing.
import { sizeOf } from '../../src/core/tensor.js';
import { float, type GraphMaker, type Plain, Unfit } from './graph-maker.js';
import { from, type Step } from './graph-steps.js';

/** Maps [n, c, …] of one to three axes in space: one that is there, or what is there in that form. */
function maps(m: GraphMaker, ranks = [3, 4, 4, 4, 5]): string {
  const rank = m.choose(ranks);
  const shape = [m.int(1, 2), m.int(1, 4), ...m.extents(rank - 2, rank === 5 ? 2 : 3, rank === 5 ? 4 : 6)];
  const x = m.some(
    (s) => s.length === rank && s.slice(2).every((e) => e >= 2),
    () => shape,
  );
  return x;
}

interface Window {
  readonly kernel: number[];
  readonly attributes: Plain;
}

/** A window that fits, with strides, dilations and either pads or auto_pad. */
function windowOf(m: GraphMaker, space: readonly number[], { dilated = true, ceil = false } = {}): Window {
  const kernel = space.map((e) => m.int(1, Math.min(3, e)));
  const strides = space.map(() => m.int(1, 3));
  const dilations = space.map((e, i) => (dilated && (kernel[i]! - 1) * 2 + 1 <= e ? m.int(1, 2) : 1));
  // ONNX Runtime crops where a pooling stride passes its kernel under SAME, or refuses: not compared.
  const passes = !dilated || ceil ? strides.some((s, i) => s > kernel[i]!) : false;
  const auto = m.chance(0.25) ? m.choose(passes ? ['VALID'] : ['SAME_UPPER', 'SAME_LOWER', 'VALID']) : undefined;
  const pads = [...kernel, ...kernel].map((k) => m.int(0, Math.min(1, k - 1)));
  return {
    kernel,
    attributes: {
      ...(m.chance(0.8) && { strides }),
      ...(dilated && m.chance(0.6) && !auto && { dilations }),
      ...(auto ? { auto_pad: auto } : m.chance(0.7) ? { pads } : {}),
      ...(ceil && m.chance(0.4) && { ceil_mode: 1 }),
    },
  };
}

function conv(m: GraphMaker): void {
  const x = maps(m);
  const [, channels, ...space] = m.shapeOf(x) as [number, number, ...number[]];
  const { kernel, attributes } = windowOf(m, space);
  const group = m.chance(0.4) ? m.choose([1, 2, 3, 4].filter((g) => channels % g === 0)) : 1;
  const filters = group * m.int(1, 3);
  const raw = m.fresh([filters, channels / group, ...kernel]);
  const weight = m.chance(0.25) ? m.emit('Tanh', [raw])[0]! : raw;
  const bias = m.chance(0.5) ? [m.fresh([filters])] : [];
  m.emit('Conv', [x, weight, ...bias], { ...attributes, ...(group > 1 && { group }), ...(m.chance(0.5) && { kernel_shape: kernel }) });
}

function convTranspose(m: GraphMaker): void {
  const x = maps(m, [3, 4, 4, 5]);
  const [, channels, ...space] = m.shapeOf(x) as [number, number, ...number[]];
  const group = m.chance(0.4) ? m.choose([1, 2, 3].filter((g) => channels % g === 0)) : 1;
  const kernel = space.map(() => m.int(1, 3));
  const strides = space.map(() => m.int(1, 3));
  const attributes: Plain = {
    strides,
    ...(group > 1 && { group }),
    ...(m.chance(0.3) && { dilations: space.map(() => m.int(1, 2)) }),
    ...(m.chance(0.3) && { output_padding: strides.map((s) => m.int(0, s - 1)) }),
    ...(m.chance(0.5)
      ? { pads: [...kernel, ...kernel].map((k) => m.int(0, Math.min(1, k - 1))) }
      : m.chance(0.4)
        ? { auto_pad: m.choose(['SAME_UPPER', 'SAME_LOWER', 'VALID']) }
        : {}),
  };
  const filters = m.int(1, 2);
  // Without pads beside it, which shape inference and kernels of ONNX Runtime then read differently.
  const wanted: Plain =
    m.chance(0.15) && !('pads' in attributes) ? { output_shape: space.map((e, i) => e * strides[i]! + m.int(-1, 0)) } : {};
  m.emit('ConvTranspose', [x, m.fresh([channels, filters, ...kernel]), ...(m.chance(0.5) ? [m.fresh([filters * group])] : [])], {
    ...attributes,
    ...wanted,
  });
}

function pool(m: GraphMaker): void {
  const x = maps(m);
  const space = m.shapeOf(x).slice(2);
  const op = m.choose(['MaxPool', 'AveragePool', 'LpPool', 'GlobalAveragePool', 'GlobalMaxPool', 'GlobalLpPool']);
  if (op.startsWith('Global')) return void m.emit(op, [x], op === 'GlobalLpPool' ? { p: m.int(1, 3) } : {});
  const dilated = op === 'MaxPool' ? m.opset >= 10 : m.opset >= (op === 'LpPool' ? 18 : 19);
  const ceil = op === 'LpPool' ? m.opset >= 18 : m.opset >= 10;
  const { kernel, attributes } = windowOf(m, space, { dilated, ceil });
  if (op === 'LpPool') m.emit(op, [m.tamed(x, 'positive')], { ...attributes, kernel_shape: kernel, p: m.int(1, 3) });
  else if (op === 'AveragePool') m.emit(op, [x], { ...attributes, kernel_shape: kernel, ...(m.chance(0.5) && { count_include_pad: 1 }) });
  else m.emit(op, [x], { ...attributes, kernel_shape: kernel, ...(m.chance(0.15) && { storage_order: 1 }) }, m.int(1, 2));
}

function norm(m: GraphMaker): void {
  const op = m.choose([
    'BatchNormalization',
    'InstanceNormalization',
    'GroupNormalization',
    'LayerNormalization',
    'MeanVarianceNormalization',
    'LRN',
    'RMSNormalization',
  ]);
  if (op === 'LayerNormalization' || op === 'RMSNormalization') {
    from(m, op === 'LayerNormalization' ? 17 : 23);
    const x = m.any(1, 4);
    const axis = m.axis(x);
    const shape = m.shapeOf(x).slice(axis < 0 ? axis + m.rank(x) : axis);
    if (sizeOf(shape) < 2) throw new Unfit('size');
    const bias = op === 'LayerNormalization' && m.chance(0.5) ? [m.fresh(shape)] : [];
    return void m.emit(op, [x, m.fresh(shape), ...bias], { ...(axis !== -1 && { axis }), epsilon: float(0.125) }, 1);
  }
  const x = maps(m, [3, 4, 5]);
  const channels = m.shapeOf(x)[1]!;
  const vector = (): string => m.fresh([channels]);
  if (op === 'BatchNormalization')
    m.emit(op, [x, vector(), vector(), vector(), m.tamed(vector(), 'positive')], m.chance(0.5) ? { epsilon: float(0.01) } : {});
  else if (op === 'InstanceNormalization') m.emit(op, [x, vector(), vector()], { epsilon: float(0.125) });
  else if (op === 'LRN') {
    if (m.rank(x) !== 4) throw new Unfit('ONNX Runtime has it on four axes');
    m.emit(op, [x], { size: m.choose([1, 3, 5]), ...(m.chance(0.5) && { alpha: float(0.2), beta: float(0.5), bias: float(1.5) }) });
  } else if (op === 'GroupNormalization') {
    from(m, 18);
    const groups = m.choose([1, 2, 3, 4].filter((g) => channels % g === 0));
    const size = m.opset >= 21 ? channels : groups;
    m.emit(op, [x, m.fresh([size]), m.fresh([size])], { num_groups: groups, epsilon: float(0.125) });
  } else {
    if (m.rank(x) !== 4) throw new Unfit('rank');
    m.emit(op, [m.emit('Add', [x, m.fresh(m.shapeOf(x))])[0]!]);
  }
}

function resize(m: GraphMaker): void {
  const x = maps(m, [4]);
  const shape = m.shapeOf(x);
  const op = m.choose(['Resize', 'Resize', 'Upsample', 'DepthToSpace', 'SpaceToDepth', 'GridSample', 'Col2Im', 'MaxUnpool', 'RoiAlign']);
  if (op === 'DepthToSpace' || op === 'SpaceToDepth') {
    m.emit(op, [x], { blocksize: 2, ...(op === 'DepthToSpace' && m.opset >= 11 && m.chance(0.5) && { mode: 'CRD' }) });
  } else if (op === 'GridSample') {
    from(m, 16);
    const mode = m.opset >= 20 ? m.choose(['linear', 'nearest', 'cubic']) : m.choose(['bilinear', 'nearest', 'bicubic']);
    const padding = m.choose(['zeros', 'border', 'reflection']);
    m.emit(op, [x, m.between([shape[0]!, 2, 3, 2], -1.2, 1.2)], { mode, padding_mode: padding, align_corners: m.int(0, 1) });
  } else if (op === 'Col2Im') {
    from(m, 18);
    const block = [m.int(1, 2), m.int(1, 2)];
    const columns = m.some(
      (s) => s.length === 3 && s[1]! % sizeOf(block) === 0 && s[2] === 12,
      () => [m.int(1, 2), m.int(1, 2) * sizeOf(block), 12],
    );
    m.emit(op, [columns, m.ints([2 + block[0]!, 3 + block[1]!]), m.ints(block)]);
  } else if (op === 'MaxUnpool') {
    from(m, 11);
    const [y, places] = m.emit('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] }, 2) as [string, string];
    m.emit(op, [m.emit('Tanh', [y])[0]!, places], { kernel_shape: [2, 2], strides: [2, 2] });
  } else if (op === 'RoiAlign') {
    from(m, 16);
    const boxes = m.given('float64', [0.3, 0.2, 2.7, 3.1, 1.1, 0.4, 3.2, 2.2], [2, 4]);
    m.emit(op, [x, boxes, m.ints([0, shape[0]! - 1])], { output_height: 2, output_width: 2, sampling_ratio: m.int(1, 2), mode: 'avg' });
  } else if (op === 'Upsample' || m.opset < 11) {
    if (m.opset >= 11) throw new Unfit('operator set');
    const scales = m.given('float32', [1, 1, m.int(1, 3), m.int(1, 3)]);
    m.emit(m.opset === 9 ? 'Upsample' : 'Resize', [x, scales], { mode: m.choose(['nearest', 'linear']) });
  } else {
    const mode = m.choose(['nearest', 'linear', 'cubic']);
    const coordinate = m.choose(['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric']);
    const empty = m.opset < 13 ? m.given('float64', []) : '';
    const attributes: Plain = {
      mode,
      coordinate_transformation_mode: coordinate,
      ...(mode === 'nearest' && m.chance(0.5) && { nearest_mode: m.choose(['round_prefer_ceil', 'floor', 'ceil']) }),
      ...(mode === 'cubic' && m.chance(0.3) && { cubic_coeff_a: float(-0.5), exclude_outside: m.int(0, 1) }),
      ...(m.opset >= 18 && mode !== 'nearest' && m.chance(0.2) && { antialias: 1 }),
    };
    if (m.chance(0.4)) {
      const scales = m.given('float32', [1, 1, m.choose([0.5, 0.75, 1.5, 2, 2.5]), m.choose([0.5, 1, 1.25, 3])]);
      m.emit(op, [x, empty, scales], attributes);
    } else {
      const to = [...shape.slice(0, 2), ...shape.slice(2).map(() => m.int(1, 7))];
      m.emit(op, [x, empty, m.opset < 13 ? m.given('float32', []) : '', m.ints(to)], attributes);
    }
  }
}

export const mapSteps: Readonly<Record<string, Step>> = { conv, convTranspose, pool, norm, resize };
