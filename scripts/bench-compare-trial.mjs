// How far `bench` can be trusted, by trial.
//   node scripts/bench-compare-trial.mjs compare [--trials 20] [--seed 1] [--seconds 0.5] [--limit 80] [--resume]
//   node scripts/bench-compare-trial.mjs agree [pattern] [--runs 2] [--first] [--seconds 0.4] [--limit 80] [--resume]
// compare: does --compare tell a slowdown from noise? In each trial a baseline is saved, then measured again with one of five cases (in
// turn) slowed by 10 % on purpose, then once more without: no row may be called changed there. Sizes and data come from the seed. It ends
// after `limit` seconds; what is done is in .cache/compare-trial.json, and --resume goes on from there, a measurement (some seconds) at a time.
// agree: do runs agree within the spread they state? Every pair of runs of every row is held against both statements: does the other median
// lie within one's own ± (19 times of 20 by its definition), and do the two intervals meet? --first takes the smallest size of each case.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { caseFolder, findCases } from '../build/bin/io/bench-cases.js';
import { processSampler } from '../build/bin/io/bench-processes.js';
import { compare, keyOf, undecidedAgainst } from '../build/src/bench/compare.js';
import { passesFor, runCases } from '../build/src/bench/run.js';

const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    trials: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string' },
    runs: { type: 'string', default: '2' },
    first: { type: 'boolean', default: false },
    limit: { type: 'string', default: '1e9' },
    resume: { type: 'boolean', default: false },
  },
});
const [mode = 'compare', pattern = 'kernels/'] = positionals;
const state = `.cache/${mode}-trial.json`;
if (mode === 'agree') await agree(pattern, Number(given.runs), Number(given.seconds ?? 0.4), Number(given.limit));
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

/** Runs of the cases, and how often a pair of them agrees. */
async function agree(what, count, seconds, limit) {
  const end = performance.now() + 1000 * limit;
  mkdirSync('.cache', { recursive: true });
  const runs = given.resume && existsSync(state) ? JSON.parse(readFileSync(state, 'utf8')) : [];
  const found = (await findCases(what)).map((one) =>
    given.first ? { ...one, subject: { ...one.subject, sizes: one.subject.sizes.slice(0, 1) } } : one,
  );
  let longest = 0;
  while (runs.length < count) {
    const start = performance.now();
    if (start + 1.2 * longest > end) break;
    const { cases } = await runCases(found, { builds: ['simd'], baselines: false, seconds, sampler: processSampler(caseFolder) });
    runs.push(
      cases.map(({ area, name, size, build, median, interval, relative }) => ({ area, name, size, build, median, interval, relative })),
    );
    writeFileSync(state, JSON.stringify(runs));
    longest = Math.max(longest, performance.now() - start);
  }
  const tally = {};
  const apart = {};
  const pairs = runs.flatMap((one, i) => runs.slice(i + 1).map((two) => [one, two]));
  for (const [one, two] of pairs) {
    for (const [i, a] of one.entries()) {
      const b = two[i];
      const area = (tally[a.area] ??= { rows: one.filter((r) => r.area === a.area).length, pairs: 0, meet: 0, inside: 0, changes: 0 });
      area.pairs++;
      if (a.interval[0] <= b.interval[1] && b.interval[0] <= a.interval[1]) area.meet++;
      else (apart[keyOf(a)] ??= []).push(`${(100 * (b.median / a.median - 1)).toFixed(1)} %`);
      const within = (x, y) => (x.median >= y.interval[0] && x.median <= y.interval[1] ? 0.5 : 0);
      area.inside += within(a, b) + within(b, a);
    }
    for (const { verdict, name, size } of compare(one, two).changes)
      if (verdict === 'slower' || verdict === 'faster') tally[one.find((r) => r.name === name && `${r.size}` === `${size}`).area].changes++;
  }
  const all = Object.values(tally).reduce((sum, one) => Object.fromEntries(Object.keys(one).map((k) => [k, (sum[k] ?? 0) + one[k]])), {});
  for (const [area, t] of [...Object.entries(tally), ['all', all]]) {
    const share = (n) => `${((100 * n) / t.pairs).toFixed(1)} %`;
    process.stdout.write(`${area}: ${t.rows} rows, ${t.pairs} pairs of runs: intervals meet ${share(t.meet)}, `);
    process.stdout.write(`the other median inside ${share(t.inside)}, called changed ${t.changes}\n`);
  }
  for (const [key, gaps] of Object.entries(apart)) process.stdout.write(`apart: ${key}: ${gaps.join(', ')}\n`);
  process.stdout.write(`${runs.length} of ${count} runs, ${(longest / 1000).toFixed(0)} s each\n`);
}
