// How well `bench --compare` tells a slowdown from noise: N trials on 5 cases (default 20). Every run is a process of its own. In each
// trial one case (in turn) is slowed by 10 % on purpose; a second, unslowed run must raise no alarm. Prints one line per trial.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const self = fileURLToPath(import.meta.url);
const [mode, argument] = process.argv.slice(2);

if (mode === 'run') await run(Number(argument));
else trials(Number(mode ?? 20));

async function run(slowed) {
  const { bench, randomF32 } = await import('../build/src/bench/case.js');
  const { runCases } = await import('../build/src/bench/run.js');
  const { dot, nrm2 } = await import('../build/src/kernels/dot.js');
  const { gemm } = await import('../build/src/kernels/gemm.js');
  const { slice } = await import('../build/src/runtime/arena.js');
  const { expInto } = await import('../build/src/kernels/exp.js');
  const vectors = (arena, n) => [arena.put(randomF32(n, 1)), arena.put(randomF32(n, 2))];
  const product = (arena, n) =>
    (
      (x, y) => () =>
        dot(x, y)
    )(...vectors(arena, n));
  const norm = (arena, n) =>
    (
      (x) => () =>
        nrm2(x)
    )(...vectors(arena, n));
  const exponentials = (arena, n) =>
    (
      (x, y) => () =>
        expInto(x, y)
    )(...vectors(arena, n));
  const matrices = (arena, n) => {
    const [a, b] = vectors(arena, 96 * 96);
    const c = arena.zeros('f32', 96 * 96);
    return () => gemm(n, 96, 96, slice(a, 0, n * 96), b, slice(c, 0, n * 96));
  };
  const works = [
    ['dot', 4096, { bytes: ([n]) => 8 * n }, product],
    ['dot-large', 65536, { bytes: ([n]) => 8 * n }, product],
    ['nrm2', 16384, { bytes: ([n]) => 4 * n }, norm],
    ['exp', 8192, { flops: ([n]) => 12 * n }, exponentials],
    ['gemm', 96, { flops: ([n]) => 2 * n ** 3 }, matrices],
  ];
  const found = works.map(([name, n, counts, make], i) => ({
    area: 'trial',
    subject: bench(name, {
      sizes: [[n]],
      ...counts,
      setup: (arena) => {
        const work = make(arena, n);
        if (i !== slowed) return work;
        const more = make(arena, Math.round(n / 10)); // a tenth of the work on top
        return () => (more(), work());
      },
    }),
  }));
  const { cases } = await runCases(found, { builds: ['simd'] });
  process.stdout.write(JSON.stringify(cases));
}

function trials(count) {
  const measure = async (slowed) => JSON.parse(spawnSync(process.execPath, [self, 'run', String(slowed)], { encoding: 'utf8' }).stdout);
  (async () => {
    const { compare } = await import('../build/src/bench/compare.js');
    let foundAll = 0;
    let alarms = 0;
    for (let trial = 0; trial < count; trial++) {
      const slowed = trial % 5;
      const before = await measure(-1);
      const worse = await measure(slowed);
      const same = await measure(-1);
      const hit = compare(before, worse).changes;
      const clean = compare(before, same).changes;
      const found = hit[slowed].verdict === 'slower';
      const alarm = clean.filter(({ verdict }) => verdict !== 'same');
      foundAll += found ? 1 : 0;
      alarms += alarm.length ? 1 : 0;
      const show = (changes) => changes.map((c) => `${(100 * c.change).toFixed(1)}±${(100 * c.error).toFixed(1)}${c.verdict[0]}`).join(' ');
      process.stdout.write(
        `trial ${trial + 1}: slowed case ${slowed} ${found ? 'found' : 'MISSED'} [${show(hit)}] clean [${show(clean)}]\n`,
      );
    }
    process.stdout.write(`found ${foundAll} of ${count}; false alarms in ${alarms} of ${count}\n`);
  })();
}
