// docs/performance.md from the rows of both builds and, at its end, the notes that people wrote (docs/performance-notes.md).
import { existsSync, readFileSync } from 'node:fs';

const digits = (value) => (value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3))));
const time = (ms) => (ms >= 1 ? `${digits(ms)} ms` : ms >= 1e-3 ? `${digits(ms * 1e3)} µs` : `${digits(ms * 1e6)} ns`);
const table = (lines) => lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');

function rate({ flops, bytes, median }) {
  if (flops) return `${digits(flops / median / 1e6)} GFLOP/s`;
  return bytes ? `${digits(bytes / median / 1e6)} GB/s` : '';
}

function limitOf({ reading, tile }) {
  if (tile) return `the tile beside it (${digits(tile)} GFLOP/s)`;
  return reading ? `plain reading beside it (${digits(reading)} GB/s)` : 'the limit';
}

function rivals(row) {
  return Object.entries(row.rivals)
    .map(([name, { absent, median, ratio, disagrees, difference }]) => {
      if (absent) return `${name}: absent (${absent})`;
      const warn = disagrees ? ` **results differ by ${difference.toPrecision(2)}**` : '';
      return `${name} ${time(median / (row.per ?? 1))} = ${digits(ratio)}x${warn}`;
    })
    .join('; ');
}

function verdict(row) {
  if (row.met === undefined) return '–';
  return row.met ? 'met' : '**missed**';
}

/** How busy the machine was while the rows were taken: the run itself is one process of load. */
function loadSentence(runs) {
  const loads = runs.flatMap(({ rows }) => rows.map(({ load }) => load).filter((load) => load !== undefined));
  if (!loads.length) return '';
  const [least, highest] = [Math.min(...loads), Math.max(...loads)].map((load) => load.toFixed(1));
  const busy =
    highest > 2.5 ? ': other work ran meanwhile, and shares of the tile and of caches read low' : ', of which the run itself is about 1';
  return `The load was ${least} to ${highest}${busy}.`;
}

/** The page. `runs`: `{ build, node, machine, limits, versions, rows }` each. */
export function performancePage(runs) {
  const [first] = runs;
  const sections = runs.map(({ build, node, limits, rows }) => {
    const lines = rows.map((row) =>
      row.absent
        ? [row.name, row.size.join('×'), `absent: ${row.absent}`, '', '', '', row.aim ?? '', '–']
        : [
            row.name,
            row.size.join('×'),
            `${time(row.median / (row.per ?? 1))}${row.per ? ' per iteration' : ''}`,
            `± ${digits((50 * row.spread) / row.median)} %`,
            [rate(row), row.share === undefined ? '' : `${Math.round(100 * row.share)} % of ${limitOf(row)}`].filter(Boolean).join(', '),
            rivals(row),
            row.aim ?? '',
            verdict(row),
          ],
    );
    return `## ${build === 'relaxed' ? 'Relaxed' : 'Plain'} SIMD build, Node ${node}

Limits of this machine, measured in the same run, one core: tile ${digits(limits.float32)} GFLOP/s f32, ${digits(limits.float64)} f64; reading ${limits.read
      .filter(({ bytes }) => [2 ** 14, 2 ** 18, 2 ** 23, 2 ** 26].includes(bytes))
      .map(({ bytes, rate: speed }) => `${bytes >= 2 ** 20 ? `${bytes / 2 ** 20} MB` : `${bytes / 1024} kB`} ${digits(speed)}`)
      .join(', ')} GB/s.

${table([['work', 'size', 'afterpass', 'spread', 'rate', 'rivals (time = their time over ours)', 'aim', ''], Array(8).fill('---'), ...lines])}`;
  });
  const notes = existsSync('docs/performance-notes.md') ? `\n${readFileSync('docs/performance-notes.md', 'utf8')}` : '';
  return `# Performance

Written by \`npm run bench:rivals\` on ${new Date().toISOString().slice(0, 10)}; ${first.machine.cpu}, ${first.machine.cores} cores, ${first.machine.platform}.
One thread each, the same data, results compared before timing, samples of all taken by turns; medians of CPU time, with half the interquartile
range as spread. Limits are the best of several measurements during the run, except where a row names the loop beside it: that is the median
of a loop at the limit, sampled by turns with the row and as long, at the clock speed that the work had. ${loadSentence(runs)} Beyond the caches a share of 100 %
says that the kernel was no slower than plain reading. \`4x\` means four times as long as afterpass.

${Object.entries(first.versions)
  .map(([name, version]) => `${name} ${version}`)
  .join(' · ')}

To repeat: \`npm ci && npm run build && npm run bench:rivals\` (JavaScript rivals are installed into .cache; Debian packages for the Python ones:
python3-numpy python3-scipy python3-torch python3-onnx, and POT). \`npm run bench:rivals -- sinkhorn\` runs a part and prints it.

${sections.join('\n\n')}
${notes}`;
}
