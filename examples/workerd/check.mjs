import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

/** Runs the Worker in miniflare from the packed tarball. */
export async function check({ tarball, toolbox, project, inWorkerd, workerModules }) {
  const files = { 'worker.mjs': readFileSync(new URL('./worker.mjs', import.meta.url), 'utf8') };
  const folder = project('example-workerd', { dependencies: [tarball], files });
  const modules = await workerModules(folder, 'worker.mjs');
  return inWorkerd(toolbox, modules, async (flare) => {
    const post = async (path, body) => {
      const response = await flare.dispatchFetch(`http://x${path}`, { method: 'POST', body: JSON.stringify(body) });
      return { status: response.status, body: await response.json() };
    };
    const items = [
      [1, 0],
      [0, 1],
      [-1, 0],
    ];
    const ranked = await post('/rank', { queries: [[0.9, 0.2]], items, k: 2 });
    assert.deepEqual(
      ranked.body[0].map(({ item }) => item),
      [0, 1],
    );
    // Two queries at the first item: an even share of the items sends the lesser one to the second.
    const matched = await post('/match', {
      queries: [
        [1, 0],
        [0.8, 0.6],
        [-1, 0.1],
      ],
      items,
    });
    assert.deepEqual(matched.body, { matches: [0, 1, 2], converged: true });
    const wrong = await post('/match', { queries: [[1, 0]], items, epsilon: -1 });
    assert.equal(wrong.status, 400);
    assert.match(wrong.body.error, /^epsilon: expected a number > 0/);
    const start = performance.now();
    for (let i = 0; i < 100; i++) await post('/rank', { queries: [[0.9, 0.2]], items, k: 2 });
    return `ranks, matches, refuses a bad epsilon by name; ${((performance.now() - start) / 100).toFixed(2)} ms a request`;
  });
}
