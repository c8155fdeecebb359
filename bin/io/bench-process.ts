// A measuring process: gets its order from bench-processes.ts, answers with one pass after the other and ends.
import { timePass } from '../../src/bench/pass.js';
import { loadTiers } from '../../src/bench/tiers.js';
import { casesIn } from './bench-cases.js';
import type { Answer, Order } from './bench-processes.js';

process.once('message', (order: Order) => {
  perform(order)
    .catch((error: unknown) => tell({ failure: error instanceof Error ? error.message : String(error) }))
    .finally(() => process.exit());
});
process.on('SIGINT', () => {}); // the command decides when to stop
process.on('disconnect', () => process.exit()); // it is gone

const tell = (answer: Answer): Promise<void> => new Promise((resolve) => process.send?.(answer, () => resolve()));

async function perform({ folder, tasks }: Order): Promise<void> {
  const tiers = loadTiers();
  for (const { file, name, size, settings } of tasks) {
    const subject = (await casesIn(folder, file)).find((one) => one.name === name);
    if (!subject) throw new Error(`${name}: not found in ${file} any more`);
    await tell({ pass: (await timePass(tiers, subject, size, settings)) ?? null });
  }
}
