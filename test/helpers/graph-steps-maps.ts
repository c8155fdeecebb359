// Steps of random graphs: convolutions, pooling, normalizations, resizing, recurrences, fused operators and control flow.
import { sizeOf } from '../../src/core/tensor.js';
import { Graph, type Node } from '../../src/onnx/graph.js';
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
  const wanted = m.chance(0.15) ? { output_shape: space.map((e, i) => e * strides[i]! + m.int(-1, 0)) } : ({} as Plain);
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
  const op = m.choose(['Resize', 'DepthToSpace', 'SpaceToDepth', 'GridSample']);
  if (op === 'DepthToSpace' || op === 'SpaceToDepth') {
    const block = 2;
    m.emit(op, [x], { blocksize: block, ...(op === 'DepthToSpace' && m.opset >= 11 && m.chance(0.5) && { mode: 'CRD' }) });
  } else if (op === 'GridSample') {
    from(m, 16);
    const mode = m.opset >= 20 ? m.choose(['linear', 'nearest']) : m.choose(['bilinear', 'nearest']);
    m.emit(op, [x, m.between([shape[0]!, 2, 3, 2], -1.2, 1.2)], {
      mode,
      padding_mode: m.choose(['zeros', 'border']),
      align_corners: m.int(0, 1),
    });
  } else {
    from(m, 11);
    const mode = m.choose(['nearest', 'linear', 'cubic']);
    const to = [...shape.slice(0, 2), ...shape.slice(2).map(() => m.int(1, 7))];
    const coordinate = m.choose(['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric']);
    const empty = m.opset < 13 ? m.given('float64', []) : '';
    m.emit(op, [x, empty, m.opset < 13 ? m.given('float32', []) : '', m.ints(to)], { mode, coordinate_transformation_mode: coordinate });
  }
}

function recurrent(m: GraphMaker): void {
  const x = m.any(3, 3);
  const [steps, batch, width] = m.shapeOf(x) as [number, number, number];
  const op = m.choose(['RNN', 'GRU', 'LSTM']);
  const gates = { RNN: 1, GRU: 3, LSTM: 4 }[op]!;
  const direction = m.choose(['forward', 'reverse', 'bidirectional']);
  const both = direction === 'bidirectional' ? 2 : 1;
  const hidden = m.int(1, 3);
  const state = (): string => (m.chance(0.4) ? m.fresh([both, batch, hidden]) : '');
  const bias = m.chance(0.5) ? m.fresh([both, 2 * gates * hidden]) : '';
  const lengths = m.chance(0.2)
    ? m.given(
        'int32',
        Array.from({ length: batch }, () => m.int(1, steps)),
      )
    : '';
  const inputs = [x, m.fresh([both, gates * hidden, width]), m.fresh([both, gates * hidden, hidden]), bias, lengths, state()];
  if (op === 'LSTM') inputs.push(state(), m.chance(0.3) ? m.fresh([both, 3 * hidden]) : '');
  while (inputs.at(-1) === '') inputs.pop();
  const attributes: Plain = {
    hidden_size: hidden,
    ...(direction !== 'forward' && { direction }),
    ...(op === 'GRU' && m.chance(0.5) && { linear_before_reset: 1 }),
  };
  m.emit(op, inputs, attributes, op === 'LSTM' ? m.int(1, 3) : m.int(1, 2));
}

/** y = f(x) of com.microsoft, where ONNX Runtime judges the forward pass. */
function fused(m: GraphMaker): void {
  const op = m.choose(['Gelu', 'FastGelu', 'QuickGelu', 'BiasGelu', 'FusedMatMul', 'SkipLayerNormalization', 'standard Gelu']);
  if (op === 'standard Gelu') {
    from(m, 20);
    m.emit('Gelu', [m.any()], m.chance(0.5) ? { approximate: 'tanh' } : {});
    return;
  }
  const x = m.any(2, 3);
  const shape = m.shapeOf(x);
  const width = shape.at(-1)!;
  if (op === 'BiasGelu') m.emit(op, [x, m.fresh([width])], {}, 1, 'com.microsoft');
  else if (op === 'FusedMatMul') {
    const transA = m.int(0, 1);
    const transB = m.int(0, 1);
    const k = shape.at(transA ? -2 : -1)!;
    const n = m.int(1, 3);
    const tail = transB ? [n, k] : [k, n];
    m.emit(op, [x, m.fresh([...shape.slice(0, -2), ...tail])], { transA, transB, alpha: float(0.5) }, 1, 'com.microsoft');
  } else if (op === 'SkipLayerNormalization') {
    if (shape.length !== 3 || width < 2) throw new Unfit('rank');
    m.emit(
      op,
      [x, m.fresh(shape), m.fresh([width]), ...(m.chance(0.5) ? [m.fresh([width])] : [])],
      { epsilon: float(0.125) },
      1,
      'com.microsoft',
    );
  } else m.emit(op, [x], {}, 1, 'com.microsoft');
}

/** A body of element-wise nodes from some names to one, reading names from outside too. */
function body(
  m: GraphMaker,
  inputs: Graph['inputs'],
  reads: readonly string[],
  outputs: (last: string) => Graph['outputs'],
  extra: readonly Node[] = [],
): Graph {
  const graph = new Graph();
  graph.name = 'body';
  graph.inputs = inputs;
  const node = (op: string, from: readonly string[], to: string): Node => ({
    op,
    domain: '',
    name: '',
    inputs: [...from],
    outputs: [to],
    attributes: {},
  });
  const stem = `b${m.int(0, 1e9)}`;
  let last = reads[0]!;
  const nodes: Node[] = [...extra];
  for (let i = 0; i < m.int(1, 3); i++) {
    const next = `${stem}_${i}`;
    nodes.push(
      m.chance(0.5)
        ? node(m.choose(['Tanh', 'Sigmoid', 'Sin', 'Relu']), [last], next)
        : node(m.choose(['Mul', 'Add', 'Sub']), [last, m.choose(reads)], next),
    );
    last = next;
  }
  // A name of its own, and a bounded one.
  nodes.push(node('Tanh', [last], `${stem}_y`));
  graph.nodes = nodes;
  graph.outputs = outputs(`${stem}_y`);
  return graph;
}

function control(m: GraphMaker): void {
  from(m, 11);
  const x = m.any(1, 3);
  const shape = m.shapeOf(x);
  const captured = m.some(
    (s) => s.join() === shape.join(),
    () => shape,
  );
  const info = (name: string, type: 'float64' | 'int64' | 'bool' = 'float64', s?: readonly number[]) => ({ name, type, shape: s });
  const op = m.choose(['If', 'Loop', 'Scan']);
  const stem = `c${m.int(0, 1e9)}`;
  if (op === 'If') {
    const on = m.chance(0.5)
      ? m.given('bool', [m.int(0, 1)], [])
      : m.emit('Greater', [m.emit('ReduceMax', [x], { keepdims: 0 })[0]!, m.given('float64', [0.5], [])])[0]!;
    const branch = (): Graph => body(m, [], [x, captured], (y) => [info(y)]);
    m.emit(op, [on], { then_branch: { type: 'graph', value: branch() }, else_branch: { type: 'graph', value: branch() } });
  } else if (op === 'Loop') {
    const inputs = [info(`${stem}_i`, 'int64', []), info(`${stem}_on`, 'bool', []), info(`${stem}_s`)];
    const go: Node = { op: 'Identity', domain: '', name: '', inputs: [`${stem}_on`], outputs: [`${stem}_go`], attributes: {} };
    const value = body(
      m,
      inputs,
      [`${stem}_s`, captured],
      (y) => [info(`${stem}_go`, 'bool', []), info(y), ...(m.chance(0.5) ? [info(y)] : [])],
      [go],
    );
    if (value.outputs.length === 3) {
      const twice: Node = {
        op: 'Identity',
        domain: '',
        name: '',
        inputs: [value.outputs[1]!.name],
        outputs: [`${stem}_z`],
        attributes: {},
      };
      value.nodes.push(twice);
      value.outputs[2] = info(`${stem}_z`);
    }
    m.emit(op, [m.ints([m.int(1, 3)], []), m.given('bool', [1], []), x], { body: { type: 'graph', value } }, value.outputs.length - 1);
  } else {
    if (shape.length < 2) throw new Unfit('rank');
    const state = m.fresh(shape.slice(1));
    const value = body(m, [info(`${stem}_s`), info(`${stem}_x`)], [`${stem}_s`, `${stem}_x`], (y) => [
      info(y, 'float64', shape.slice(1)),
      info(`${stem}_z`, 'float64', shape.slice(1)),
    ]);
    value.nodes.push({ op: 'Sin', domain: '', name: '', inputs: [value.outputs[0]!.name], outputs: [`${stem}_z`], attributes: {} });
    m.emit(
      op,
      [state, x],
      {
        num_scan_inputs: 1,
        body: { type: 'graph', value },
        ...(m.chance(0.4) && { scan_input_directions: [1] }),
        ...(m.chance(0.4) && { scan_output_axes: [m.int(0, shape.length - 1)] }),
      },
      2,
    );
  }
}

function losses(m: GraphMaker): void {
  from(m, 12);
  const x = m.any(2, 3);
  const [n, k, ...rest] = m.shapeOf(x) as [number, number, ...number[]];
  const places = [n, ...rest];
  const labels = m.ints(
    Array.from({ length: sizeOf(places) }, () => m.int(0, k - 1)),
    places,
  );
  const weights = m.chance(0.4) ? [m.between([k], 0.3, 1.4)] : [];
  const attributes: Plain = {
    ...(m.chance(0.7) && { reduction: m.choose(['mean', 'sum', 'none']) }),
    ...(m.chance(0.3) && { ignore_index: 0 }),
  };
  if (m.chance(0.5)) m.emit('SoftmaxCrossEntropyLoss', [x, labels, ...weights], attributes, 1);
  else m.emit('NegativeLogLikelihoodLoss', [m.emit('LogSoftmax', [x], { axis: 1 })[0]!, labels, ...weights], attributes);
}

export const mapSteps: Readonly<Record<string, Step>> = { conv, convTranspose, pool, norm, resize, recurrent, fused, control, losses };
