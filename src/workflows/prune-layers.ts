// Pruning layer by layer on calibration activations: no gradients, each layer with the inputs that the pruned ones before it give.
import { layerObs, layerSparsityAllocation, type Pattern, wandaPrune, zerothOrderImportance } from '../compression/index.js';
import { inputRows, type LinearLayer, linearLayers, matrixOf } from '../compression/linear-layers.js';
import { checkAborted } from '../core/batches.js';
import { DomainError } from '../core/errors.js';
import type { Batch, DifferentiableModel, Inputs, LongOptions, ParameterSlot } from '../core/model-types.js';
import { type FloatArray, floats, precisionOf, sizeOf, type Tensor } from '../core/tensor.js';
import { gather } from './gather.js';
import { graphOf, type Selection } from './prune-selection.js';

export type LayerMethod = 'obc' | 'sparsegpt' | 'wanda' | 'ecoflap';

export interface LayerSettings extends LongOptions {
  readonly method: LayerMethod;
  readonly sparsity: number;
  readonly pattern: Pattern | undefined;
  /** Calibration samples. */
  readonly samples: number;
  readonly seed: number;
}

interface WithActivations {
  activations(x: Inputs, values: readonly string[]): Promise<Record<string, Tensor>>;
}

/** Rows of calibration inputs of one layer: patches of a convolution, positions of a sequence. */
const rowsAtMost = 4096;
/** Random directions per tensor in the estimate of its importance. */
const probes = 8;

/** Removes a share of every selected layer (ecoflap: a share by its importance). @throws {DomainError} for what is no layer */
export async function removeByLayers(
  model: DifferentiableModel,
  batches: readonly Batch[],
  slots: readonly ParameterSlot[],
  selection: Selection,
  settings: LayerSettings,
): Promise<void> {
  const { method, pattern, signal, onProgress } = settings;
  const layers = layersOf(model, slots, method);
  const { batch: some } = await gather(batches, settings);
  const shares = method === 'ecoflap' ? await sharesOf(model, some, slots, settings) : layers.map(() => settings.sparsity);
  let from = 0;
  for (const [i, layer] of layers.entries()) {
    checkAborted(signal);
    const { offset, shape } = slots[i] as ParameterSlot;
    const size = sizeOf(shape);
    const slot = selection.weights.subarray(offset, offset + size);
    const values = await (model as DifferentiableModel & WithActivations).activations(some.x, [layer.input]);
    const how = pattern ? { pattern } : { sparsity: shares[i] as number };
    for (let group = 0; group < layer.groups; group++) {
      const w = matrixOf(layer, slot, group);
      const x = inputRows(layer, values[layer.input] as Tensor, rowsAtMost, group);
      const { weights, mask } = prunedLayer(w, x, method, how);
      const start = group * layer.rows * layer.cols;
      for (let k = 0; k < mask.length; k++) {
        const at = layer.places[start + k] as number;
        slot[at] = weights.data[k] as number;
        selection.alive[from + at] = mask[k] as number;
      }
    }
    from += size;
    model.setParameters(selection.weights);
    onProgress?.({ done: i + 1, total: layers.length, phase: 'pruning' });
  }
}

interface PrunedMatrix {
  readonly weights: Tensor<FloatArray>;
  readonly mask: Uint8Array;
}

function prunedLayer(
  w: Tensor<FloatArray>,
  x: Tensor<FloatArray>,
  method: LayerMethod,
  how: { pattern: Pattern } | { sparsity: number },
): PrunedMatrix {
  if (method === 'wanda' || method === 'ecoflap') return wandaPrune(w, x, how);
  const solve = (weights: Tensor<FloatArray>, inputs: Tensor<FloatArray>): PrunedMatrix =>
    layerObs(weights, inputs, { ...how, ...(method === 'sparsegpt' ? { method: 'columns' } : { distribution: 'layer' }) });
  const [rows = 0, cols = 0] = w.shape;
  const whole = 'pattern' in how ? cols - (cols % how.pattern.m) : cols;
  if (whole === cols) return solve(w, x);
  // Columns after the last whole group stay as they are: what they add to the outputs does not change.
  const out = { weights: { data: w.data.slice(), shape: w.shape }, mask: new Uint8Array(w.data.length).fill(1) };
  if (whole === 0) return out;
  const { weights, mask } = solve(columnsOf(w, whole), columnsOf(x, whole));
  for (let r = 0; r < rows; r++) {
    out.weights.data.set(weights.data.subarray(r * whole, (r + 1) * whole), r * cols);
    out.mask.set(mask.subarray(r * whole, (r + 1) * whole), r * cols);
  }
  return out;
}

/** The first columns of a matrix. */
function columnsOf({ data, shape }: Tensor<FloatArray>, count: number): Tensor<FloatArray> {
  const [rows = 0, cols = 0] = shape;
  const out = floats(precisionOf(data), rows * count);
  for (let r = 0; r < rows; r++) out.set(data.subarray(r * cols, r * cols + count), r * count);
  return { data: out, shape: [rows, count] };
}

async function sharesOf(model: DifferentiableModel, some: Batch, slots: readonly ParameterSlot[], settings: LayerSettings) {
  const { sparsity, seed, signal } = settings;
  const scores = await zerothOrderImportance(model, some, { probes, seed, ...(signal && { signal }) });
  const own = slots.map((slot) => scores[model.layout.indexOf(slot)] as number);
  const sizes = slots.map(({ shape }) => sizeOf(shape));
  return Array.from(layerSparsityAllocation(own, sizes, { sparsity }).sparsities);
}

function layersOf(model: DifferentiableModel, slots: readonly ParameterSlot[], method: string): LinearLayer[] {
  const graph = graphOf(model);
  if (!graph) throw new DomainError(`method: expected one that needs no graph (mfac, magnitude) for this model, got ${method}`);
  const layers = new Map(linearLayers(graph).map((layer) => [layer.weight, layer]));
  return slots.map(({ name }) => {
    const layer = layers.get(name);
    if (!layer) throw new DomainError(`include: expected weights of Conv, Gemm or MatMul for method ${method}, got '${name}'`);
    return layer;
  });
}
