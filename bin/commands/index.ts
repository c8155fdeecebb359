// Every verb. A new one is its file and a line here.
import type { CommandModule } from 'yargs';
import type { GlobalArgs } from '../options.js';
import { doctor } from './doctor.js';
import { embed } from './embed.js';
import { evaluate } from './evaluate.js';
import { finetune } from './finetune.js';
import { grad } from './grad.js';

export const commands: readonly CommandModule<GlobalArgs, any>[] = [evaluate, finetune, embed, grad, doctor];
