// Steps of random graphs: recurrences, fused operators, control flow and losses as nodes.
import { sizeOf } from '../../src/core/tensor.js';
import { Graph, type Node } from '../../src/onnx/graph.js';
import { float, type GraphMaker, type Plain, Unfit } from './graph-maker.js';
import { from, type Step } from './graph-steps.js';

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
  const op = m.choose([
    'Gelu',
    'FastGelu',
    'QuickGelu',
    'BiasGelu',
    'FusedMatMul',
    'SkipLayerNormalization',
    'MultiHeadAttention',
    'FusedConv',
    'standard Gelu',
  ]);
  if (op === 'standard Gelu') {
    from(m, 20);
    m.emit('Gelu', [m.any()], m.chance(0.5) ? { approximate: 'tanh' } : {});
    return;
  }
  if (op === 'FusedConv') {
    const x = m.some(
      (s) => s.length === 4 && s.slice(2).every((e) => e >= 3),
      () => [1, m.int(1, 3), 5, 4],
    );
    const attributes: Plain = { activation: m.choose(['Relu', 'Sigmoid', 'Tanh']), kernel_shape: [3, 2], pads: [1, 0, 1, 1] };
    m.emit(op, [x, m.fresh([2, m.shapeOf(x)[1]!, 3, 2]), m.fresh([2])], attributes, 1, 'com.microsoft');
    return;
  }
  const x = m.any(2, 3);
  const shape = m.shapeOf(x);
  const width = shape.at(-1)!;
  if (op === 'MultiHeadAttention') {
    if (shape.length !== 3 || width % 2) throw new Unfit('rank');
    const other = [shape[0]!, m.int(1, 3), width];
    const key = m.some(
      (s) => s.join() === other.join(),
      () => other,
    );
    m.emit(op, [x, key, m.fresh(m.shapeOf(key))], { num_heads: 2 }, 1, 'com.microsoft');
  } else if (op === 'BiasGelu') m.emit(op, [x, m.fresh([width])], {}, 1, 'com.microsoft');
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

export const controlSteps: Readonly<Record<string, Step>> = { recurrent, fused, control, losses };
