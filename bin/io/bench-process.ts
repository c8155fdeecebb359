// A measuring process: gets its order from bench-processes.ts, answers with the passes and ends.
import { timePass } from '../../src/bench/pass.js';
import { loadTiers } from '../../src/bench/tiers.js';
import { casesIn } from './bench-cases.js';
import type { Answer, Order } from './bench-processes.js';

process.once('message', (order: Order) => {
  perform(order)
    .catch((error: unknown): Answer => ({ failure: error instanceof Error ? error.message : String(error) }))
    .then((answer) => {
      process.send?.(answer, () => process.exit());
    });
});

async function perform({ folder, tasks }: Order): Promise<Answer> {
  const tiers = loadTiers();
  const passes = [];
  for (const { file, name, size, settings } of tasks) {
    const subject = (await casesIn(folder, file)).find((one) => one.name === name);
    if (!subject) throw new Error(`${name}: not found in ${file} any more`);
    passes.push((await timePass(tiers, subject, size, settings)) ?? null);
  }
  return { passes };
}
