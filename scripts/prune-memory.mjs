// node scripts/prune-memory.mjs [--block-size 4096] [--gradients 512] [--steps 2] [--limit 8] — prunes a dense network of two million parameters
// by M-FAC in blocks and prints the peak of the process's memory; fails above the limit in GB.
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    'block-size': { type: 'string', default: '4096' },
    gradients: { type: 'string', default: '512' },
    steps: { type: 'string', default: '2' },
    limit: { type: 'string', default: '8' },
  },
});
const { OnnxModel } = await import('../build/src/onnx/index.js');
const { Graph, graphTensor, modelOf } = await import('../build/src/onnx/graph.js');
const { Random } = await import('../build/src/core/random.js');
const { pruneModel } = await import('../build/src/workflows/index.js');

const widths = [512, 1024, 1024, 416];
const samples = Number(values.gradients);
const random = new Random(0);
const graph = new Graph();
graph.inputs = [{ name: 'x', type: 'float32', shape: ['N', widths[0]] }];
graph.outputs = [{ name: 'logits', type: 'float32', shape: ['N', widths.at(-1)] }];
let at = 'x';
for (const [i, out] of widths.slice(1).entries()) {
  const inputs = widths[i];
  const weights = random.fill(new Float32Array(out * inputs)).map((v) => v * Math.sqrt(2 / inputs));
  graph.initializers.set(`w${i}`, graphTensor('float32', weights, [out, inputs]));
  graph.initializers.set(`b${i}`, graphTensor('float32', new Float32Array(out), [out]));
  const next = i + 2 < widths.length ? `h${i}` : 'logits';
  const node = (op, inputs, output, attributes = {}) =>
    graph.nodes.push({ op, domain: '', name: output, inputs, outputs: [output], attributes });
  node('Gemm', [at, `w${i}`, `b${i}`], next, { transB: { type: 'int', value: 1 } });
  if (next !== 'logits') node('Relu', [next], (at = `r${i}`));
}
const model = await OnnxModel.open(modelOf(graph, 13));
const data = {
  x: { data: random.fill(new Float32Array(samples * widths[0])), shape: [samples, widths[0]] },
  y: Int32Array.from({ length: samples }, () => random.integer(widths.at(-1))),
};
const gigabytes = (bytes) => (bytes / 1e9).toFixed(2);
let phase = '';
const result = await pruneModel(model, data, {
  sparsity: 0.9,
  steps: Number(values.steps),
  gradients: samples,
  blockSize: Number(values['block-size']),
  onProgress: ({ phase: now = '' }) => {
    if (now !== phase) process.stderr.write(`${(phase = now)}: ${gigabytes(process.memoryUsage().rss)} GB\n`);
  },
});
const peak = process.resourceUsage().maxRSS * 1024;
const { parameters, pruned, seconds, before, after } = result;
console.log(
  `${parameters} weights, ${samples} gradients (${gigabytes(4 * parameters * samples)} GB), blocks of ${values['block-size']}, ${values.steps} steps`,
);
console.log(
  `${pruned} removed in ${seconds.toFixed(0)} s, loss ${before.loss.toFixed(3)} -> ${after.loss.toFixed(3)}; peak memory ${gigabytes(peak)} GB`,
);
model.dispose();
if (peak > Number(values.limit) * 1e9) process.exitCode = 1;
