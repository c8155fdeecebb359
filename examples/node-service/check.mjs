import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';

/** Starts the service from the packed tarball and loads it. */
export async function check({ tarball, project }) {
  const files = { 'server.mjs': readFileSync(new URL('./server.mjs', import.meta.url), 'utf8') };
  const folder = project('example-node-service', { dependencies: [tarball], files });
  const child = fork(join(folder, 'server.mjs'), { env: { ...process.env, PORT: '0' } });
  try {
    const port = await new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', () => reject(new Error('the service did not start')));
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 64 });
    const send = (path, body) =>
      new Promise((resolve, reject) => {
        const outgoing = request({ port, path, agent, method: body ? 'POST' : 'GET' }, async (response) => {
          let text = '';
          for await (const part of response) text += part;
          resolve({ status: response.statusCode, body: JSON.parse(text) });
        });
        outgoing.on('error', reject);
        outgoing.end(body && JSON.stringify(body));
      });
    const vector = (i) => Array.from({ length: 64 }, (_, j) => Math.sin(i * 64 + j));
    const alone = (await send('/', { vector: vector(1) })).body;
    assert.equal(alone.length, 3);
    assert.ok(alone[0].logit >= alone[1].logit);
    const bad = await send('/', { vector: [1, 2] });
    assert.deepEqual([bad.status, bad.body.error], [400, 'vector: expected 64 finite numbers']);

    const rounds = async (count) => {
      const delays = [];
      await Promise.all(
        Array.from({ length: count }, async (_, i) => {
          const start = performance.now();
          const { status, body } = await send('/', { vector: vector(i % 50) });
          assert.equal(status, 200);
          // The answer does not depend on the batch a request happens to share.
          if (i % 50 === 1)
            assert.deepEqual(
              body.map(({ label }) => label),
              alone.map(({ label }) => label),
            );
          delays.push(performance.now() - start);
        }),
      );
      return delays;
    };
    await rounds(1000);
    const before = (await send('/health')).body.memory;
    const start = performance.now();
    await rounds(4000);
    const rate = 4000 / ((performance.now() - start) / 1000);
    const { memory, waiting } = (await send('/health')).body;
    assert.equal(waiting, 0);
    assert.ok(memory - before < 64e6, `memory grew by ${memory - before} bytes`);
    agent.destroy();
    return `4000 requests at ${Math.round(rate)} a second, memory ${((memory - before) / 1e6).toFixed(1)} MB up after warm-up`;
  } finally {
    child.kill();
  }
}
