// Runs the built command line as a user does.
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

export const cliPath = resolve('build/bin/cli.js');

/** Runs `afterpass` with these arguments to its end. */
export function cli(args: readonly string[], options: { input?: Uint8Array; cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<Ran> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [cliPath, ...args], { cwd: options.cwd, env: { ...process.env, ...options.env } });
    const out: Ran = { code: null, stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (piece: string) => (out.stdout += piece));
    child.stderr.setEncoding('utf8').on('data', (piece: string) => (out.stderr += piece));
    child.on('error', fail);
    child.on('close', (code) => done({ ...out, code }));
    child.stdin.end(options.input);
  });
}
