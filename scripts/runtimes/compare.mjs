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
const milliseconds = (value) => (value === undefined ? '' : `${value.toFixed(1)} ms`);

/** docs/runtimes.md. */
export function page({ areas, matrix, onnx, faults, examples, sizes, versions }) {
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

Gradient, Hessian-vector product and per-sample gradients of a small network on the ONNX Runtime named, against Node 20's onnxruntime-node;
last: what \`OnnxModel.open\` says without \`{ ort }\` where none is found.

${rows([
  ['runtime', 'ONNX Runtime', 'largest difference', 'open to last result', 'without { ort }'],
  ['---', '---', '---', '---', '---'],
  ...onnx.map(({ runtime, ort, largest, milliseconds, refusal, failed }) => [
    runtime,
    ort,
    failed ? `**failed** ${failed}` : largest.toExponential(0),
    failed ? '' : `${milliseconds} ms`,
    failed ? '' : refusal ? refusal.split(';')[0] : 'finds one by itself',
  ]),
])}

## Cold start

Smallest of five new processes: \`import('afterpass/transport')\`, then the first \`sinkhorn\` (instantiation included). For workerd: the
first request, which makes every call of every area.

${rows([
  ['runtime', 'import', 'first call', 'first request'],
  ['---', '---', '---', '---'],
  ...Object.entries(matrix)
    .filter(([, { cold }]) => cold)
    .map(([name, { cold }]) => [name, milliseconds(cold.import), milliseconds(cold.call), milliseconds(cold.request)]),
])}

## Bundle sizes

An esbuild bundle of everything in one entry (of \`afterpass/onnx\`: \`OnnxModel\`), minified, gzip, WebAssembly included (\`npm run check:package\`; budget 120 kB for an area).

${rows([['entry', 'gzip'], ['---', '---'], ...Object.entries(sizes).map(([name, bytes]) => [`\`${name}\``, `${(bytes / 1024).toFixed(1)} kB`])])}

## Faults

${rows([['fault', 'met', 'remark'], ['---', '---', '---'], ...faults.map(({ fault, ok, note }) => [fault, ok ? 'yes' : '**no**', note])])}

## Examples

${rows([['example', 'works', 'remark'], ['---', '---', '---'], ...examples.map(({ name, ok, note }) => [name, ok ? 'yes' : '**no**', note])])}
`;
}
