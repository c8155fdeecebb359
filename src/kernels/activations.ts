// Activation functions and their derivatives on blocks (assembly/activations.ts).
import { checkLength } from '../core/check.js';
import type { Real } from '../runtime/arena.js';
import { kernels } from '../runtime/instance.js';

/** Kernel codes by name. */
export const activationCodes = { identity: 0, relu: 1, tanh: 2, sigmoid: 3, gelu: 4, 'gelu-tanh': 5 } as const;
export type Activation = keyof typeof activationCodes;

/** a = f(z), d1 = f′(z), d2 = f″(z), element by element; leave an output out to skip it. `a` may be `z`. */
export function activate<B extends Real>(name: Activation, z: B, out: { a?: B; d1?: B; d2?: B }): void {
  for (const [key, block] of Object.entries(out)) if (block) checkLength(key, block, z.length);
  const k = kernels();
  const run = z.type === 'f32' ? k.sactivate : k.dactivate;
  run(activationCodes[name], z.length, z.ptr, out.a?.ptr ?? 0, out.d1?.ptr ?? 0, out.d2?.ptr ?? 0);
}
