// What the calls of an OnnxModel do with data, piece by piece, at the parameters they started with.
import { checkArray } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { Batch } from '../core/model-types.js';
import type { FloatArray, Tensor } from '../core/tensor.js';
import { joinRows } from './feeds.js';
import type { Graph } from './graph.js';
import { first, Means } from './means.js';
import type { Parameters } from './program.js';
import type { Runs } from './runs.js';
import type { Feed } from './session.js';
import { inputGradients } from './vectors.js';

/** Batches of at most as many samples as one run takes. */
type Pieces = AsyncIterable<Batch>;

/** One tensor per piece, joined along the samples. */
export async function joined(pieces: Pieces, run: (piece: Batch) => Promise<Tensor>): Promise<Tensor> {
  const parts: Tensor[] = [];
  for await (const piece of pieces) parts.push(await run(piece));
  return joinRows(parts);
}

/** Values inside the graph by name. @throws {DomainError} for names that are not in it */
export async function activationsOf(
  runs: Runs,
  graph: Graph,
  parameters: Parameters,
  pieces: Pieces,
  values: readonly string[],
): Promise<Record<string, Tensor>> {
  checkArray('values', values);
  const known = new Set([...runs.inputs.map(({ name }) => name), ...graph.nodes.flatMap(({ outputs }) => outputs)]);
  for (const name of values) if (!known.has(name)) throw new DomainError(`values: expected names of values in the graph, got '${name}'`);
  const parts: Record<string, Tensor>[] = [];
  for await (const piece of pieces) parts.push(await runs.values(piece.x, values, parameters));
  return Object.fromEntries(values.map((name) => [name, joinRows(parts.map((part) => part[name] as Tensor))]));
}

/** The mean loss. */
export async function lossOver(runs: Runs, parameters: Parameters, pieces: Pieces): Promise<number> {
  const means = new Means(runs.precision);
  for await (const piece of pieces) addSums(means, await runs.loss(piece, parameters));
  return means.loss();
}

/** The mean loss and the mean of a vector that each run gives under `output`. */
export async function meanOver(
  runs: Runs,
  output: string,
  pieces: Pieces,
  run: (piece: Batch) => Promise<Record<string, Tensor>>,
): Promise<{ value: number; grad: FloatArray }> {
  const means = new Means(runs.precision);
  for await (const piece of pieces) {
    const results = await run(piece);
    means.add(first(results.weight), first(results.loss), vectorOf(results, output));
  }
  return { value: means.loss(), grad: means.vector() };
}

/** The mean loss and its gradient. */
export async function gradientOver(runs: Runs, parameters: Parameters, pieces: Pieces): Promise<{ value: number; grad: FloatArray }> {
  return meanOver(runs, 'grad', pieces, async (piece) => {
    const program = runs.derived('gradient', piece.weights !== undefined);
    return runs.run(program, parameters, await runs.lossInputs(piece, parameters));
  });
}

/** The Hessian or Gauss–Newton matrix of the mean loss times a direction. */
export async function productOver(
  what: 'hvp' | 'ggnvp',
  runs: Runs,
  parameters: Parameters,
  pieces: Pieces,
  tangents: Readonly<Record<string, Feed>>,
): Promise<FloatArray> {
  return (await meanOver(runs, what, pieces, (piece) => runs.product(what, piece, tangents, parameters))).grad;
}

/** The mean loss and its gradient in the float inputs. */
export async function inputGradientOver(
  runs: Runs,
  parameters: Parameters,
  pieces: Pieces,
): Promise<{ value: number; grad: Tensor | Record<string, Tensor> }> {
  const means = new Means(runs.precision);
  const parts: Record<string, Tensor>[] = [];
  for await (const piece of pieces) {
    const program = runs.derived('inputs', piece.weights !== undefined);
    const results = await runs.run(program, parameters, await runs.lossInputs(piece, parameters));
    addSums(means, results);
    parts.push(results);
  }
  return { value: means.loss(), grad: inputGradients(parts, means.weight) };
}

/** Jᵀ times the cotangents that come as the labels of the pieces. */
export async function transposedOver(runs: Runs, parameters: Parameters, pieces: Pieces): Promise<FloatArray> {
  const means = new Means(runs.precision);
  for await (const piece of pieces) means.add(1, 0, vectorOf(await runs.vjp(piece.x, piece.y as Tensor, parameters), 'grad'));
  return means.total();
}

/** Adds the loss of a batch that is summed over its samples. */
function addSums(means: Means, results: Readonly<Record<string, Tensor>>): void {
  const weight = first(results.weight);
  means.add(weight, first(results.loss) / weight);
}

function vectorOf(results: Readonly<Record<string, Tensor>>, name: string): FloatArray {
  return (results[name] as Tensor).data as FloatArray;
}
