// The entries of the installed package, and the size of an application that imports one of them.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** Entries that are imported: not files, not the script of a worker. */
export function entryNames() {
  const { exports: entries } = JSON.parse(readFileSync('package.json', 'utf8'));
  return Object.keys(entries).filter((name) => typeof entries[name] === 'object' && name !== './threads/worker');
}

/** './npy' -> 'afterpass/npy'. */
export const specifier = (name) => `afterpass${name.slice(1)}`;

/** Of afterpass/onnx, what applications import; the writers of derivative files come on top. */
const main = "import { OnnxModel } from 'afterpass/onnx'; globalThis.area = OnnxModel;";

/** A minified bundle of one entry for browsers, from the package installed in `folder`: bytes gzipped, files that went in, text. */
export async function bundle(folder, name) {
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: name === './onnx' ? main : `import * as area from '${specifier(name)}'; globalThis.area = area;`,
      resolveDir: folder,
    },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const [{ contents, text }] = outputFiles;
  return { gzip: gzipSync(contents, { level: 9 }).length, inputs: Object.keys(metafile.inputs), text };
}

/** Bytes of the kernels, gzipped. */
export function kernelsGzip() {
  return gzipSync(readFileSync('build/wasm/simd.wasm'), { level: 9 }).length;
}
