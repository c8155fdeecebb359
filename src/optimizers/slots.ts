// Where parameters sit in the flat vector, for penalties that treat every layer by itself.
import { checkInteger } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { ParameterSlot } from '../core/model-types.js';

/** The number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** The length of the parameter vector that a layout covers. @throws {DomainError} when slots overlap or have no place or extent */
export function checkSlots(layout: readonly ParameterSlot[]): number {
  let end = 0;
  for (const { name, offset, shape } of [...layout].sort((p, q) => p.offset - q.offset)) {
    checkInteger(`layout.${name}.offset`, offset, 0);
    for (const extent of shape) checkInteger(`layout.${name}.shape`, extent, 1);
    if (offset < end) throw new DomainError(`layout.${name}.offset: expected at least ${end}, after the slot before it, got ${offset}`);
    end = offset + sizeOf(shape);
  }
  return end;
}
