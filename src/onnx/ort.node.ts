// Node (and Deno and Bun): onnxruntime-node where it loads, onnxruntime-web where only that is installed.
import { RuntimeLoadError } from '../core/errors.js';
import type { LoadedOrt, Ort } from './ort-types.js';

let found: Promise<LoadedOrt> | undefined;

/**
 * The ONNX Runtime installed beside afterpass, loaded once and only when first asked for.
 * @throws {RuntimeLoadError} when there is none; the message holds the line to type
 */
export function findOrt(): Promise<LoadedOrt> {
  found ??= search();
  return found;
}

async function search(): Promise<LoadedOrt> {
  const failures: unknown[] = [];
  for (const name of ['onnxruntime-node', 'onnxruntime-web']) {
    try {
      // The name is a variable so that bundlers leave the import to Node.
      const module = (await import(name)) as Ort & { default?: Ort };
      const ort = module.InferenceSession ? module : (module.default as Ort);
      if (name === 'onnxruntime-web') remark(failures[0]);
      return { ort, name, version: ort.env?.versions?.[name === 'onnxruntime-node' ? 'node' : 'web'] };
    } catch (error) {
      failures.push(error);
    }
  }
  found = undefined; // it may be installed while the process lives
  throw new RuntimeLoadError(missing(failures[0]), { cause: failures[0] });
}

function remark(why: unknown): void {
  process.stderr.write(
    `remark: onnxruntime-node ${absent(why) ? 'is not installed' : 'does not load here'}; using onnxruntime-web (slower)\n`,
  );
}

function absent(error: unknown): boolean {
  const code = (error as { code?: string } | undefined)?.code;
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
}

function missing(why: unknown): string {
  const got = absent(why) ? 'none' : `one that does not load (${String((why as Error)?.message ?? why).split('\n')[0]})`;
  // On x64 Linux its install script downloads CUDA files; skip is right wherever those are not wanted.
  const skip = process.platform === 'linux' ? 'ONNXRUNTIME_NODE_INSTALL=skip ' : '';
  const lines = {
    npx: `${skip}npx -p afterpass -p onnxruntime-node afterpass`,
    project: `${skip}npm install onnxruntime-node`,
    global: `${skip}npm install -g onnxruntime-node`,
  };
  const here = situation();
  const others = Object.entries(lines).filter(([name]) => name !== here);
  const more = others.map(([name, line]) => `  ${name === 'project' ? 'in a project' : name === 'npx' ? 'with npx' : 'globally'}: ${line}`);
  return `onnxruntime-node: expected an ONNX Runtime beside afterpass, got ${got}; type: ${lines[here]}\n${more.join('\n')}`;
}

/** How this copy of afterpass was installed, by where it lies. */
function situation(): 'npx' | 'project' | 'global' {
  const here = decodeURIComponent(new URL(import.meta.url).pathname);
  if (/[\\/]_npx[\\/]/.test(here)) return 'npx';
  const top = /^(.*?)[\\/](?:lib[\\/])?node_modules[\\/]/.exec(here)?.[1];
  return top === undefined || process.cwd().startsWith(top) ? 'project' : 'global';
}
