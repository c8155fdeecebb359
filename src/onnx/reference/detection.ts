// NonMaxSuppression: boxes of one class in the order of their scores, without those that overlap a better one.
import { intOf, type Node } from '../graph.js';
import { type Elements, type Kernel, type Kernels, longs, need, numbers, type Value } from './value.js';

type Box = readonly [low1: number, low2: number, high1: number, high2: number];

/** A box by two opposite corners (y1, x1, y2, x2), or by its centre and size (x, y, w, h). */
function boxOf(boxes: Elements, at: number, centred: boolean): Box {
  const [p, q, r, s] = [boxes[at]!, boxes[at + 1]!, boxes[at + 2]!, boxes[at + 3]!];
  if (centred) return [q - s / 2, p - r / 2, q + s / 2, p + r / 2];
  return [Math.min(p, r), Math.min(q, s), Math.max(p, r), Math.max(q, s)];
}

/** Area of the intersection over the area of the union. */
function overlap(a: Box, b: Box): number {
  const height = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const width = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (height <= 0 || width <= 0) return 0;
  const area = (box: Box): number => (box[2] - box[0]) * (box[3] - box[1]);
  return (height * width) / (area(a) + area(b) - height * width);
}

const nonMaxSuppression: Kernel = (inputs, node: Node) => {
  const [boxes, scores] = [need(inputs, 0, node), need(inputs, 1, node)];
  const option = (value: Value | undefined, otherwise: number): number => (value?.data.length ? numbers(value)[0]! : otherwise);
  const [most, threshold, least] = [option(inputs[2], 0), option(inputs[3], 0), option(inputs[4], -Infinity)];
  const [batch, classes, count] = scores.shape as [number, number, number];
  const [B, S] = [numbers(boxes), numbers(scores)];
  const centred = intOf(node, 'center_point_box', 0) !== 0;
  const rows: number[] = [];
  for (let n = 0; n < batch; n++) {
    for (let c = 0; c < classes; c++) {
      const score = (i: number): number => S[(n * classes + c) * count + i]!;
      const order = Array.from({ length: count }, (_, i) => i).filter((i) => score(i) > least);
      order.sort((i, j) => score(j) - score(i) || i - j);
      const kept: Box[] = [];
      for (const i of order) {
        const box = boxOf(B, (n * count + i) * 4, centred);
        if (kept.length >= most || kept.some((better) => overlap(better, box) > threshold)) continue;
        kept.push(box);
        rows.push(n, c, i);
      }
    }
  }
  return [longs(rows, [rows.length / 3, 3])];
};

export const detections: Kernels = { NonMaxSuppression: nonMaxSuppression };
