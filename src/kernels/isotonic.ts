// Isotonic regression of falling sequences (assembly/isotonic.ts).
import type { Arena, F64, I32 } from '../runtime/arena.js';
import { kernels } from '../runtime/instance.js';

/** rest = s − v, v the isotonic regression of every row of n; `first` receives the start of each element's pool. */
export function isotonic(arena: Arena, rest: F64, first: I32, s: F64, w: F64, n: number, kl: boolean): void {
  const work = arena.alloc('f64', 3 * n);
  kernels().disotonic(rest.ptr, first.ptr, s.ptr, w.ptr, s.length / n, n, Number(kl), work.ptr);
}

/** out = (∂v/∂s)ᵀ g; with w in place of s it is −(∂v/∂w)ᵀ g. No overlap. */
export function isotonicBack(out: F64, g: F64, first: I32, s: F64, n: number, kl: boolean): void {
  kernels().disotonicBack(out.ptr, g.ptr, first.ptr, s.ptr, s.length / n, n, Number(kl));
}
