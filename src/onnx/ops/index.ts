// Every operator with a rule, by name.
import type { Node } from '../graph.js';
import * as activation from './activation.js';
import * as arithmetic from './arithmetic.js';
import * as arrangement from './arrangement.js';
import { Attention } from './attention.js';
import * as constants from './constants.js';
import { contrib } from './contrib.js';
import { Conv } from './conv.js';
import { ConvTranspose } from './conv-transpose.js';
import * as depthSpace from './depth-space.js';
import { Det } from './det.js';
import { Einsum } from './einsum.js';
import * as extremes from './extremes.js';
import * as gates from './gates.js';
import { GridSample } from './grid-sample.js';
import * as indexing from './indexing.js';
import * as joining from './joining.js';
import * as layerNorm from './layer-norm.js';
import * as logic from './logic.js';
import * as lossNodes from './loss-nodes.js';
import { BatchNormalization } from './normalization.js';
import * as norms from './norms.js';
import * as placing from './placing.js';
import { AveragePool, GlobalAveragePool, MaxPool } from './pool.js';
import * as mapPools from './pool-norm.js';
import { Pow } from './power.js';
import { Gemm, MatMul } from './product.js';
import * as quantization from './quantization.js';
import * as recurrent from './recurrent.js';
import * as reduce from './reduce.js';
import { Resize, Upsample } from './resize.js';
import { RoiAlign } from './roi-align.js';
import { RotaryEmbedding } from './rotary.js';
import type { Rule } from './rule.js';
import * as shapes from './shape-ops.js';
import { Hardmax, LogSoftmax, Softmax } from './softmax.js';
import * as trigonometry from './trigonometry.js';

const { reducedAxes: _axes, restored: _restored, ...reductions } = reduce;
const { spread: _spread, padAxis: _padAxis, ...joins } = joining;
const { gelu: _gelu, geluTanh: _geluTanh, swish: _swish, ...gated } = gates;
const { safeRoot: _safeRoot, power: _power, normalized: _normalized, rootMeanSquare: _rootMeanSquare, ...composed } = norms;
const { reshapeTo: _reshapeTo, ...moves } = shapes;

/** Rules by operator; other domains are written `domain.Operator`. */
export const rules: Readonly<Record<string, Rule>> = {
  ...activation,
  ...arithmetic,
  ...arrangement,
  ...composed,
  ...constants,
  ...depthSpace,
  ...extremes,
  ...gated,
  ...indexing,
  ...joins,
  ...layerNorm,
  ...logic,
  ...lossNodes,
  ...mapPools,
  ...moves,
  ...placing,
  ...quantization,
  ...recurrent,
  ...reductions,
  ...trigonometry,
  ...Object.fromEntries(Object.entries(contrib).map(([op, rule]) => [`com.microsoft.${op}`, rule])),
  Attention,
  AveragePool,
  BatchNormalization,
  Conv,
  ConvTranspose,
  Det,
  Einsum,
  Gemm,
  GlobalAveragePool,
  GridSample,
  Hardmax,
  LogSoftmax,
  MatMul,
  MaxPool,
  Pow,
  Resize,
  RoiAlign,
  RotaryEmbedding,
  Softmax,
  Upsample,
};

/** The rule of a node, or undefined. */
export function ruleOf({ op, domain }: Pick<Node, 'op' | 'domain'>): Rule | undefined {
  const key = domain ? `${domain}.${op}` : op;
  return Object.hasOwn(rules, key) ? rules[key] : undefined;
}

/** The operators that can be differentiated, in alphabetical order; those of other domains as `domain.Operator`. */
export function supportedOps(): string[] {
  return [...Object.keys(rules), 'If', 'Loop', 'Scan'].sort();
}
