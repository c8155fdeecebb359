import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';

/** Builds the page with Vite from the packed tarball and looks at it in Chromium. */
export async function check({ tarball, toolbox, project, viteBuild, inChromium }) {
  const names = ['index.html', 'main.js'];
  const files = Object.fromEntries(names.map((name) => [name, readFileSync(new URL(name, import.meta.url), 'utf8')]));
  files['vite.config.js'] = "export default { base: './', build: { target: 'es2022' } };";
  const folder = project('example-browser', { dependencies: [tarball], files });
  const screenshot = resolve('.cache/browser.png');
  const { plan, landscape, colours } = await inChromium(viteBuild(toolbox, folder), 'index.html?check', { screenshot });
  assert.ok(plan.iterations > 0 && Number.isFinite(plan.value));
  assert.ok(landscape.low < landscape.high && landscape.last < landscape.first);
  for (const count of colours) assert.ok(count > 20, `a canvas shows ${count} colours`);
  assert.ok(statSync(screenshot).size > 10_000, 'the screenshot is blank');
  return `plan in ${plan.iterations} iterations, loss ${landscape.first.toFixed(3)} to ${landscape.last.toFixed(3)}, screenshot ${Math.round(statSync(screenshot).size / 1024)} kB`;
}
