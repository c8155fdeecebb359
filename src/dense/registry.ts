import type { Registry } from '../core/registry.js';
import { DenseModel } from './dense-model.js';

/** The methods of this area. */
export const registry = {
  'dense-model': {
    method: DenseModel,
    summary: 'Dense network with gradients, exact Hessian and Gauss–Newton products on WebAssembly alone',
    test: 'test/dense/dense-model.test.ts',
  },
} satisfies Registry;
