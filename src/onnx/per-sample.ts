// Gradients of each sample's loss in one run: reverse mode in which parameters keep an axis of samples.
//
// Values that carry the batch have ordinary cotangents: samples do not mix. Cotangents of values that only depend on parameters get a
// leading axis n: [n, …shape]. Where the two meet, the batch has to lead: as n, or as n·c with the samples outermost.
import { asRecord } from '../core/check.js';
import { GraphError } from '../core/errors.js';
import { movedBy } from './autodiff.js';
import { type Builder, isFloat, type Value } from './builder.js';
import { classAxis } from './class-axis.js';
import { type DerivativeOptions, openDerivative } from './derivatives.js';
import { factorsOf, over, product } from './dims.js';
import { finish } from './finish.js';
import { type Dim, floatOf, intOf, type Model, type Node, where } from './graph.js';
import { sampleWeightCotangents } from './ops/conv.js';
import { sampleTransposedCotangents } from './ops/conv-transpose.js';
import { ruleOf } from './ops/index.js';
import { otherAxes } from './ops/rule.js';

type Cotangents = Map<Value, Value>;

/** What every step needs: the builder and the name of the batch extent. */
interface Pass {
  readonly b: Builder;
  readonly n: string;
  readonly moved: ReadonlySet<Value>;
  readonly batched: (value: Value) => boolean;
  /** Values with the samples outermost on their first axis. */
  readonly leads: ReadonlySet<Value>;
}

/**
 * The gradients of each sample's loss as a model: outputs `loss` (their sum) and `grad.NAME` of shape [n, …] for each of `wrt`.
 * A sample's loss is the mean over its places ([n, t, k], [n, k, h, w]) or outputs (losses with targets); class weights and ignored labels multiply.
 *
 * @throws {GraphError} when the batch is not a leading axis of unknown extent throughout, or a parameter is used in a way that has no
 *   per-sample form (the remedy is one gradient per sample)
 */
export function perSampleGradientModel(
  model: Model,
  options: DerivativeOptions & { readonly loss: NonNullable<DerivativeOptions['loss']> },
): Model {
  const { loss } = asRecord('options', options, '{ loss }');
  const setting = openDerivative(model, { ...options, reduction: 'sum', sampleWeights: false });
  const { b, output, wrt } = setting;
  const n = batchExtent(b, model);
  const shape = b.shape(output);
  const labelled = (typeof loss === 'string' ? loss : asRecord('loss', loss, 'a name or { name }').name) === 'cross-entropy';
  const places = shape.slice(1).filter((_, i) => !labelled || i + 1 !== classAxis(shape.length, output));
  const each = b.div(setting.value, sizeAsScalar(b, places, setting.value));
  const nodes = [...b.graph.nodes];
  const moved = movedBy(
    b,
    nodes,
    wrt.map((w) => w.value),
  );
  const batched = (value: Value): boolean => b.shape(value).some((extent) => factorsOf(extent).names.includes(n));
  const pass: Pass = { b, n, moved, batched, leads: leading(b, nodes, n) };
  const found = reverse(pass, nodes, each);
  b.output(each, 'loss');
  for (const { name, value } of wrt) {
    const all = [n, ...b.shape(value)];
    b.output(found.get(value) ?? b.expand(b.scalar(value, 0), all), `grad.${name}`);
  }
  return finish(b, model);
}

function sizeAsScalar(b: Builder, dims: readonly Dim[], like: Value): Value {
  const size = product(dims);
  if (typeof size === 'number') return b.scalar(like, size);
  return b.squeeze(b.cast(b.extents([size]), b.elementType(like)), [0]);
}

function batchExtent(b: Builder, model: Model): string {
  const names = new Set(model.graph.feeds.map(({ name }) => b.shape(name)[0]));
  const [n] = [...names].filter((extent): extent is string => typeof extent === 'string');
  if (n === undefined) throw new GraphError('batch: expected inputs whose first axis has no fixed extent, got a fixed one');
  return n;
}

function reverse(pass: Pass, nodes: readonly Node[], loss: Value): Cotangents {
  const { b, moved, batched } = pass;
  const cotangents: Cotangents = new Map([[loss, b.scalar(loss, 1)]]);
  const add = (name: Value, d: Value | undefined): void => {
    if (d !== undefined) cotangents.set(name, b.sum(cotangents.get(name), d)!);
  };
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!;
    const d = node.outputs.map((name) => cotangents.get(name));
    const rule = ruleOf(node);
    if (rule?.zero || d.every((value) => value === undefined) || !node.inputs.some((name) => moved.has(name))) continue;
    // The sum over samples at the end of the loss is the one place where the batch is reduced.
    const ordinary = node.inputs.map((name) => moved.has(name) && (batched(name) || isTotal(b, name)));
    if (ordinary.includes(true)) {
      if (!node.outputs.every((name) => batched(name) || isTotal(b, name))) refuse(node);
      rule!.vjp!(node, d, b, ordinary).forEach((dx, at) => {
        if (ordinary[at]) add(node.inputs[at]!, dx);
      });
    }
    node.inputs.forEach((name, at) => {
      if (moved.has(name) && !ordinary[at]) add(name, shared(pass, node, at, d));
    });
  }
  return cotangents;
}

/** The few numbers of the loss behind its reduction over everything. */
const isTotal = (b: Builder, name: Value): boolean => b.shape(name).length === 0;

/**
 * The values whose first axis is n, or n·c made from such values only: an axis that two others were merged into has the samples outermost
 * if they led before.
 */
function leading(b: Builder, nodes: readonly Node[], n: string): Set<Value> {
  const carries = (name: Value): boolean => (b.types.get(name)?.shape ?? []).some((extent) => factorsOf(extent).names.includes(n));
  const found = new Set(b.graph.inputs.map(({ name }) => name).filter((name) => b.types.get(name)?.shape?.[0] === n));
  for (const node of nodes) {
    const sources = node.inputs.filter((name) => name !== '' && carries(name) && isFloat(b.elementType(name)));
    for (const name of node.outputs) {
      const shape = b.types.get(name)?.shape;
      if (!shape?.length || shape.slice(1).some((extent) => factorsOf(extent).names.includes(n))) continue;
      const merged = factorsOf(shape[0]!).names.includes(n) && sources.every((source) => found.has(source));
      if (shape[0] === n || merged) found.add(name);
    }
  }
  return found;
}

function refuse(node: Node): never {
  const { op, node: name } = where(node);
  throw new GraphError(
    `${name}: expected an operator that keeps samples apart on a leading axis, got ${op}; take one gradient per sample`,
    {
      op,
      node: name,
    },
  );
}

/** Cotangent [n, …shape] of a value that all samples share. */
function shared(pass: Pass, node: Node, at: number, d: readonly (Value | undefined)[]): Value | undefined {
  const { b, batched, n } = pass;
  const name = node.inputs[at]!;
  const rank = b.rank(name);
  const shape = b.shape(name);
  const dy = d[0]!;
  if (d.length > 1 && d.slice(1).some((value) => value !== undefined)) refuse(node);
  if (!batched(node.outputs[0]!)) return sharedThroughout(pass, node, at, dy);
  const met = [node.outputs[0]!, ...node.inputs.filter((input) => input !== '' && batched(input))];
  if (!met.every((value) => pass.leads.has(value))) refuse(node);
  switch (node.op) {
    case 'MatMul':
      return at === 1 && rank === 2 ? b.matmul(columns(pass, node.inputs[0]!), samples(pass, dy)) : expanded(pass, node, at, dy);
    case 'Gemm':
      return ofGemm(pass, node, at, dy);
    case 'Conv': {
      if (at === 2) return b.reduceSum(dy, otherAxes(b.rank(dy), 0, 1));
      return at === 1 ? sampleWeightCotangents(node, dy, b) : refuse(node);
    }
    case 'ConvTranspose': {
      if (at === 2) return b.reduceSum(dy, otherAxes(b.rank(dy), 0, 1));
      return at === 1 ? sampleTransposedCotangents(node, dy, b) : refuse(node);
    }
    case 'BatchNormalization': {
      // The rule sums over every axis but the channels; here samples are kept as if each were a channel group of its own.
      const axes = otherAxes(b.rank(dy), 0, 1);
      if (at === 2) return b.reduceSum(dy, axes);
      if (at !== 1) return refuse(node);
      const [x, , , mean, variance] = node.inputs as [Value, Value, Value, Value, Value];
      const wide = (value: Value): Value =>
        b.unsqueeze(
          value,
          axes.map((axis) => axis - 1),
        );
      const deviation = b.op('Sqrt', [b.add(variance, b.scalar(variance, floatOf(node, 'epsilon', 1e-5)))]);
      return b.reduceSum(b.mul(dy, b.div(b.sub(x, wide(mean)), wide(deviation))), axes);
    }
    case 'Expand':
    case 'Add':
    case 'Sub':
    case 'Mul':
    case 'Div':
    case 'Pow':
    case 'Where':
      return expanded(pass, node, at, dy);
    case 'Gather': {
      if (at !== 0 || intOf(node, 'axis', 0) !== 0 || typeof shape[0] !== 'number') return refuse(node);
      const places = b.reshape(node.inputs[1]!, [n, over(product(b.shape(node.inputs[1]!)), n)!]);
      const rows = b.constant({
        type: 'int64',
        data: BigInt64Array.from({ length: shape[0] }, (_, i) => BigInt(i)),
        shape: [1, shape[0], 1],
      });
      const hits = b.cast(b.op('Equal', [rows, b.unsqueeze(b.cast(places, 'int64'), [1])]), b.elementType(dy));
      const width = product(shape.slice(1));
      return b.reshape(b.matmul(hits, b.reshape(dy, [n, b.shape(places)[1]!, width])), [n, ...shape]);
    }
    default:
      return refuse(node);
  }
}

/** x [n·c, …, k] as [n, rows, k]. */
function samples({ b, n }: Pass, x: Value): Value {
  const shape = b.shape(x);
  return b.reshape(x, [n, over(product(shape.slice(0, -1)), n)!, shape.at(-1)!]);
}

function columns(pass: Pass, x: Value): Value {
  return pass.b.transpose(samples(pass, x), [0, 2, 1]);
}

function ofGemm(pass: Pass, node: Node, at: number, d: Value): Value {
  const { b, n } = pass;
  const [A] = node.inputs as [Value];
  if (at === 2) {
    const bias = b.scale(d, floatOf(node, 'beta', 1));
    return expandedSum(pass, bias, node.inputs[2]!);
  }
  if (at !== 1 || intOf(node, 'transA', 0)) return refuse(node);
  const left = intOf(node, 'transB', 0) ? columns(pass, d) : columns(pass, A);
  const right = intOf(node, 'transB', 0) ? samples(pass, A) : samples(pass, d);
  const product = b.scale(b.matmul(left, right), floatOf(node, 'alpha', 1));
  return b.reshape(product, [n, ...b.shape(node.inputs[1]!)]);
}

/** Sums d, [n·c, …], to one [n, …shape of the operand] that was broadcast against it. */
function expandedSum({ b, n }: Pass, d: Value, operand: Value): Value {
  const shape = b.shape(operand);
  const full = b.shape(d);
  const aligned = [...new Array<number>(full.length - shape.length).fill(1), ...shape];
  const kept = b.unbroadcast(d, [full[0]!, ...aligned.slice(1)]);
  const apart = b.reshape(kept, [n, over(full[0]!, n)!, ...aligned.slice(1)]);
  return b.reshape(b.reduceSum(apart, [1]), [n, ...shape]);
}

/** The rule of the node itself, on the operand repeated for every sample. */
function expanded(pass: Pass, node: Node, at: number, d: Value): Value {
  const { b } = pass;
  const name = node.inputs[at]!;
  if (node.op === 'Expand') return expandedSum(pass, d, name);
  const full = b.shape(node.outputs[0]!);
  const rank = node.op === 'MatMul' ? Math.max(full.length, b.rank(name)) : full.length;
  const aligned = [...new Array<number>(rank - b.rank(name)).fill(1), ...b.shape(name)];
  if (aligned[0] !== 1) refuse(node);
  const repeated = b.expand(b.reshape(name, aligned), [full[0]!, ...aligned.slice(1)]);
  const inputs = [...node.inputs];
  inputs[at] = repeated;
  const dx = ruleOf(node)!.vjp!(
    { ...node, inputs },
    [d],
    b,
    inputs.map((_, i) => i === at),
  )[at]!;
  return expandedSum(pass, dx, name);
}

/** A step between values that only depend on parameters, for all samples at once. */
function sharedThroughout({ b, n }: Pass, node: Node, at: number, d: Value): Value | undefined {
  const name = node.inputs[at]!;
  const shape = b.shape(name);
  switch (node.op) {
    case 'Reshape':
    case 'Squeeze':
    case 'Unsqueeze':
    case 'Flatten':
      return b.reshape(d, [n, ...shape]);
    case 'Transpose': {
      const perm = node.attributes.perm?.type === 'ints' ? node.attributes.perm.value : shape.map((_, axis) => shape.length - 1 - axis);
      return b.transpose(d, [0, ...shape.map((_, axis) => perm.indexOf(axis) + 1)]);
    }
    case 'Neg':
      return b.neg(d);
    case 'Cast':
      return b.cast(d, b.elementType(name));
    case 'Add':
    case 'Sub':
    case 'Mul':
    case 'Div':
    case 'Pow': {
      const full = b.shape(node.outputs[0]!);
      const aligned = [...new Array<number>(full.length - shape.length).fill(1), ...shape];
      const inputs = [...node.inputs];
      inputs[at] = b.expand(b.reshape(name, [1, ...aligned]), [n, ...aligned]);
      const outputs = [b.expand(b.unsqueeze(node.outputs[0]!, [0]), [n, ...full])];
      const dx = ruleOf(node)!.vjp!(
        { ...node, inputs, outputs },
        [d],
        b,
        inputs.map((_, i) => i === at),
      )[at]!;
      return b.reshape(dx, [n, ...shape]);
    }
    default:
      return refuse(node);
  }
}
