// Wiring of sorting networks as data: comparators (p, q) in order, p receiving the smaller of two wires, q the larger.
import { checkInteger, checkOneOf } from '../core/check.js';

export type NetworkName = 'odd-even' | 'bitonic';
const names = ['odd-even', 'bitonic'] as const;

export interface Wiring {
  readonly n: number;
  /** (p, q) of every comparator, layer after layer: [2·comparators]. */
  readonly pairs: Int32Array;
  /** Comparators up to the end of each layer. */
  readonly layerEnds: readonly number[];
  /** Inputs [start, end) that can reach either wire of each comparator before it: [2·comparators]. */
  readonly spans: Int32Array;
}

/**
 * The comparators of a network over n wires.
 * @throws {DomainError} when n is not a positive integer or the network is unknown
 */
export function wiringOf(n: number, network: NetworkName, descending: boolean): Wiring {
  checkInteger('n', n, 1);
  checkOneOf('network', network, names);
  const layers = network === 'odd-even' ? oddEven(n) : bitonic(n);
  const flat: number[] = [];
  const layerEnds: number[] = [];
  for (const layer of layers) {
    for (const [p, q] of layer) descending ? flat.push(q, p) : flat.push(p, q);
    layerEnds.push(flat.length / 2);
  }
  const pairs = Int32Array.from(flat);
  return { n, pairs, layerEnds, spans: spansOf(n, pairs) };
}

type Layer = [number, number][];

/** Transposition sort: n layers of neighbours, alternately from wire 0 and from wire 1. */
function oddEven(n: number): Layer[] {
  return Array.from({ length: n }, (_, layer) => {
    const pairs: Layer = [];
    for (let i = layer % 2; i + 1 < n; i += 2) pairs.push([i, i + 1]);
    return pairs;
  });
}

/**
 * Bitonic sort for any n: the network of the next power of two without its first wires. The dropped wires must be able to stay
 * in front: in a piece that falls, and that has lost less than half, the first half falls and the second rises. (With rising and
 * falling halves everywhere, as published, the network stops sorting at n = 22. Up to 16 wires the published wiring sorts by the
 * 0-1 principle, and is kept.)
 */
function bitonic(n: number): Layer[] {
  let depth = 0;
  while (2 ** depth < n) depth++;
  const dropped = 2 ** depth - n;
  const falls = new Map<string, boolean>();
  const decide = (start: number, size: number, falling: boolean): void => {
    falls.set(`${start}/${size}`, falling);
    const half = size / 2;
    const lost = Math.max(0, dropped - start);
    const cut = n > 16 && lost > 0 && lost < half;
    if (half < 2) return;
    if (start + half > dropped) decide(start, half, cut ? falling : false);
    decide(start + half, half, cut ? !falling : true);
  };
  if (depth) decide(0, 2 ** depth, false);
  const layers: Layer[] = [];
  for (let block = 0; block < depth; block++) {
    const size = 2 ** (block + 1);
    for (let distance = size / 2; distance >= 1; distance /= 2) {
      const pairs: Layer = [];
      for (let start = 0; start < 2 ** depth; start += 2 * distance) {
        for (let a = Math.max(start, dropped); a < start + distance; a++) {
          const falling = falls.get(`${Math.floor(a / size) * size}/${size}`);
          const b = a + distance;
          pairs.push(falling ? [b - dropped, a - dropped] : [a - dropped, b - dropped]);
        }
      }
      layers.push(pairs);
    }
  }
  return layers;
}

function spansOf(n: number, pairs: Int32Array): Int32Array {
  const starts = Int32Array.from({ length: n }, (_, wire) => wire);
  const ends = starts.map((wire) => wire + 1);
  const spans = new Int32Array(pairs.length);
  for (let c = 0; c < pairs.length; c += 2) {
    const p = pairs[c] as number;
    const q = pairs[c + 1] as number;
    spans[c] = starts[p] = starts[q] = Math.min(starts[p] as number, starts[q] as number);
    spans[c + 1] = ends[p] = ends[q] = Math.max(ends[p] as number, ends[q] as number);
  }
  return spans;
}
