import { asRecord } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { networkRows } from '../kernels/sort-network.js';
import { withArena } from '../runtime/instance.js';
import { type Direction, isDescending } from './direction.js';
import { giveBack, type Rows, readSortable, type Shaped, type Sortable } from './rows.js';
import type { SortedOf } from './sort.js';
import { type NetworkName, wiringOf } from './wiring.js';

export interface SortingNetworkOptions {
  /** Number of wires, any n ≥ 1. */
  n: number;
  /** `'odd-even'`: n layers of neighbours; `'bitonic'` (default): about ½ log² n layers. */
  network?: NetworkName;
  direction?: Direction;
}

export interface SortingNetwork {
  readonly n: number;
  readonly network: NetworkName;
  /** Layers of comparators [p, q]: wire p receives the smaller element, q the larger (the reverse when descending). */
  readonly layers: readonly (readonly (readonly [number, number])[])[];
  /** Number of layers. */
  readonly depth: number;
  /** Number of comparators. */
  readonly size: number;
  /** Rows of n elements in order, four f32 rows at a time: for many short rows. The order is that of `sort`. */
  sort<X extends Rows>(x: X): Shaped<X, SortedOf<X>>;
}

/**
 * The wiring of a sorting network as data, and the sort of many short rows by it.
 *
 * @param options `n` wires; `network` 'odd-even' | 'bitonic' ('bitonic'); `direction` ('ascending')
 * @returns `layers` of comparators, `depth`, `size`, and `sort(x)` for rows of n elements
 * @throws {DomainError} when n is not an integer ≥ 1; `sort` throws a {ShapeError} for rows of another length
 * @see Knuth, The Art of Computer Programming 3, §5.3.4; Batcher 1968
 */
export function sortingNetwork(options: SortingNetworkOptions): SortingNetwork {
  const { n, network = 'bitonic', direction = 'ascending' } = asRecord('options', options, '{ n }');
  const descending = isDescending(direction);
  const { pairs, layerEnds } = wiringOf(n, network, descending);
  const layers = layerEnds.map((end, layer) => {
    const start = layer === 0 ? 0 : (layerEnds[layer - 1] as number);
    return Array.from({ length: end - start }, (_, i) => [pairs[2 * (start + i)] as number, pairs[2 * (start + i) + 1] as number] as const);
  });
  return {
    n,
    network,
    layers,
    depth: layers.length,
    size: pairs.length / 2,
    sort: <X extends Rows>(x: X) => {
      const input = readSortable('x', x);
      if (input.n !== n) throw new ShapeError(`x: expected rows of ${n} elements, got ${input.n}`);
      return withArena((arena) => {
        const data = arena.put(input.data as Float32Array);
        const out = arena.alloc(data.type, data.length);
        // Reversed keys under the ascending wiring: NaN stays last.
        networkRows(arena, out, data, arena.put(descending ? reversed(pairs) : pairs), n, descending);
        return giveBack(input, arena.take(out) as Sortable) as Shaped<X, SortedOf<X>>;
      });
    },
  };
}

function reversed(pairs: Int32Array): Int32Array {
  return pairs.map((_, i) => pairs[i ^ 1] as number);
}
