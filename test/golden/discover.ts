// Golden cases are found from the folder's own manifests, never by a list of names: a new case needs no code.
// An adapter serves one kind; a kind without one is counted as not implemented, a missing folder as absent.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Folder with `second-order` and `ot-sort`; AFTERPASS_GOLDEN overrides the default beside the project. */
export const goldenFolder = process.env.AFTERPASS_GOLDEN ?? join('..', 'shared', 'golden');

/** One case of golden/ot-sort: numbers by name, tolerances of its kind. */
export interface OtSortCase {
  kind: string;
  id: string;
  params: Record<string, unknown>;
  scalars: Record<string, number>;
  tolerances: Record<string, number>;
  extra: Record<string, unknown>;
  array(name: string): { data: Float64Array | Float32Array | Int32Array; shape: number[] };
  has(name: string): boolean;
}

/** One case of golden/second-order: its JSON and its npz or onnx files by name. */
export interface SecondOrderCase {
  name: string;
  json: Record<string, unknown>;
  arrays: Record<string, { shape: number[]; dtype: string }>;
  /** Uncompressed npz member as numbers (int64 as Number). */
  array(name: string): Float64Array;
  path(extension: string): string;
}

function readNpyAt(bytes: Buffer, start: number): { data: Float64Array | Float32Array | Int32Array; descr: string; shape: number[] } {
  const headerLength = bytes.readUInt16LE(start + 8);
  const header = bytes.toString('latin1', start + 10, start + 10 + headerLength);
  const descr = /'descr': '([^']+)'/.exec(header)?.[1] ?? '';
  const shape = (/'shape': \(([^)]*)\)/.exec(header)?.[1] ?? '')
    .split(',')
    .filter((s) => s.trim())
    .map(Number);
  const count = shape.reduce((a, b) => a * b, 1);
  const at = start + 10 + headerLength;
  const width = Number(descr.slice(2));
  const raw = new Uint8Array(bytes.subarray(at, at + count * width)).buffer;
  if (descr === '<f8') return { data: new Float64Array(raw), descr, shape };
  if (descr === '<f4') return { data: new Float32Array(raw), descr, shape };
  if (descr === '<i4') return { data: new Int32Array(raw), descr, shape };
  if (descr === '<i8') return { data: Float64Array.from(new BigInt64Array(raw), Number), descr, shape };
  if (descr === '|i1') return { data: Float64Array.from(new Int8Array(raw)), descr, shape };
  throw new Error(`golden: no reader for ${descr}`);
}

/** The cases of golden/ot-sort by kind; empty when the folder is absent. */
export function otSortCases(): Map<string, OtSortCase[]> {
  const folder = join(goldenFolder, 'ot-sort');
  const kinds = new Map<string, OtSortCase[]>();
  if (!existsSync(folder)) return kinds;
  for (const file of readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()) {
    const json = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
      kind?: string;
      tolerances?: Record<string, number>;
      cases?: { id: string; params: Record<string, unknown>; scalars: Record<string, number>; arrays: Record<string, { file: string }> }[];
    };
    if (!json.kind || !json.cases) continue;
    const { kind, tolerances = {} } = json;
    kinds.set(
      kind,
      json.cases.map(({ id, params, scalars, arrays, ...extra }) => ({
        kind,
        id,
        params: params ?? {},
        scalars: scalars ?? {},
        tolerances,
        extra,
        has: (name) => name in (arrays ?? {}),
        array: (name) => {
          const entry = arrays?.[name];
          if (!entry) throw new Error(`golden ${kind}/${id} has no array ${name}`);
          return readNpyAt(readFileSync(join(folder, entry.file)), 0);
        },
      })),
    );
  }
  return kinds;
}

/** The cases of golden/second-order; empty when the folder is absent. */
export function secondOrderCases(): SecondOrderCase[] {
  const folder = join(goldenFolder, 'second-order');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json') && name !== 'manifest.json')
    .sort()
    .map((file) => {
      const name = file.slice(0, -5);
      const json = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, unknown>;
      let members: Map<string, number> | undefined;
      let bytes: Buffer | undefined;
      return {
        name,
        json,
        arrays: (json.arrays ?? {}) as SecondOrderCase['arrays'],
        path: (extension) => join(folder, `${name}.${extension}`),
        array: (member) => {
          bytes ??= readFileSync(join(folder, `${name}.npz`));
          members ??= storedMembers(bytes);
          const at = members.get(member);
          if (at === undefined) throw new Error(`golden ${name} has no array ${member}`);
          return Float64Array.from(readNpyAt(bytes, at).data);
        },
      };
    });
}

/** Data offset of every member of an uncompressed zip, from its central directory. */
function storedMembers(bytes: Buffer): Map<string, number> {
  const found = new Map<string, number>();
  const end = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((o) => bytes.readUInt16LE(at + o)) as [number, number, number];
    const name = bytes.toString('utf8', at + 46, at + 46 + nameLength);
    const local = bytes.readUInt32LE(at + 42);
    const data = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    found.set(name.replace(/\.npy$/, ''), data);
    at += 46 + nameLength + extraLength + commentLength;
  }
  return found;
}

/** What an adapter file in test/golden/adapters exports: the kinds or case names it serves, each run throws or expects. */
export interface GoldenAdapter {
  /** First word of the test title after `golden`: onnx, second-order, transport or sorting. */
  readonly pillar: string;
  /** Kinds of golden/ot-sort. */
  readonly otSort?: Readonly<Record<string, (c: OtSortCase) => void | Promise<void>>>;
  /** Cases of golden/second-order by a pattern on their name; several adapters may serve one case. */
  readonly secondOrder?: readonly { readonly cases: RegExp; readonly what: string; run(c: SecondOrderCase): void | Promise<void> }[];
}
