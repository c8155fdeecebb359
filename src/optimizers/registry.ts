import type { Registry } from '../core/registry.js';
import { adam } from './adam.js';
import { gradNormSmoothNewton } from './grad-norm-smooth-newton.js';
import { sam } from './sam.js';
import { sgd } from './sgd.js';
import { spectralRegularizer } from './spectral-regularizer.js';
import { LogitMemory, trajectoryLoss } from './trajectory-loss.js';
import { wassersteinInitRegularizer } from './wasserstein-init-regularizer.js';

/** Every optimizer by the kebab-case of its export. */
export const registry = {
  adam: { method: adam, summary: 'Adam; AdamW with weightDecay', test: 'test/optimizers/adam.test.ts', settings: ['weightDecay'] },
  sgd: {
    method: sgd,
    summary: 'gradient descent with momentum, Nesterov, weight decay',
    test: 'test/optimizers/sgd.test.ts',
    settings: ['momentum', 'weightDecay'],
  },
  'grad-norm-smooth-newton': {
    method: gradNormSmoothNewton,
    summary: 'Newton with any approximate Hessian, damped by the gradient norm',
    papers: [173],
    test: 'test/optimizers/grad-norm-smooth-newton.test.ts',
    settings: [],
  },
  'logit-memory': {
    method: LogitMemory,
    summary: 'logits of every sample from some epochs ago',
    papers: [171],
    test: 'test/optimizers/trajectory-loss.test.ts',
  },
  sam: {
    method: sam,
    summary: 'sharpness-aware minimisation around any optimizer',
    papers: [264],
    test: 'test/optimizers/sam.test.ts',
    settings: ['rho', 'momentum', 'weightDecay'],
  },
  'spectral-regularizer': {
    method: spectralRegularizer,
    summary: 'largest singular values near one, for learning task after task',
    papers: [247],
    test: 'test/optimizers/continual-regularizers.test.ts',
  },
  'wasserstein-init-regularizer': {
    method: wassersteinInitRegularizer,
    summary: 'weights distributed as at the start',
    papers: [247],
    test: 'test/optimizers/continual-regularizers.test.ts',
  },
  'trajectory-loss': {
    method: trajectoryLoss,
    summary: 'sharpness-aware training without a second gradient',
    papers: [171],
    test: 'test/optimizers/trajectory-loss.test.ts',
  },
} satisfies Registry;
