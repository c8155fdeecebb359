// Which of the machine's limits binds a case, and what its work is in units of the loop at that limit.
import type { BenchCase, Size } from './case.js';
import { bandwidth, type Limits } from './limits.js';

/** The working set of one call in bytes: as declared, else what it reads, else something that fits L1. */
export const footprintOf = (subject: BenchCase, size: Size): number => subject.footprint?.(size) ?? subject.bytes?.(size) ?? 2 ** 15;

/** The limit that binds, from the declared work and the limits measured at the start. */
export function boundOf(subject: BenchCase, size: Size, limits: Limits): 'compute' | 'memory' | null {
  const { flops, bytes, precision = 'float32' } = subject;
  if (!flops && !bytes) return null;
  const compute = (flops?.(size) ?? 0) / limits[precision];
  const memory = (bytes?.(size) ?? 0) / bandwidth(limits, footprintOf(subject, size));
  return compute >= memory ? 'compute' : 'memory';
}

/**
 * Whether plain reading is the loop timed beside the case. Clock speed is all that varies while data stay in the core's own caches: there
 * the tile loop is the steadier pace, and the reading limit is that of the start; beyond them other cores share the memory, and reading is.
 */
export function readsBeside(subject: BenchCase, size: Size, limits: Limits): boolean {
  return boundOf(subject, size, limits) === 'memory' && bandwidth(limits, footprintOf(subject, size)) < 0.7 * bandwidth(limits, 2 ** 17);
}

/** The work of a case in units of what its limit loop does per call, `amount`. */
export function limitUnits(subject: BenchCase, size: Size, limits: Limits, amount: number): number | null {
  const { flops, bytes, precision = 'float32' } = subject;
  const bound = boundOf(subject, size, limits);
  if (bound === null) return null;
  if (bound === 'compute') return (flops as (size: Size) => number)(size) / amount;
  const needed = (bytes as (size: Size) => number)(size);
  if (readsBeside(subject, size, limits)) return needed / amount;
  return (needed / bandwidth(limits, footprintOf(subject, size))) * (limits[precision] / amount);
}
