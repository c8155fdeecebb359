// A graph of a double model on the reference evaluator, where ONNX Runtime has no double kernel for one of its operators.
import type { Tensor } from '../core/tensor.js';
import type { Model } from './graph.js';
import { evaluateModel, referenceOps } from './reference/index.js';
import type { Feed, Session } from './session.js';
import { standardModel } from './standard.js';

/** What runs a graph: a session of ONNX Runtime, or the evaluator. */
export type Runner = Pick<Session, 'outputNames' | 'run' | 'release'>;

/** A graph in plain double precision loops: slow, exact to rounding. */
export class EvaluatedGraph implements Runner {
  readonly #model: Model;

  constructor(model: Model) {
    // Fused operators of other domains are written out first.
    const known = new Set(referenceOps());
    this.#model = model.graph.nodes.every(({ domain, op }) => domain === '' && known.has(op)) ? model : standardModel(model);
  }

  get outputNames(): readonly string[] {
    return this.#model.graph.outputs.map(({ name }) => name);
  }

  async run(feeds: Readonly<Record<string, Feed>>): Promise<Record<string, Tensor>> {
    const results = evaluateModel(this.#model, feeds);
    // An output may be a constant of the graph: callers own what they get.
    return Object.fromEntries(Object.entries(results).map(([name, { data, shape }]) => [name, { data: data.slice(), shape }]));
  }

  async release(): Promise<void> {}
}

/** True when ONNX Runtime refused a double graph for want of a kernel. */
export function lacksDoubleKernel(model: Model, refusal: unknown): boolean {
  const { inputs, initializers } = model.graph;
  const double = inputs.some(({ type }) => type === 'float64') || [...initializers.values()].some(({ type }) => type === 'float64');
  return double && /could not find an implementation|not_implemented/i.test(String((refusal as Error)?.message));
}
