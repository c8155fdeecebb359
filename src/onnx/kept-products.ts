// Products with one Hessian on one batch: what they share is computed once and kept, so that Lanczos and conjugate gradients pay for the rest only.
import { isFloatArray, type Tensor, type TypedArray } from '../core/tensor.js';
import type { ValueInfo } from './graph.js';
import type { Parameters } from './program.js';
import type { Feed } from './session.js';

type Feeds = Readonly<Record<string, Feed>>;
/** The two halves of a product, and the product as a whole. */
export interface Product {
  whole(feeds: Feeds): Promise<Record<string, Tensor>>;
  still(feeds: Feeds): Promise<Record<string, Tensor>>;
  moving(feeds: Feeds): Promise<Record<string, Tensor>>;
  /** What the first half hands to the second. */
  handed(): readonly ValueInfo[];
}

/** Repeated products before the halves are written and opened (some tenths of a second for a large model). */
const worthCutting = 12;
/** Bytes of values and of the inputs they belong to that are kept at most; batches beyond are multiplied as a whole. */
const budget = 2 ** 26;

interface Entry {
  readonly key: string;
  readonly feeds: Feeds;
  bytes: number;
  values: Record<string, Tensor> | undefined;
  handed: Feeds;
  /** What would be kept for it goes beyond the budget. */
  large: boolean;
}

/** The batches of the last products at one setting of the parameters, compared number by number, and what is kept for them. */
export class KeptProducts {
  #version = -1;
  #entries: Entry[] = [];
  #repeats = 0;

  /** One product: `feeds` are inputs and labels of a batch, `tangents` the direction. Numbers of `feeds` may change between calls. */
  async run(key: string, product: Product, parameters: Parameters, feeds: Feeds, tangents: Feeds): Promise<Record<string, Tensor>> {
    if (parameters.version !== this.#version) this.#clear(parameters.version);
    const entry = this.#entries.find((each) => each.key === key && same(each.feeds, feeds));
    if (!entry) {
      this.#remember(key, feeds);
      return product.whole({ ...feeds, ...tangents });
    }
    this.#repeats++;
    if (!entry.values && !entry.large && this.#repeats > worthCutting) await this.#keep(entry, product, feeds, parameters.version);
    if (!entry.values) return product.whole({ ...feeds, ...tangents });
    const moved = await product.moving({ ...feeds, ...entry.handed, ...tangents });
    return { ...entry.values, ...moved };
  }

  #clear(version: number): void {
    this.#version = version;
    this.#entries = [];
    this.#repeats = 0;
  }

  #remember(key: string, feeds: Feeds): void {
    const bytes = sizeOf(Object.values(feeds));
    // Batches that never come again make room for others.
    while (this.#entries.length && this.#bytes() + bytes > budget) this.#entries.shift();
    if (bytes > budget) return;
    const copies = Object.fromEntries(Object.entries(feeds).map(([name, feed]) => [name, { ...feed, data: feed.data.slice() }]));
    this.#entries.push({ key, feeds: copies, bytes, values: undefined, handed: {}, large: false });
  }

  async #keep(entry: Entry, product: Product, feeds: Feeds, version: number): Promise<void> {
    const results = await product.still(feeds);
    const handed = product.handed().map(({ name, type }) => [name, { ...(results[name] as Tensor), type }] as const);
    const bytes = sizeOf(handed.map(([, feed]) => feed));
    entry.large = this.#bytes() + bytes > budget;
    if (entry.large || version !== this.#version) return;
    for (const [name] of handed) delete results[name];
    Object.assign(entry, { values: results, handed: Object.fromEntries(handed), bytes: entry.bytes + bytes });
  }

  #bytes(): number {
    return this.#entries.reduce((sum, { bytes }) => sum + bytes, 0);
  }
}

const sizeOf = (tensors: readonly Tensor[]): number => tensors.reduce((sum, { data }) => sum + data.byteLength, 0);

/** True when two sets of tensors have the same shapes and numbers. */
function same(a: Feeds, b: Feeds): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => {
      const [p, q] = [a[name] as Feed, b[name]];
      return q !== undefined && p.shape.join() === q.shape.join() && equal(p.data, q.data);
    })
  );
}

function equal(a: TypedArray, b: TypedArray): boolean {
  if (a.length !== b.length || isFloatArray(a) !== isFloatArray(b)) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
