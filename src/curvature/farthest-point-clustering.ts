import { asRecord, checkInteger } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import type { TensorLike } from '../core/tensor.js';
import { readMatrix } from '../linalg/matrix.js';

export interface FarthestPointClusters {
  /** The sample that stands for each cluster, in the order they were found. */
  readonly heads: Int32Array;
  /** Cluster of each sample [n], an index into `heads`. */
  readonly labels: Int32Array;
  /**
   * Samples that are no heads [n − clusters], most redundant first: of the cluster that is largest by then, the one most similar to its
   * head. Leaving out the first r of them prunes inside large clusters.
   */
  readonly redundant: Int32Array;
}

/**
 * Farthest-point clustering of samples by their similarity, for example the kernel of `labelledNtk`.
 * The first head is the sample with the largest self-similarity; every further head is the sample least similar to its own head, and draws
 * the samples that are more similar to it. A factor on the kernel changes nothing; ties go to the lower index.
 *
 * @param kernel similarities [n, n], K[i, j] of sample i to sample j
 * @param options `clusters` at most n (√n, rounded up)
 * @returns `heads` [clusters], `labels` [n], `redundant` [n − clusters]
 * @throws {ShapeError} when the kernel is not square; {DomainError} on NaN, or more clusters than samples
 * @see Guo et al. 2024, arXiv:2401.08808, §4.2 and appendix (farthest point clustering with lpNTK)
 */
export function farthestPointClustering(kernel: TensorLike, options: { clusters?: number } = {}): FarthestPointClusters {
  const { data, rows: n, cols } = readMatrix('kernel', kernel);
  if (n !== cols) throw new ShapeError(`kernel: expected a square matrix, got ${n} × ${cols}`);
  const { clusters = Math.ceil(Math.sqrt(n)) } = asRecord('options', options);
  if (n === 0) return { heads: new Int32Array(0), labels: new Int32Array(0), redundant: new Int32Array(0) };
  checkInteger('clusters', clusters, 1, n);
  let first = 0;
  for (let i = 1; i < n; i++) if (data[i * n + i]! > data[first * n + first]!) first = i;
  const heads = [first];
  const labels = new Int32Array(n);
  const similarity = Float64Array.from({ length: n }, (_, i) => data[i * n + first]!); // of each sample to its own head
  const isHead = new Uint8Array(n);
  isHead[first] = 1;
  while (heads.length < clusters) {
    let next = -1;
    for (let i = 0; i < n; i++) if (!isHead[i] && (next < 0 || similarity[i]! < similarity[next]!)) next = i;
    isHead[next] = 1;
    labels[next] = heads.push(next) - 1;
    for (let i = 0; i < n; i++) {
      if (isHead[i] || data[i * n + next]! <= similarity[i]!) continue;
      labels[i] = heads.length - 1;
      similarity[i] = data[i * n + next]!;
    }
  }
  return { heads: Int32Array.from(heads), labels, redundant: redundancy(labels, similarity, isHead, heads.length) };
}

function redundancy(labels: Int32Array, similarity: Float64Array, isHead: Uint8Array, clusters: number): Int32Array {
  const members: number[][] = Array.from({ length: clusters }, () => []);
  for (const [i, label] of labels.entries()) if (!isHead[i]) members[label]!.push(i);
  for (const list of members) list.sort((i, j) => similarity[i]! - similarity[j]! || j - i); // the most similar at the end
  const out = new Int32Array(labels.length - clusters);
  for (let r = 0; r < out.length; r++) {
    let largest = 0;
    for (let c = 1; c < clusters; c++) if (members[c]!.length > members[largest]!.length) largest = c;
    out[r] = members[largest]!.pop()!;
  }
  return out;
}
