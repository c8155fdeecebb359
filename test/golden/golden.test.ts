// Every golden case of the folder meets the adapter that serves its kind (adapters/*.ts, found by themselves).
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type GoldenAdapter, otSortCases, secondOrderCases } from './discover.js';

const adapters: GoldenAdapter[] = [];
for (const file of readdirSync(join('test', 'golden', 'adapters')).sort()) {
  if (file.endsWith('.ts'))
    adapters.push(((await import(`./adapters/${file.replace(/\.ts$/, '.js')}`)) as { default: GoldenAdapter }).default);
}

const kinds = otSortCases();
if (kinds.size === 0) test.todo('golden ot-sort (absent)');
for (const [kind, cases] of kinds) {
  const serving = adapters.filter((adapter) => adapter.otSort?.[kind]);
  for (const c of cases) {
    if (!serving.length) test.todo(`golden ot-sort ${kind}/${c.id} (not implemented)`);
    for (const { pillar, otSort } of serving) {
      test(`golden ${pillar} ${kind}/${c.id}`, async () => {
        await otSort?.[kind]?.(c);
      });
    }
  }
}

const named = secondOrderCases();
if (named.length === 0) test.todo('golden second-order (absent)');
for (const c of named) {
  let served = false;
  for (const { pillar, secondOrder = [] } of adapters) {
    for (const { what, run } of secondOrder.filter((s) => s.cases.test(c.name))) {
      served = true;
      test(`golden ${pillar} ${c.name}: ${what}`, async () => {
        await run(c);
      });
    }
  }
  if (!served) test.todo(`golden second-order ${c.name} (not implemented)`);
}
