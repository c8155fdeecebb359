// Results of one runtime against those of Node 20, and the page that shows them all.

/** Largest relative difference of two plain results, Infinity where their structure differs. */
function difference(a, b) {
  if (typeof a === 'number' && typeof b === 'number') return a === b ? 0 : Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b), 1e-3);
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return a === b ? 0 : Infinity;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  let largest = 0;
  for (const key of keys) largest = Math.max(largest, difference(a[key], b[key]));
  return largest;
}

/** Largest absolute difference of the numbers of two plain results, Infinity where their structure differs. */
export function largestGap(a, b) {
  if (typeof a === 'number' && typeof b === 'number') return Math.abs(a - b);
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return a === b ? 0 : Infinity;
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].reduce((most, key) => Math.max(most, largestGap(a[key], b[key])), 0);
}

const relaxedTolerance = 1e-3;

/** Per area: calls, how many have the same bits, the largest difference, and what differs that must not. */
export function compareResults(reference, results, areas, relaxed = false) {
  const found = {};
  for (const area of areas) {
    const names = Object.keys(reference).filter((name) => name.startsWith(`${area}/`));
    const entry = { calls: names.length, same: 0, largest: 0, different: [] };
    for (const name of names) {
      const [a, b] = [reference[name], results[name] ?? { error: 'not run' }];
      if (a.error !== undefined || b.error !== undefined) {
        entry.different.push(`${name} ${b.error ?? a.error}`);
        continue;
      }
      if (JSON.stringify(a) === JSON.stringify(b)) {
        entry.same++;
        continue;
      }
      const gap = difference(a.result, b.result);
      entry.largest = Math.max(entry.largest, gap);
      if (!relaxed || gap > relaxedTolerance) entry.different.push(`${name} differs by ${gap.toPrecision(2)}`);
    }
    found[area] = entry;
  }
  return found;
}

function mark({ calls, same, largest, different }) {
  if (different.length) return `**${different.length} of ${calls} differ**`;
  return same === calls ? `= ${calls}` : `≈ ${calls} (${largest.toExponential(0)})`;
}

const rows = (lines) => lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const megabytes = (bytes) => (bytes / 2 ** 20).toFixed(1);

/** What one run of `npm run soak` found. */
export function soakText({ date, minutes, workers, replaced, calls, early, late, growth }) {
  return `\`npm run soak\` on ${date}: ${minutes} minutes, ${workers} worker threads (${replaced} replaced on the way), ${calls} calls of every area, four at a time, with
ONNX Runtime sessions opened and released. From the second to the last quarter: RSS ${megabytes(early)} to ${megabytes(late)} MB, heap ${megabytes(growth.heap)} MB more, WebAssembly memory ${growth.wasm} bytes more.`;
}

/** What one run of `npm run soak -- --calls n` found. */
export function memoryText({ date, rows: found }) {
  const kilobytes = (bytes) => `${bytes > 0 ? '+' : ''}${Math.round(bytes / 1024)} kB`;
  return `\`npm run soak -- --calls ${Math.max(...found.map(({ calls }) => calls))}\` on ${date}, Node 20: what is held after so many calls of an area (its quickest methods in turn) less what is held after the
first 20,000, garbage collected. RSS is what the process has ever needed, heap and buffers what is alive.

${rows([
  ['area', 'methods', 'calls', 'JavaScript heap', 'array buffers', 'WebAssembly memory', 'RSS'],
  ['---', '---', '---', '---', '---', '---', '---'],
  ...found.map(({ area, methods, of, calls, heap, buffers, wasm, rss }) => [
    area,
    `${methods} of ${of}`,
    calls,
    ...[heap, buffers, wasm, rss].map(kilobytes),
  ]),
])}`;
}

/** docs/runtimes.md. */
export function page({ areas, matrix, onnx, faults, examples, sizes, versions, soak, memory }) {
  const date = new Date().toISOString().slice(0, 10);
  return `# Runtimes

Written by \`npm run test:runtimes\` on ${date}: the packed tarball, installed into an empty project, runs every area's example calls
(test/contracts/calls, one per registered method). \`= n\`: all n results have the bits of Node 20's. \`≈ n\`: the relaxed build, within 1e-3
(largest relative difference in brackets).

${Object.entries(versions)
  .map(([name, version]) => `${name} ${version.replace(/^v|^deno /, '')}`)
  .join(' · ')}

${rows([
  ['runtime', ...areas],
  ['---', ...areas.map(() => '---')],
  ...Object.entries(matrix).map(([name, entry]) => [
    name,
    ...areas.map((area) => (entry.areas ? mark(entry.areas[area]) : entry.missing ? 'missing' : 'failed')),
  ]),
])}
${Object.entries(matrix)
  .filter(([, entry]) => !entry.areas)
  .map(([name, entry]) => `\n${name}: ${entry.missing ? `missing: ${entry.missing}` : `failed: ${entry.failed}`}`)
  .join('\n')}

## ONNX models

Every method of \`OnnxModel\` (test/contracts/calls/onnx.ts) on the ONNX Runtime named, against Node 20's onnxruntime-node: the largest absolute
difference; last: what \`OnnxModel.open\` says without \`{ ort }\` where none is found. What needs no ONNX Runtime is in the matrix above.

${rows([
  ['runtime', 'ONNX Runtime', 'calls', 'largest difference', 'open to last result', 'without { ort }'],
  ['---', '---', '---', '---', '---', '---'],
  ...onnx.map(({ runtime, ort, calls, largest, milliseconds, refusal, failed, missing }) =>
    failed || missing
      ? [runtime, ort, '', failed ? `**failed** ${failed}` : `missing: ${missing}`, '', '']
      : [runtime, ort, calls, largest.toExponential(0), `${milliseconds} ms`, refusal ? refusal.split(';')[0] : 'finds one by itself'],
  ),
])}

## Cold start

Nine new processes each, in ms, \`median / fastest\`: the median of each part, and the parts of the one that was fastest together.
From \`import('afterpass/transport')\` to the first \`sinkhorn\`; decode: base64 to bytes; first call: what is left of it (the engine compiles on
demand). For workerd: the first request of a Worker that makes this call.

${rows([
  ['runtime', 'import', 'decode', 'compile', 'instantiate', 'first call', 'together', 'second call', 'first request'],
  ['---', '---', '---', '---', '---', '---', '---', '---', '---'],
  ...Object.entries(matrix)
    .filter(([, { median }]) => median)
    .map(([name, { median, fastest }]) => [
      name,
      ...['import', 'decode', 'compile', 'instantiate', 'call', 'total', 'second', 'request'].map((part) =>
        median[part] === undefined ? '' : `${median[part].toFixed(1)} / ${fastest[part].toFixed(1)}`,
      ),
    ]),
])}

## Bundle sizes

An esbuild bundle of everything in one entry (of \`afterpass/onnx\`: \`OnnxModel\`), minified, gzip, WebAssembly included (budget 120 kB for an area, kept by \`npm run check:package\`).

${rows([['entry', 'gzip'], ['---', '---'], ...Object.entries(sizes).map(([name, bytes]) => [`\`${name}\``, `${(bytes / 1024).toFixed(1)} kB`])])}

## Faults

${rows([['fault', 'met', 'remark'], ['---', '---', '---'], ...faults.map(({ fault, ok, note }) => [fault, ok ? 'yes' : '**no**', note])])}

Every area's calls run under more faults in test/contracts/faults-*.test.ts: memory that grows at each allocation, memory that ends at the first, a
middle and the last one, arrays on shared and on detached memory. Arrays on a SharedArrayBuffer are taken everywhere and give the same bits (for
ONNX Runtime, which takes none, they are copied); no other thread may write into them during a call. Detached arrays are refused by name.

## Memory after 10^5 calls

${memory ?? 'Not run on this machine.'}

## Soak

${soak ?? 'Not run on this machine.'}

## Examples

${rows([['example', 'works', 'remark'], ['---', '---', '---'], ...examples.map(({ name, ok, note }) => [name, ok ? 'yes' : '**no**', note])])}
`;
}
