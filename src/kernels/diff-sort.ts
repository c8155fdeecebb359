// Differentiable sorting networks on blocks (assembly/diff-sort.ts).
import type { Arena, I32, Real } from '../runtime/arena.js';
import { kernels } from '../runtime/instance.js';

/** Relaxations in the order of assembly/lib/relax.ts. */
export const distributions = ['logistic', 'logistic-phi', 'gaussian', 'reciprocal', 'cauchy', 'optimal'] as const;
export type Distribution = (typeof distributions)[number];

/** A network in the arena and how its comparators are relaxed. */
export interface RelaxedNetwork {
  readonly n: number;
  readonly pairs: I32;
  readonly spans: I32;
  readonly distribution: Distribution;
  readonly steepness: number;
  readonly artLambda: number;
}

function tail(arena: Arena, { n, pairs, distribution, steepness, artLambda }: RelaxedNetwork, batch: number, m: number): number[] {
  const count = pairs.length / 2;
  const columns = Math.min(16, Math.max(1, m));
  const vectors = 2 * n + 4 * count + 2 * n * 16 + count * columns;
  const work = arena.alloc('u8', 16 * Math.max(vectors, n + n * n + 1)); // the second bound is the twins'
  return [batch, n, m, count, distributions.indexOf(distribution), steepness, artLambda, work.ptr];
}

/** y [batch, n] = values, z = P [batch, n, n], or U P [batch, m, n] with `places` U [m, n]; y or z may be left out. */
export function diffsort(
  arena: Arena,
  out: { y?: Real | undefined; z?: Real | undefined },
  x: Real,
  net: RelaxedNetwork,
  places?: Real,
): void {
  const m = places ? places.length / net.n : net.n;
  const run = kernels()[x.type === 'f32' ? 'sdiffsort' : 'ddiffsort'];
  run(out.y?.ptr ?? 0, out.z?.ptr ?? 0, x.ptr, places?.ptr ?? 0, net.pairs.ptr, net.spans.ptr, ...tail(arena, net, x.length / net.n, m));
}

/** gx [batch, n] = gradient of ⟨gy, y⟩ + ⟨gz, z⟩. */
export function diffsortBack(
  arena: Arena,
  gx: Real,
  grads: { gy?: Real | undefined; gz?: Real | undefined },
  x: Real,
  net: RelaxedNetwork,
  places?: Real,
): void {
  const m = places ? places.length / net.n : net.n;
  const run = kernels()[x.type === 'f32' ? 'sdiffsortBack' : 'ddiffsortBack'];
  const { gy, gz } = grads;
  run(
    gx.ptr,
    gy?.ptr ?? 0,
    gz?.ptr ?? 0,
    x.ptr,
    places?.ptr ?? 0,
    net.pairs.ptr,
    net.spans.ptr,
    ...tail(arena, net, x.length / net.n, gz ? m : 0),
  );
}
