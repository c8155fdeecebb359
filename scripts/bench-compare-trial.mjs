// How far `bench` can be trusted, by trial.
//   node scripts/bench-compare-trial.mjs compare [--trials 20] [--seed 1] [--seconds 0.5] [--limit 80] [--resume]
//   node scripts/bench-compare-trial.mjs agree [pattern] [--seconds 0.4]
// compare: does --compare tell a slowdown from noise? In each trial a baseline is saved, then measured again with one of five cases (in
// turn) slowed by 10 % on purpose, then once more without: no row may be called changed there. Sizes and data come from the seed. It ends
// after `limit` seconds; what is done is in .cache/compare-trial.json, and --resume goes on from there, a measurement (some seconds) at a time.
// agree: do two runs agree within the spread they state?
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findCases } from '../build/bin/io/bench-cases.js';
import { processSampler } from '../build/bin/io/bench-processes.js';
import { compare, keyOf, undecidedAgainst } from '../build/src/bench/compare.js';
import { passesFor, runCases } from '../build/src/bench/run.js';

const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    trials: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string' },
    limit: { type: 'string', default: '1e9' },
    resume: { type: 'boolean', default: false },
  },
});
const [mode = 'compare', pattern = 'kernels/'] = positionals;
const state = '.cache/compare-trial.json';
if (mode === 'agree') agree(pattern, given.seconds ?? '0.4');
else await trials(Number(given.trials), Number(given.seed), Number(given.seconds ?? 0.5), Number(given.limit));

/** The rows of one measurement; `slowed` names the case that does more, `before` the rows it will be held against. */
async function measure(seed, seconds, slowed, before) {
  Object.assign(process.env, { TRIAL_SEED: String(seed), TRIAL_SLOWED: slowed ?? '' });
  const folder = fileURLToPath(new URL('./bench-trial', import.meta.url));
  const undecided = before && { undecided: undecidedAgainst(before, passesFor(seconds)), most: 4 };
  const found = await findCases('', folder);
  return (await runCases(found, { builds: ['simd'], seconds, sampler: processSampler(folder), ...undecided })).cases;
}

async function trials(count, seed, seconds, limit) {
  const end = performance.now() + 1000 * limit;
  mkdirSync('.cache', { recursive: true });
  const resumed = given.resume && existsSync(state) ? JSON.parse(readFileSync(state, 'utf8')) : undefined;
  const { done, pending } = resumed ?? { done: [], pending: {} };
  const save = () => writeFileSync(state, JSON.stringify({ done, pending }));
  const names = ['gemv', 'softmax', 'syrk', 'trsm', 'axpy'];
  let longest = 0;
  while (done.length < count) {
    const start = performance.now();
    if (start + 1.2 * longest > end) break;
    const trial = done.length;
    const slowed = names[trial % names.length];
    if (!pending.before) pending.before = await measure(seed, seconds);
    else if (!pending.worse) pending.worse = await measure(seed, seconds, slowed, pending.before);
    else {
      const same = await measure(seed, seconds, undefined, pending.before);
      done.push(judge(slowed, pending, same));
      process.stdout.write(`trial ${done.length}: ${done.at(-1).text}\n`);
      delete pending.before;
      delete pending.worse;
    }
    save();
    longest = Math.max(longest, performance.now() - start);
  }
  const found = done.filter((t) => t.found).length;
  const alarms = done.filter((t) => t.alarm).length;
  process.stdout.write(`${done.length} of ${count} trials: slowdown found in ${found}, false alarms in ${alarms}\n`);
  if (done.length === count) process.exitCode = found >= 0.9 * count && alarms <= 0.05 * count ? 0 : 1;
}

function judge(slowed, { before, worse }, same) {
  const [hit, clean] = [compare(before, worse).changes, compare(before, same).changes];
  const found = hit.find(({ name }) => name === slowed).verdict === 'slower';
  const alarm = clean.some(({ verdict }) => verdict !== 'same');
  const show = (changes) =>
    changes
      .map(
        (c) =>
          `${(100 * c.change).toFixed(1)}±${(100 * c.error).toFixed(1)}(${c.processes.join(',')};${(100 * c.detectable).toFixed(0)})${c.verdict[0]}`,
      )
      .join(' ');
  const text = `${slowed} slowed ${found ? 'found' : 'MISSED'} [${show(hit)}] ${alarm ? 'ALARM' : 'clean'} [${show(clean)}]`;
  const centres = [before, worse, same].map((rows) => Object.fromEntries(rows.map((row) => [row.name, row.relative.centres])));
  return { slowed, found, alarm, load: loadavg()[0], text, centres };
}

/** Two runs of the cases: medians no further apart than the half spreads both state, and no significant change. */
function agree(what, seconds) {
  const cli = fileURLToPath(new URL('../build/bin/cli.js', import.meta.url));
  const args = [cli, 'bench', what, '--json', '--quiet', '--builds', 'simd', '--baselines', 'no', '--seconds', seconds];
  const [one, two] = [1, 2].map(() => JSON.parse(spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 2 ** 28 }).stdout).cases);
  let within = 0;
  for (const [i, row] of one.entries()) {
    const other = two[i];
    const gap = Math.abs(row.median - other.median);
    const stated = (row.spread + other.spread) / 2;
    if (gap <= stated) within++;
    else
      process.stdout.write(
        `${keyOf(row)}: ${(100 * (other.median / row.median - 1)).toFixed(1)} % apart, stated ± ${((100 * stated) / row.median).toFixed(1)} %\n`,
      );
  }
  const changed = compare(one, two).changes.filter(({ verdict }) => verdict !== 'same');
  for (const c of changed)
    process.stdout.write(`--compare calls ${keyOf(c)} ${c.verdict}: ${(100 * c.change).toFixed(1)} ± ${(100 * c.error).toFixed(1)} %\n`);
  process.stdout.write(`${within} of ${one.length} rows agree within the spread they state; --compare finds ${changed.length} changes\n`);
}
