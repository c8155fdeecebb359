// TypeScript to ESM by esbuild: TypeScript itself is checked by `npm run typecheck`.
const { transformSync } = require('esbuild');
exports.process = (source, path) =>
  transformSync(source, { loader: 'ts', format: 'esm', target: 'node20', sourcefile: path, sourcemap: 'inline' });
