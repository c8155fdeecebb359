// Which parameter tensors a workflow works on: globs on their name, the node that uses them, or its operator.
import { checkArray, checkFinite } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { DifferentiableModel, ParameterSlot } from '../core/model-types.js';
import { describe, sizeOf } from '../core/tensor.js';

const prunedByDefault = new Set(['Conv', 'Gemm', 'MatMul']);

/**
 * The slots to prune: weights of Conv, Gemm and MatMul, or those that a glob of `include` matches, without those `exclude` matches.
 * A glob on node or operator takes weights only; one on the name takes any parameter. `*` is any text, `?` one character.
 *
 * @throws {DomainError} when a glob matches nothing, or nothing is left
 */
export function selectSlots(
  layout: readonly ParameterSlot[],
  { include = [], exclude = [] }: { readonly include?: readonly string[]; readonly exclude?: readonly string[] } = {},
): ParameterSlot[] {
  checkArray('model.layout', layout);
  const matching = (name: string, globs: readonly string[]): Set<ParameterSlot> => {
    checkArray(name, globs);
    const found = new Set<ParameterSlot>();
    for (const glob of globs) {
      const hits = layout.filter((slot) => matches(slot, pattern(glob)));
      if (!hits.length)
        throw new DomainError(`${name}: expected a glob on names, nodes or operators of parameters, got '${glob}' that matches none`);
      for (const slot of hits) found.add(slot);
    }
    return found;
  };
  checkArray('include', include);
  const wanted = include.length
    ? matching('include', include)
    : new Set(layout.filter(({ role, opType }) => role === 'weight' && prunedByDefault.has(opType)));
  for (const slot of matching('exclude', exclude)) wanted.delete(slot);
  if (!wanted.size) throw new DomainError('include: expected at least one weight of Conv, Gemm or MatMul, got none');
  return layout.filter((slot) => wanted.has(slot));
}

/** Throws when a parameter of a model is not finite, naming its tensor. @throws {DomainError} */
export function checkParameters(model: Pick<DifferentiableModel, 'layout' | 'getParameters'>): void {
  const w = model.getParameters();
  for (const { name, offset, shape } of model.layout) checkFinite(`weights '${name}'`, w.subarray(offset, offset + sizeOf(shape)));
}

function matches(slot: ParameterSlot, glob: RegExp): boolean {
  return glob.test(slot.name) || (slot.role === 'weight' && (glob.test(slot.node) || glob.test(slot.opType)));
}

function pattern(glob: string): RegExp {
  if (typeof glob !== 'string') throw new DomainError(`glob: expected a string, got ${describe(glob)}`);
  const escaped = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${escaped}$`, 's');
}
