// Digits as a hand would draw them: strokes with jittered corners, slanted, turned, scaled, shifted, drawn with pens of
// different width on noisy paper. Everything comes from the seed; only + − × ÷ √ are used, so every machine draws the same.
import { checkInteger, checkNonNegative } from '../../src/core/check.js';
import { Random } from '../../src/core/random.js';
import type { Tensor } from '../../src/core/tensor.js';

type Point = readonly [x: number, y: number];
interface Stroke {
  readonly points: readonly Point[];
  readonly closed?: boolean;
}

/** The ten digits in a unit square, y down; corners are rounded when drawn. */
const digits: readonly (readonly Stroke[])[] = [
  [
    {
      points: [
        [0.5, 0.03],
        [0.13, 0.2],
        [0.13, 0.8],
        [0.5, 0.97],
        [0.87, 0.8],
        [0.87, 0.2],
      ],
      closed: true,
    },
  ],
  [
    {
      points: [
        [0.28, 0.28],
        [0.55, 0.04],
      ],
    },
    {
      points: [
        [0.55, 0.04],
        [0.52, 0.96],
      ],
    },
  ],
  [
    {
      points: [
        [0.15, 0.3],
        [0.25, 0.02],
        [0.8, 0.02],
        [0.88, 0.4],
        [0.15, 0.95],
      ],
    },
    {
      points: [
        [0.15, 0.95],
        [0.87, 0.95],
      ],
    },
  ],
  [
    {
      points: [
        [0.18, 0.1],
        [0.62, -0.04],
        [0.95, 0.26],
        [0.45, 0.48],
      ],
    },
    {
      points: [
        [0.45, 0.48],
        [1, 0.6],
        [0.72, 1.05],
        [0.13, 0.9],
      ],
    },
  ],
  [
    {
      points: [
        [0.6, 0.04],
        [0.12, 0.66],
      ],
    },
    {
      points: [
        [0.12, 0.66],
        [0.92, 0.64],
      ],
    },
    {
      points: [
        [0.66, 0.36],
        [0.64, 0.96],
      ],
    },
  ],
  [
    {
      points: [
        [0.82, 0.04],
        [0.25, 0.05],
      ],
    },
    {
      points: [
        [0.25, 0.05],
        [0.2, 0.46],
      ],
    },
    {
      points: [
        [0.2, 0.46],
        [0.75, 0.3],
        [1, 0.72],
        [0.62, 1.04],
        [0.13, 0.88],
      ],
    },
  ],
  [
    {
      points: [
        [0.74, 0.03],
        [0.26, 0.25],
        [0.05, 0.8],
        [0.45, 1.05],
        [0.92, 0.82],
        [0.76, 0.46],
        [0.4, 0.46],
        [0.16, 0.68],
      ],
    },
  ],
  [
    {
      points: [
        [0.14, 0.05],
        [0.86, 0.05],
      ],
    },
    {
      points: [
        [0.86, 0.05],
        [0.55, 0.5],
        [0.42, 0.96],
      ],
    },
  ],
  [
    {
      points: [
        [0.5, 0.47],
        [0.12, 0.3],
        [0.28, -0.02],
        [0.72, -0.02],
        [0.88, 0.3],
      ],
      closed: true,
    },
    {
      points: [
        [0.5, 0.47],
        [0.06, 0.7],
        [0.22, 1.02],
        [0.78, 1.02],
        [0.94, 0.7],
      ],
      closed: true,
    },
  ],
  [
    {
      points: [
        [0.82, 0.3],
        [0.55, -0.02],
        [0.1, 0.15],
        [0.2, 0.55],
        [0.75, 0.5],
      ],
      closed: true,
    },
    {
      points: [
        [0.82, 0.22],
        [0.82, 0.62],
        [0.55, 0.97],
      ],
    },
  ],
];

export interface DigitOptions {
  readonly seed?: number;
  /** Pixels along a side (12). */
  readonly size?: number;
  /** How far everything strays from the model drawing: 0 is print, 1 is a hurried hand. */
  readonly sloppiness?: number;
  /** Standard deviation of the paper's noise, where ink is 1. */
  readonly noise?: number;
}

/**
 * Draws labelled digits.
 * @returns `x` [count, 1, size, size] in 0 … 1, `y` [count] with labels 0 … 9, as many of each as can be
 */
export function drawDigits(count: number, options: DigitOptions = {}): { x: Tensor<Float32Array>; y: Uint8Array } {
  const { seed = 0, size = 12, sloppiness = 1, noise = 0.1 } = options;
  checkInteger('count', count, 1);
  checkInteger('size', size, 8, 256);
  checkNonNegative('sloppiness', sloppiness);
  checkNonNegative('noise', noise);
  const random = new Random(seed);
  const data = new Float32Array(count * size * size);
  const y = Uint8Array.from(random.permutation(count), (place) => place % 10);
  for (let i = 0; i < count; i++) {
    const image = data.subarray(i * size * size, (i + 1) * size * size);
    const half = size * (0.045 + 0.035 * random.uniform());
    ink(image, size, segments(digits[y[i] as number] as readonly Stroke[], placement(random, size, sloppiness), random, sloppiness), half);
    for (let p = 0; p < image.length; p++) image[p] = Math.min(1, Math.max(0, (image[p] as number) + noise * random.normal()));
  }
  return { x: { data, shape: [count, 1, size, size] }, y };
}

/** A random map from the unit square to the pixels: scale, slant, turn, shift. */
function placement(random: Random, size: number, sloppiness: number): (point: Point) => Point {
  const spread = (width: number): number => sloppiness * width * (2 * random.uniform() - 1);
  const width = size * (0.52 + spread(0.12));
  const height = size * (0.68 + spread(0.1));
  const slant = spread(0.25);
  const t = spread(0.13); // tangent of half the angle: up to 15 degrees
  const cos = (1 - t * t) / (1 + t * t);
  const sin = (2 * t) / (1 + t * t);
  const [shiftX, shiftY] = [size * (0.5 + spread(0.1)), size * (0.5 + spread(0.1))];
  return ([u, v]) => {
    const y = (v - 0.5) * height;
    const x = (u - 0.5) * width - slant * y;
    return [cos * x - sin * y + shiftX, sin * x + cos * y + shiftY];
  };
}

/** The strokes as short straight pieces: corners strayed, then cut twice (Chaikin). */
function segments(strokes: readonly Stroke[], place: (point: Point) => Point, random: Random, sloppiness: number): Float64Array {
  const flat: number[] = [];
  for (const { points, closed = false } of strokes) {
    let line = points.map(([x, y]): Point => [x + 0.035 * sloppiness * random.normal(), y + 0.035 * sloppiness * random.normal()]);
    for (let pass = 0; pass < 2; pass++) line = cutCorners(line, closed);
    if (closed) line.push(line[0] as Point);
    const pixels = line.map(place);
    for (let k = 1; k < pixels.length; k++) flat.push(...(pixels[k - 1] as Point), ...(pixels[k] as Point));
  }
  return Float64Array.from(flat);
}

function cutCorners(line: readonly Point[], closed: boolean): Point[] {
  const out: Point[] = closed ? [] : [line[0] as Point];
  for (let k = 0; k < line.length - (closed ? 0 : 1); k++) {
    const [x0, y0] = line[k] as Point;
    const [x1, y1] = line[(k + 1) % line.length] as Point;
    out.push([0.75 * x0 + 0.25 * x1, 0.75 * y0 + 0.25 * y1], [0.25 * x0 + 0.75 * x1, 0.25 * y0 + 0.75 * y1]);
  }
  if (!closed) out.push(line[line.length - 1] as Point);
  return out;
}

/** Ink by distance to the nearest piece: full inside the pen, fading over one pixel at its edge. */
function ink(image: Float32Array, size: number, pieces: Float64Array, half: number): void {
  for (let p = 0; p < image.length; p++) {
    const x = (p % size) + 0.5;
    const y = Math.floor(p / size) + 0.5;
    let nearest = Infinity;
    for (let k = 0; k < pieces.length; k += 4) {
      const [x0, y0, x1, y1] = [pieces[k], pieces[k + 1], pieces[k + 2], pieces[k + 3]] as unknown as [number, number, number, number];
      const [dx, dy] = [x1 - x0, y1 - y0];
      const t = Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy || 1)));
      const [ex, ey] = [x0 + t * dx - x, y0 + t * dy - y];
      nearest = Math.min(nearest, ex * ex + ey * ey);
    }
    image[p] = Math.min(1, Math.max(0, half + 0.5 - Math.sqrt(nearest)));
  }
}
