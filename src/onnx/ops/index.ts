// Every operator with a rule, by name.
import type { Node } from '../graph.js';
import * as activation from './activation.js';
import * as arithmetic from './arithmetic.js';
import * as constants from './constants.js';
import { Conv } from './conv.js';
import { ConvTranspose } from './conv-transpose.js';
import * as depthSpace from './depth-space.js';
import * as indexing from './indexing.js';
import * as joining from './joining.js';
import * as logic from './logic.js';
import { BatchNormalization } from './normalization.js';
import { AveragePool, GlobalAveragePool, MaxPool } from './pool.js';
import { Pow } from './power.js';
import { Gemm, MatMul } from './product.js';
import * as reduce from './reduce.js';
import type { Rule } from './rule.js';
import * as shapes from './shape-ops.js';
import { LogSoftmax, Softmax } from './softmax.js';

const { reducedAxes: _axes, restored: _restored, ...reductions } = reduce;
const { spread: _spread, padAxis: _padAxis, ...joins } = joining;
const { reshapeTo: _reshapeTo, ...moves } = shapes;

/** Rules by operator; other domains are written `domain.Operator`. */
export const rules: Readonly<Record<string, Rule>> = {
  ...activation,
  ...arithmetic,
  ...constants,
  ...depthSpace,
  ...indexing,
  ...joins,
  ...logic,
  ...moves,
  ...reductions,
  AveragePool,
  BatchNormalization,
  Conv,
  ConvTranspose,
  Gemm,
  GlobalAveragePool,
  LogSoftmax,
  MatMul,
  MaxPool,
  Pow,
  Softmax,
};

/** The rule of a node, or undefined. */
export function ruleOf({ op, domain }: Pick<Node, 'op' | 'domain'>): Rule | undefined {
  const key = domain ? `${domain}.${op}` : op;
  return Object.hasOwn(rules, key) ? rules[key] : undefined;
}

/** The operators that can be differentiated, in alphabetical order; those of other domains as `domain.Operator`. */
export function supportedOps(): string[] {
  return Object.keys(rules).sort();
}
