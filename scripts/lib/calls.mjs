// The areas' example calls (test/contracts/calls) as one module for programs outside the repository.
import { build } from 'esbuild';

/** The name under which an area's calls are exported. */
export const variable = (area) => area.replaceAll('-', '_');

/** Writes a module that exports the calls of every area; the areas themselves are imported from the package. */
export async function callsOf(areas, outfile) {
  await build({
    stdin: {
      contents: [
        ...areas.map((area) => `export { calls as ${variable(area)} } from './test/contracts/calls/${area}.ts';`),
        "export { network, ortCalls } from './test/contracts/calls/onnx.ts';",
      ].join('\n'),
      resolveDir: '.',
    },
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    outfile,
    logLevel: 'silent',
    plugins: [
      {
        name: 'areas-of-the-package', // a call that needs another area takes it from the same package as everyone
        setup(b) {
          b.onResolve({ filter: /\/src\/[^/]+\/index\.js$/ }, ({ path }) => ({
            path: `afterpass/${path.split('/').at(-2)}`,
            external: true,
          }));
        },
      },
    ],
  });
}
