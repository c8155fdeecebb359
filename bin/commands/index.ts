// Every verb. A new one is its file and a line here.
import { bench } from './bench.js';
import { doctor } from './doctor.js';

export const commands = [bench, doctor];
