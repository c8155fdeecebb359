// afterpass doctor: what runs here, what is missing, and the line to type for it.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { CommandModule } from 'yargs';
import { findOrt } from '../../src/onnx/ort.node.js';
import { capabilities } from '../../src/runtime/instance.js';
import { table, write } from '../io/print.js';
import type { GlobalArgs } from '../options.js';

interface Report {
  version: string;
  runtime: string;
  platform: string;
  kernels: string;
  relaxedSimd: boolean;
  wasmBytes: number;
  threads: number;
  onnxRuntime: { name: string; version: string | undefined } | null;
  missing: { what: string; get: string }[];
}

/** `afterpass doctor`. */
export const doctor: CommandModule<GlobalArgs, GlobalArgs> = {
  command: 'doctor',
  describe: 'Show what runs here, what is missing, and how to get it',
  handler: async (args) => write(await examine(), args, asText),
};

async function examine(): Promise<Report> {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string };
  const { build, relaxedSimd, wasmBytes } = capabilities();
  const missing: Report['missing'] = [];
  let onnxRuntime: Report['onnxRuntime'] = null;
  try {
    const found = await findOrt();
    onnxRuntime = { name: found.name, version: found.version };
  } catch (error) {
    missing.push({ what: 'ONNX Runtime (needed by every verb that takes a model)', get: (error as Error).message });
  }
  if (!relaxedSimd)
    missing.push({ what: 'relaxed SIMD (optional, faster products)', get: 'Node 22 or later, or node --experimental-wasm-relaxed-simd' });
  return {
    version,
    runtime: runtimeName(),
    platform: `${process.platform}-${process.arch}`,
    kernels: build,
    relaxedSimd,
    wasmBytes,
    threads: availableParallelism(),
    onnxRuntime,
    missing,
  };
}

function runtimeName(): string {
  const { deno, bun, node } = process.versions as Record<string, string | undefined>;
  return deno ? `Deno ${deno}` : bun ? `Bun ${bun}` : `Node ${node}`;
}

function asText(report: Report): string {
  const rows: [string, string][] = [
    ['afterpass', report.version],
    ['runtime', `${report.runtime} on ${report.platform}`],
    ['kernels', `${report.kernels} (relaxed SIMD ${report.relaxedSimd ? 'available' : 'not available'})`],
    ['threads', String(report.threads)],
    ['ONNX Runtime', report.onnxRuntime ? `${report.onnxRuntime.name} ${report.onnxRuntime.version ?? ''}` : 'none'],
  ];
  const advice = report.missing.map(({ what, get }) => `missing: ${what}\n  ${get}`);
  return [table(['part', 'found'], rows), ...advice].join('\n');
}
