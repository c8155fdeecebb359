// 10^5 calls of every area in one process: what memory they leave behind. Run with --expose-gc; .cache/calls.mjs has the calls.
import { capabilities } from 'afterpass';

/** Calls before the count begins: code is still being compiled. */
const warmUp = 20_000;
/** Milliseconds a call may take on average: the quickest methods of an area, as many as fit. */
const pace = 0.25;
/** Milliseconds: an area without a quicker call (threads start and end in each) makes a hundredth of the calls. */
const slow = 5;

async function held() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await new Promise((done) => setTimeout(done, 20)); // what finalizers let go
  }
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  return { rss, heap: heapUsed, buffers: arrayBuffers, wasm: capabilities().wasmBytes };
}

/** The area's calls that fit the pace together, quickest first; at least one. */
async function quickest(list) {
  const timed = [];
  for (const call of list) {
    await call();
    const start = performance.now();
    for (let i = 0; i < 5; i++) await call();
    timed.push({ call, took: (performance.now() - start) / 5 });
  }
  timed.sort((a, b) => a.took - b.took);
  let [sum, count] = [0, 0];
  for (const { took } of timed) {
    if (count && (sum + took) / (count + 1) > pace) break;
    sum += took;
    count++;
  }
  return { chosen: timed.slice(0, count).map(({ call }) => call), took: sum / count };
}

/** Rows { area, methods, calls, rss, heap, buffers, wasm }: what was held after `calls` calls less what was held after a warm-up, in bytes. */
export async function areaMemory(areas, calls, count) {
  const rows = [];
  for (const [area, methods] of Object.entries(calls)) {
    const { chosen, took } = await quickest(Object.values(methods).map((call) => () => call(areas[area])));
    const wanted = took > slow ? Math.ceil(count / 100) : count;
    const turns = async (n) => {
      for (let i = 0; i < n; i++) {
        await chosen[i % chosen.length]();
        if (i % 500 === 0) await new Promise((done) => setImmediate(done)); // finalizers have their turn
      }
    };
    await turns(Math.min(warmUp, wanted));
    const before = await held();
    await turns(wanted);
    const after = await held();
    const gained = Object.fromEntries(Object.keys(before).map((name) => [name, after[name] - before[name]]));
    rows.push({ area, methods: chosen.length, of: Object.keys(methods).length, calls: wanted, ...gained });
    process.stdout.write(`${JSON.stringify(rows.at(-1))}\n`);
  }
  return rows;
}
