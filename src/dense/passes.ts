// Passes through a dense network on blocks of one WebAssembly instance. Matrices are row-major, one row per sample; parameters are
// one flat vector. R-passes carry the directional derivative of every quantity along v (Pearlmutter 1994): R{x} is named rx.
import type { Precision } from '../core/tensor.js';
import { type Activation, activate } from '../kernels/activations.js';
import { activationTurn, addColumnSums, fillRows, multiply } from '../kernels/dense.js';
import { gemm } from '../kernels/gemm.js';
import type { Arena, Real } from '../runtime/arena.js';
import { slice } from '../runtime/arena.js';

/** One layer a ← f(a Wᵀ + b) and where its parameters sit in the flat vector. */
export interface DenseLayer {
  readonly inputs: number;
  readonly outputs: number;
  readonly activation: Activation;
  readonly weight: number;
  /** −1 without a bias. */
  readonly bias: number;
}

/** What a network is made of. */
export interface Network {
  readonly precision: Precision;
  readonly layers: readonly DenseLayer[];
  readonly loss: 'cross-entropy' | 'mse';
  readonly parameterCount: number;
}

/** Values kept by a forward pass: a[0] is the input, a[l + 1] and the derivatives of layer l's activation beside it. */
export interface Trace {
  readonly rows: number;
  readonly a: Real[];
  readonly d1: (Real | undefined)[];
  readonly d2: (Real | undefined)[];
}

const weightOf = ({ weight, outputs, inputs }: DenseLayer, w: Real): Real => slice(w, weight, outputs * inputs) as Real;
const biasOf = ({ bias, outputs }: DenseLayer, w: Real): Real => slice(w, bias, outputs) as Real;

/** out = x Wᵀ (+ what out holds). */
function throughLayer({ inputs, outputs }: DenseLayer, x: Real, weight: Real, out: Real, rows: number, add: boolean): void {
  gemm(rows, outputs, inputs, x, weight, out, { transB: true, beta: add ? 1 : 0 });
}

/** Forward pass; `derivatives` of the activations are kept up to that order (0, 1 or 2). */
export function forward(arena: Arena, net: Network, w: Real, x: Real, rows: number, derivatives: 0 | 1 | 2): Trace {
  const trace: Trace = { rows, a: [x], d1: [], d2: [] };
  for (const layer of net.layers) {
    const z = arena.real(net.precision, rows * layer.outputs);
    if (layer.bias >= 0) fillRows(biasOf(layer, w), z, rows);
    throughLayer(layer, trace.a.at(-1)!, weightOf(layer, w), z, rows, layer.bias >= 0);
    const curved = layer.activation !== 'identity';
    const bent = curved && layer.activation !== 'relu';
    const d1 = curved && derivatives > 0 ? arena.real(net.precision, z.length) : undefined;
    const d2 = bent && derivatives > 1 ? arena.real(net.precision, z.length) : undefined;
    if (curved) activate(layer.activation, z, { a: z, ...(d1 && { d1 }), ...(d2 && { d2 }) });
    trace.a.push(z);
    trace.d1.push(d1);
    trace.d2.push(d2);
  }
  return trace;
}

/** R-forward pass along v: ra[l + 1] = R{a[l + 1]}, rz[l] = R{z[l]} where the second derivative will ask for it. */
export function rForward(
  arena: Arena,
  net: Network,
  w: Real,
  v: Real,
  trace: Trace,
): { ra: (Real | undefined)[]; rz: (Real | undefined)[] } {
  const { rows } = trace;
  const ra: (Real | undefined)[] = [undefined];
  const rz: (Real | undefined)[] = [];
  net.layers.forEach((layer, l) => {
    const z = arena.real(net.precision, rows * layer.outputs);
    if (layer.bias >= 0) fillRows(biasOf(layer, v), z, rows);
    throughLayer(layer, trace.a[l]!, weightOf(layer, v), z, rows, layer.bias >= 0);
    const carried = ra[l];
    if (carried) throughLayer(layer, carried, weightOf(layer, w), z, rows, true);
    const d1 = trace.d1[l];
    let a = z;
    if (d1) {
      if (trace.d2[l]) a = arena.real(net.precision, z.length);
      multiply(z, d1, a);
    }
    rz.push(trace.d2[l] ? z : undefined);
    ra.push(a);
  });
  return { ra, rz };
}

/**
 * Backward pass: adds Σ_rows of the gradient to `grad` [d], given the gradient `delta` [rows, k] with respect to the outputs, which is
 * overwritten. With `toInput`, returns the gradient with respect to the input [rows, inputs].
 */
export function backward(
  arena: Arena,
  net: Network,
  w: Real,
  trace: Trace,
  delta: Real,
  grad: Real | undefined,
  toInput = false,
): Real | undefined {
  let back = delta;
  for (let l = net.layers.length - 1; l >= 0; l--) {
    const layer = net.layers[l]!;
    const d1 = trace.d1[l];
    if (d1) multiply(back, d1, back);
    if (grad) collect(layer, back, trace.a[l]!, grad, trace.rows, true);
    if (l === 0 && !toInput) return undefined;
    back = toPrevious(arena, net, layer, back, w, trace.rows);
  }
  return back;
}

/** Weight and bias gradient of one layer, added: ∇W += δᵀa, ∇b += Σδ. */
function collect(layer: DenseLayer, delta: Real, a: Real, grad: Real, rows: number, withBias: boolean): void {
  gemm(layer.outputs, layer.inputs, rows, delta, a, weightOf(layer, grad), { transA: true, beta: 1 });
  if (withBias && layer.bias >= 0) addColumnSums(delta, biasOf(layer, grad), rows);
}

function toPrevious(arena: Arena, net: Network, layer: DenseLayer, delta: Real, w: Real, rows: number): Real {
  const out = arena.real(net.precision, rows * layer.inputs);
  gemm(rows, layer.inputs, layer.outputs, delta, weightOf(layer, w), out);
  return out;
}

/** ∂loss/∂a and ∂loss/∂z of every layer; one block where the activation has no curvature. */
export interface BackPass {
  readonly toOutput: readonly Real[];
  readonly toSum: readonly Real[];
}

/** The backward pass that Hessian products share, whatever their direction. `delta` becomes part of it. */
export function backPass(arena: Arena, net: Network, w: Real, trace: Trace, delta: Real): BackPass {
  const toOutput: Real[] = [];
  const toSum: Real[] = [];
  let back = delta;
  for (let l = net.layers.length - 1; l >= 0; l--) {
    const d1 = trace.d1[l];
    const sum = trace.d2[l] ? arena.real(net.precision, back.length) : back;
    if (d1) multiply(back, d1, sum);
    toOutput[l] = back;
    toSum[l] = sum;
    if (l > 0) back = toPrevious(arena, net, net.layers[l]!, sum, w, trace.rows);
  }
  return { toOutput, toSum };
}

/** Exact Hessian-vector product by the R-operator, added to `product` [d]; the seed `rdelta` [rows, k] is overwritten. */
export function rBackward(
  arena: Arena,
  net: Network,
  w: Real,
  v: Real,
  trace: Trace,
  { ra, rz }: ReturnType<typeof rForward>,
  { toOutput, toSum }: BackPass,
  rdelta: Real,
  product: Real,
): void {
  const { rows } = trace;
  let rback = rdelta;
  for (let l = net.layers.length - 1; l >= 0; l--) {
    const layer = net.layers[l]!;
    const d1 = trace.d1[l];
    const d2 = trace.d2[l];
    const back = toSum[l]!;
    if (d1 && d2) activationTurn(rback, d1, toOutput[l]!, d2, rz[l]!, rback);
    else if (d1) multiply(rback, d1, rback);
    collect(layer, rback, trace.a[l]!, product, rows, true);
    const carried = ra[l];
    if (carried) collect(layer, back, carried, product, rows, false);
    if (l === 0) return;
    const next = toPrevious(arena, net, layer, rback, w, rows);
    gemm(rows, layer.inputs, layer.outputs, back, weightOf(layer, v), next, { beta: 1 });
    rback = next;
  }
}
