// Every verb. A new one is its file and a line here.
import { doctor } from './doctor.js';

export const commands = [doctor];
