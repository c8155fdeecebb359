// Fails when an export of package.json, or its types, is missing from the build, or does not import.
import { existsSync, readFileSync } from 'node:fs';

const { exports: entries, bin } = JSON.parse(readFileSync('package.json', 'utf8'));
const problems = [];
for (const [name, target] of Object.entries(entries)) {
  const files = typeof target === 'string' ? [target] : Object.values(target);
  for (const file of files) if (!existsSync(file)) problems.push(`${name}: ${file} is not in the build`);
  if (typeof target === 'object') {
    if (!target.types) problems.push(`${name}: no types`);
    try {
      const module = await import(`afterpass${name.slice(1)}`);
      if (Object.keys(module).length === 0) problems.push(`${name}: exports nothing`);
    } catch (error) {
      const meant = { './relaxed': /relaxed SIMD/, './threads/worker': /expected to be run by a pool/ }[name];
      if (!meant?.test(error.message)) problems.push(`${name}: ${error.message}`);
    }
  }
}
for (const file of Object.values(bin)) if (!existsSync(file)) problems.push(`bin: ${file} is not in the build`);
if (problems.length) {
  process.stderr.write(`${problems.join('\n')}\n`);
  process.exit(1);
}
process.stdout.write(`exports: ${Object.keys(entries).length} entries, all present with types\n`);
