// A service that classifies feature vectors with a small head on WebAssembly: requests are gathered into batches, the queue is bounded.
import { createServer } from 'node:http';
import { DenseModel } from 'afterpass/dense';
import { topK } from 'afterpass/sorting';

const [features, hidden, classes] = [64, 128, 100];
const [batchSize, patience, queueLimit] = [64, 2, 4096]; // requests, milliseconds, requests

const wave = (n, seed) => Float32Array.from({ length: n }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed) * 0.2);
const model = DenseModel.create({
  layers: [
    { weight: { data: wave(hidden * features, 1), shape: [hidden, features] }, bias: wave(hidden, 2), activation: 'gelu' },
    { weight: { data: wave(classes * hidden, 3), shape: [classes, hidden] }, bias: wave(classes, 4), activation: 'identity' },
  ],
  loss: 'cross-entropy',
});

const queue = [];
let timer;

/** The top classes of one vector, computed together with whatever else is waiting. */
export function classify(vector, k = 3) {
  if (queue.length >= queueLimit) return Promise.reject(Object.assign(new Error('busy: try again later'), { status: 503 }));
  return new Promise((resolve, reject) => {
    queue.push({ vector, k, resolve, reject });
    if (queue.length >= batchSize) flush();
    else timer ??= setTimeout(flush, patience);
  });
}

async function flush() {
  clearTimeout(timer);
  timer = undefined;
  const batch = queue.splice(0, batchSize);
  if (queue.length) timer = setTimeout(flush, 0); // the event loop breathes between batches
  try {
    const x = { data: new Float32Array(batch.length * features), shape: [batch.length, features] };
    for (const [i, { vector }] of batch.entries()) x.data.set(vector, i * features);
    const { data } = await model.predict(x);
    for (const [i, { k, resolve }] of batch.entries()) {
      const { values, indices } = topK(data.slice(i * classes, (i + 1) * classes), { k });
      resolve(Array.from(indices, (label, place) => ({ label, logit: values[place] })));
    }
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
}

async function read(request) {
  let body = '';
  for await (const part of request) {
    body += part;
    if (body.length > 1e5) throw Object.assign(new Error('body: expected at most 100 kB'), { status: 413 });
  }
  const { vector, k = 3 } = JSON.parse(body);
  if (!Array.isArray(vector) || vector.length !== features || !vector.every(Number.isFinite))
    throw Object.assign(new Error(`vector: expected ${features} finite numbers`), { status: 400 });
  if (!(Number.isInteger(k) && k >= 1 && k <= classes))
    throw Object.assign(new Error(`k: expected an integer from 1 to ${classes}`), { status: 400 });
  return { vector, k };
}

/** The HTTP server; `listen` starts it. */
export const server = createServer(async (request, response) => {
  const answer = (status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (request.url === '/health') return answer(200, { waiting: queue.length, memory: process.memoryUsage().rss });
  try {
    const { vector, k } = await read(request);
    answer(200, await classify(vector, k));
  } catch (error) {
    answer(error.status ?? (error instanceof SyntaxError ? 400 : 500), { error: error.message });
  }
});

if (process.argv[1]?.endsWith('server.mjs')) server.listen(Number(process.env.PORT ?? 8080), () => process.send?.(server.address().port));
