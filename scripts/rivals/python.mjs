// The Python driver as a process that answers one line at a time, so that its samples take turns with ours.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { readNpy, writeNpy } from '../../build/src/core/npy.js';

const driver = fileURLToPath(new URL('./driver.py', import.meta.url));

/** Starts the first Python that has NumPy (PYTHON names one); undefined where there is none. */
export function startPython() {
  const candidates = [process.env.PYTHON, 'python3', '/usr/bin/python3'].filter(Boolean);
  const python =
    candidates.find((name) => spawnSync(name, ['-c', 'import numpy, torch']).status === 0) ??
    candidates.find((name) => spawnSync(name, ['-c', 'import numpy']).status === 0);
  if (!python) return undefined;
  const child = spawn(python, [driver], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface({ input: child.stdout });
  const waiting = [];
  lines.on('line', (line) => waiting.shift()?.(JSON.parse(line)));
  child.on('exit', () => {
    for (const resolve of waiting.splice(0)) resolve({ error: 'the Python process ended' });
  });
  const ask = (message) =>
    new Promise((resolve) => {
      waiting.push(resolve);
      child.stdin.write(`${JSON.stringify(message)}\n`);
    });
  const folder = mkdtempSync(join(tmpdir(), 'afterpass-rivals-'));
  let opened = 0;
  return {
    versions: () => ask({ command: 'versions' }),
    /** Opens a kind on named tensors; `{ result, sample(calls), close() }`, or `{ absent | error }`. */
    async open(kind, inputs, params = {}) {
      const id = `w${opened++}`;
      for (const [name, tensor] of Object.entries(inputs)) writeFileSync(join(folder, `${name}.npy`), writeNpy(tensor));
      const reply = await ask({ command: 'open', id, kind, folder, params });
      if (reply.absent || reply.error) return reply;
      return {
        result: readNpy(readFileSync(join(folder, `${id}.result.npy`))).data,
        sample: async (calls) => (await ask({ command: 'sample', id, calls })).milliseconds,
        close: () => ask({ command: 'close', id }),
      };
    },
    stop() {
      child.stdin.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
