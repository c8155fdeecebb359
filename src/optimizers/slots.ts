// Where parameters sit in the flat vector, for penalties that treat every layer by itself.
import { checkInteger, checkNotEmpty } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { ParameterSlot } from '../core/model-types.js';
import { describe } from '../core/tensor.js';

/** The number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** The length of the parameter vector that a layout covers. @throws {DomainError} when it is no list of slots, or slots overlap or have no place or extent; {ShapeError} when it is empty */
export function checkSlots(layout: readonly ParameterSlot[]): number {
  if (!Array.isArray(layout)) throw new DomainError(`layout: expected an array of slots, got ${describe(layout)}`);
  checkNotEmpty('layout', layout);
  for (const [i, slot] of layout.entries()) {
    if (typeof slot !== 'object' || slot === null || !Array.isArray(slot.shape))
      throw new DomainError(`layout[${i}]: expected a slot with a shape and an offset, got ${describe(slot)}`);
  }
  let end = 0;
  for (const { name, offset, shape } of [...layout].sort((p, q) => p.offset - q.offset)) {
    checkInteger(`layout.${name}.offset`, offset, 0);
    for (const extent of shape) checkInteger(`layout.${name}.shape`, extent, 1);
    if (offset < end) throw new DomainError(`layout.${name}.offset: expected at least ${end}, after the slot before it, got ${offset}`);
    end = offset + sizeOf(shape);
  }
  return end;
}
