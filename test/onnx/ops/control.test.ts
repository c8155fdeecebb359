import { Graph, graphTensor, modelOf, type Node } from '../../../src/onnx/graph.js';
import { unsupportedOps, vjpModel } from '../../../src/onnx/index.js';
import { given, normal, operatorFamily } from '../../helpers/operator-cases.js';

type Precision = 'float32' | 'float64';
type Line = [op: string, inputs: string, output: string];

/** A body from lines `[op, 'a b', 'c']`; names starting with `i` are int64, with `c` bool. */
function body(type: Precision, inputs: string[], lines: Line[], outputs: string[], constants: Record<string, number[]> = {}): Graph {
  const graph = new Graph();
  graph.name = 'body';
  const typeOf = (name: string) => (name.startsWith('i') ? ('int64' as const) : name.startsWith('c') ? ('bool' as const) : type);
  graph.inputs = inputs.map((name) => ({ name, type: typeOf(name), shape: /^[ic]/.test(name) ? [] : undefined }));
  graph.outputs = outputs.map((name) => ({ name, type: typeOf(name), shape: undefined }));
  for (const [name, values] of Object.entries(constants)) graph.initializers.set(name, graphTensor(typeOf(name), values));
  graph.nodes = lines.map(([op, from, to]): Node => ({ op, domain: '', name: '', inputs: from.split(' '), outputs: [to], attributes: {} }));
  return graph;
}

operatorFamily('control flow', [
  {
    op: 'Loop',
    inputs: [given('int64', [3], []), given('bool', [1], []), normal(2, 3)],
    attributes: {
      body: (type) =>
        body(
          type,
          ['i', 'c', 's'],
          [
            ['Identity', 'c', 'c2'],
            ['Mul', 's k', 'm'],
            ['Sin', 'm', 's2'],
            ['Exp', 'm', 'y'],
          ],
          ['c2', 's2', 'y'],
          { k: [0.7] },
        ),
    },
    outputs: 2,
    of: [0, 1],
  },
  {
    op: 'Scan',
    inputs: [normal(3), normal(4, 3)],
    attributes: {
      num_scan_inputs: 1,
      body: (type) =>
        body(
          type,
          ['s', 'x'],
          [
            ['Mul', 's x', 'm'],
            ['Tanh', 'm', 't'],
            ['Add', 't x', 's2'],
            ['Sigmoid', 's2', 'y'],
          ],
          ['s2', 'y'],
        ),
    },
    outputs: 2,
    of: [0, 1],
  },
  {
    op: 'Scan',
    inputs: [normal(3), normal(3, 4)],
    attributes: {
      num_scan_inputs: 1,
      scan_input_axes: [1],
      scan_input_directions: [1],
      scan_output_axes: [-1],
      scan_output_directions: [1],
      body: (type) =>
        body(
          type,
          ['s', 'x'],
          [
            ['Mul', 's x', 's2'],
            ['Sin', 's2', 'y'],
          ],
          ['s2', 'y'],
        ),
    },
    outputs: 2,
    of: [0, 1],
  },
]);

/** y = if condition then sin x else x·k, both reading x from outside. */
function branching(condition: 'known' | 'computed', type: Precision = 'float32') {
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type, shape: [3] }];
  graph.outputs = [{ name: 'y', type, shape: [3] }];
  if (condition === 'known') graph.initializers.set('on', graphTensor('bool', [0], []));
  else graph.inputs.push({ name: 'on', type: 'bool', shape: [] });
  const then = body(type, [], [['Sin', 'x', 't']], ['t']);
  const other = body(type, [], [['Mul', 'x k', 'e']], ['e'], { k: [3] });
  graph.nodes = [
    {
      op: 'If',
      domain: '',
      name: 'branch',
      inputs: ['on'],
      outputs: ['y'],
      attributes: { then_branch: { type: 'graph', value: then }, else_branch: { type: 'graph', value: other } },
    },
  ];
  return modelOf(graph);
}

test('a branch whose condition is known leaves the other branch out', () => {
  const written = vjpModel(branching('known'), { of: 'y', wrt: ['x'] });
  const used = written.graph.nodes.map(({ op }) => op);
  expect(used).toContain('Mul');
  expect(used.filter((op) => op === 'Sin' || op === 'Cos' || op === 'If')).toEqual([]);
});

test('a computed condition selects between both branches', async () => {
  const { evaluateModel } = await import('../../../src/onnx/reference/index.js');
  const model = branching('computed', 'float64');
  const x = { data: Float64Array.of(0.1, 0.2, 0.3), shape: [3] };
  const cotangent = { data: Float64Array.of(1, 1, 1), shape: [3] };
  for (const on of [0, 1]) {
    const feeds = { x, cotangent, on: { data: Uint8Array.of(on), shape: [] } };
    const out = evaluateModel(vjpModel(model, { of: 'y', wrt: ['x'] }), feeds);
    expect([...out.y!.data]).toEqual([...evaluateModel(model, feeds).y!.data]);
    const slopes = [...x.data].map((e) => (on ? Math.cos(e) : 3));
    [...(out['grad.x']!.data as Float64Array)].forEach((g, i) => {
      expect(g).toBeCloseTo(slopes[i]!, 12);
    });
  }
});

test('a loop whose number of trips is computed is refused by name', () => {
  const graph = new Graph();
  graph.inputs = [
    { name: 'n', type: 'int64', shape: [] },
    { name: 'x', type: 'float32', shape: [2] },
  ];
  graph.outputs = [{ name: 'y', type: 'float32', shape: [2] }];
  const inner = body(
    'float32',
    ['i', 'c', 's'],
    [
      ['Identity', 'c', 'c2'],
      ['Sin', 's', 's2'],
    ],
    ['c2', 's2'],
  );
  graph.nodes = [
    {
      op: 'Loop',
      domain: '',
      name: 'turns',
      inputs: ['n', '', 'x'],
      outputs: ['y'],
      attributes: { body: { type: 'graph', value: inner } },
    },
  ];
  expect(unsupportedOps(modelOf(graph))).toEqual([]);
  expect(() => vjpModel(modelOf(graph), { of: 'y', wrt: ['x'] })).toThrow(/Loop 'turns': expected a number of trips known before running/);
});

test('an operator without a rule inside a branch is reported', () => {
  const model = branching('known');
  const then = model.graph.nodes[0]!.attributes.then_branch!.value as Graph;
  then.nodes[0]!.op = 'Nonsense';
  expect(unsupportedOps(model).map(({ op }) => op)).toEqual(['Nonsense']);
});
