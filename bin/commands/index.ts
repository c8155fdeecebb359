// Every verb. A new one is its file and two lines here, one verb a line (so that two branches can add theirs).
import type { CommandModule } from 'yargs';
import type { GlobalArgs } from '../options.js';
import { bench } from './bench.js';
import { curvature } from './curvature.js';
import { demo } from './demo.js';
import { doctor } from './doctor.js';
import { embed } from './embed.js';
import { evaluate } from './evaluate.js';
import { finetune } from './finetune.js';
import { grad } from './grad.js';
import { label } from './label.js';
import { prune } from './prune.js';
import { quantize } from './quantize.js';
import { sort } from './sort.js';
import { transport } from './transport.js';

/** In the order of --help. */
export const commands: readonly CommandModule<GlobalArgs, any>[] = [
  evaluate,
  prune,
  quantize,
  curvature,
  finetune,
  embed,
  grad,
  sort,
  transport,
  label,
  demo,
  // what concerns the package itself comes last
  bench,
  doctor,
];
