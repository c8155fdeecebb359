// How far `bench` can be trusted, by trial.
//   node scripts/bench-compare-trial.mjs compare [trials] [seconds]   does --compare tell a slowdown from noise?
//   node scripts/bench-compare-trial.mjs agree [pattern]              do two runs agree within the spread they state?
// compare: in each trial one of five cases (in turn) is slowed by 10 % on purpose; a second, unslowed run must raise no alarm. Every run is
// a process of its own, on data of its own. Trials are kept in .cache/compare-trial.json: a run of `seconds` ends early and the next goes on.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';

const self = fileURLToPath(import.meta.url);
const [mode = 'compare', ...rest] = process.argv.slice(2);
const state = '.cache/compare-trial.json';

if (mode === 'run') await run(Number(rest[0]), Number(rest[1]));
else if (mode === 'agree') await agree(rest[0] ?? 'kernels/');
else await trials(Number(rest[0] ?? 20), Number(rest[1] ?? Infinity));

/** One run of the five cases; case number `slowed` does a tenth more work. */
async function run(slowed, seed) {
  const { bench, randomF32 } = await import('../build/src/bench/case.js');
  const { runCases } = await import('../build/src/bench/run.js');
  const { gemv } = await import('../build/src/kernels/gemv.js');
  const { softmaxRows } = await import('../build/src/kernels/softmax-rows.js');
  const { syrk } = await import('../build/src/kernels/syrk.js');
  const { trsm } = await import('../build/src/kernels/triangular.js');
  const { axpy } = await import('../build/src/kernels/dot.js');
  const { slice } = await import('../build/src/runtime/arena.js');
  const cases = {
    gemv: [
      200,
      { bytes: ([n]) => 4 * n * 700 },
      (arena, n, part) => {
        const [a, x, y] = [arena.put(randomF32(n * 700, seed)), arena.put(randomF32(700, seed + 1)), arena.zeros('f32', n)];
        return () => gemv(part, 700, slice(a, 0, part * 700), x, slice(y, 0, part));
      },
    ],
    softmax: [
      150,
      { flops: ([n]) => 14 * n * 300 },
      (arena, n, part) => {
        const [x, y] = [arena.put(randomF32(n * 300, seed + 2)), arena.zeros('f32', n * 300)];
        return () => softmaxRows(slice(y, 0, part * 300), slice(x, 0, part * 300), part, 300);
      },
    ],
    syrk: [
      700,
      { flops: ([n]) => n * 64 * 64 },
      (arena, n, part) => {
        const [a, c] = [arena.put(randomF32(64 * n, seed + 3)), arena.zeros('f64', 64 * 64)];
        return () => syrk(64, part, a, c, { lda: n });
      },
    ],
    trsm: [
      500,
      { flops: ([n]) => 60 * 60 * n },
      (arena, n, part) => {
        // Solving again and again in place must not change the numbers: they would reach zero or infinity.
        const t = arena.put(Float32Array.from({ length: 3600 }, (_, k) => (k % 61 === 0 ? 1 : 0)));
        const x = arena.put(randomF32(60 * n, seed + 5));
        return () => trsm(60, part, t, x, { ldx: n });
      },
    ],
    axpy: [
      30000,
      { bytes: ([n]) => 8 * n },
      (arena, n, part) => {
        const [x, y] = [arena.put(randomF32(n, seed + 6)), arena.put(randomF32(n, seed + 7))];
        return () => axpy(1e-3, slice(x, 0, part), slice(y, 0, part));
      },
    ],
  };
  const found = Object.entries(cases).map(([name, [n, counts, make]], i) => ({
    area: 'trial',
    subject: bench(name, {
      sizes: [[n]],
      ...counts,
      setup: (arena) => {
        const work = make(arena, n, n);
        if (i !== slowed) return work;
        const more = make(arena, n, Math.round(n / 10)); // a tenth of the work on top
        return () => {
          more();
          return work();
        };
      },
    }),
  }));
  const { cases: rows } = await runCases(found, { builds: ['simd'] });
  process.stdout.write(JSON.stringify(rows));
}

async function trials(count, seconds) {
  const { compare } = await import('../build/src/bench/compare.js');
  const end = performance.now() + 1000 * seconds;
  mkdirSync('.cache', { recursive: true });
  const done = existsSync(state) ? JSON.parse(readFileSync(state, 'utf8')) : [];
  let longest = 0;
  while (done.length < count && performance.now() + longest < end) {
    const start = performance.now();
    const trial = done.length;
    const slowed = trial % 5;
    const measure = (which, round) =>
      JSON.parse(spawnSync(process.execPath, [self, 'run', which, 1000 * trial + 100 * round], { encoding: 'utf8' }).stdout);
    const [before, worse, same] = [measure(-1, 1), measure(slowed, 2), measure(-1, 3)];
    const [hit, clean] = [compare(before, worse).changes, compare(before, same).changes];
    const found = hit[slowed].verdict === 'slower';
    const alarm = clean.some(({ verdict }) => verdict !== 'same');
    const show = (changes) => changes.map((c) => `${(100 * c.change).toFixed(1)}±${(100 * c.error).toFixed(1)}${c.verdict[0]}`).join(' ');
    done.push({ slowed: hit[slowed].name, found, alarm, load: loadavg()[0] });
    writeFileSync(state, JSON.stringify(done));
    process.stdout.write(
      `trial ${trial + 1}: ${hit[slowed].name} slowed ${found ? 'found' : 'MISSED'} [${show(hit)}] ${alarm ? 'ALARM' : 'clean'} [${show(clean)}]\n`,
    );
    longest = Math.max(longest, performance.now() - start);
  }
  const found = done.filter((t) => t.found).length;
  const alarms = done.filter((t) => t.alarm).length;
  process.stdout.write(`${done.length} of ${count} trials: slowdown found in ${found}, false alarms in ${alarms}\n`);
  if (done.length < count) return;
  rmSync(state);
  process.exitCode = found >= 0.9 * count && alarms <= 0.05 * count ? 0 : 1;
}

/** Two runs of the cases: medians no further apart than the half spreads both state, and no significant change. */
async function agree(pattern) {
  const { compare, keyOf } = await import('../build/src/bench/compare.js');
  const cli = fileURLToPath(new URL('../build/bin/cli.js', import.meta.url));
  const args = [cli, 'bench', pattern, '--json', '--quiet', '--builds', 'simd', '--baselines', 'no', '--seconds', '0.4'];
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
