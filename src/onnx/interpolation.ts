// Interpolation along one axis as short weighted sums: what Resize does to each of its axes.
import { floatOf, intOf, type Node, stringOf } from './graph.js';
import { fail, roundEven } from './reference/value.js';

/** The inputs of one output position along an axis. */
export type Taps = readonly (readonly [index: number, weight: number])[];

/** How one axis is resized. */
export interface AxisPlan {
  readonly input: number;
  readonly output: number;
  readonly scale: number;
  /** Start and end of the region of interest, as shares of the input (tf_crop_and_resize). */
  readonly roi: readonly [number, number];
}

/** The place in the input that an output position stands for. */
function source(node: Node, mode: string, { input, output, scale, roi }: AxisPlan, x: number): number {
  const length = scale * input; // not rounded: the specification's length_resized, but where its text says otherwise
  switch (mode) {
    case 'half_pixel':
      return (x + 0.5) / scale - 0.5;
    case 'half_pixel_symmetric':
      return (input / 2) * (1 - output / length) + (x + 0.5) / scale - 0.5;
    case 'pytorch_half_pixel':
      return output > 1 ? (x + 0.5) / scale - 0.5 : 0;
    case 'align_corners':
      return output === 1 ? 0 : (x * (input - 1)) / (output - 1);
    case 'asymmetric':
      return x / scale;
    case 'tf_half_pixel_for_nn':
      return (x + 0.5) / scale;
    case 'tf_crop_and_resize':
      return output > 1
        ? roi[0] * (input - 1) + (x * (roi[1] - roi[0]) * (input - 1)) / (output - 1)
        : 0.5 * (roi[0] + roi[1]) * (input - 1);
  }
  throw fail(node, `expected a known coordinate_transformation_mode, got '${mode}'`);
}

function nearest(x: number, mode: string): number {
  if (mode === 'floor') return Math.floor(x);
  if (mode === 'ceil') return Math.ceil(x);
  const half = x - Math.floor(x) === 0.5;
  if (mode === 'round_prefer_ceil') return half ? Math.ceil(x) : Math.round(x);
  return half ? Math.floor(x) : roundEven(x);
}

/** The kernel of linear or cubic interpolation at a distance (Keys 1981 with coefficient a). */
function filter(mode: string, a: number): { reach: number; weight: (t: number) => number } {
  if (mode === 'linear') return { reach: 1, weight: (t) => Math.max(0, 1 - Math.abs(t)) };
  return {
    reach: 2,
    weight: (signed) => {
      const t = Math.abs(signed);
      if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
      return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
    },
  };
}

/** The taps of every output position along an axis; an undefined entry is a position outside the input (tf_crop_and_resize). */
export function tapsOf(node: Node, plan: AxisPlan): (Taps | undefined)[] {
  const mode = stringOf(node, 'mode', 'nearest');
  const transform = stringOf(node, 'coordinate_transformation_mode', 'half_pixel');
  const rounding = stringOf(node, 'nearest_mode', 'round_prefer_floor');
  const antialias = intOf(node, 'antialias', 0) !== 0 && plan.scale < 1;
  const exclude = intOf(node, 'exclude_outside', 0) !== 0;
  const { reach, weight } = filter(mode, floatOf(node, 'cubic_coeff_a', -0.75));
  const stretch = antialias ? plan.scale : 1; // the kernel widens by 1/scale when it shrinks
  const { input, output } = plan;
  const inside = (index: number): number => Math.min(input - 1, Math.max(0, index));
  return Array.from({ length: output }, (_, x) => {
    const at = source(node, transform, plan, x);
    if (transform === 'tf_crop_and_resize' && (at < 0 || at > input - 1)) return undefined;
    if (mode === 'nearest') return [[inside(nearest(at, rounding)), 1]];
    // Linear interpolation looks at places inside the input only; cubic looks beyond and repeats the border.
    const place = mode === 'linear' && !antialias ? Math.min(input - 1, Math.max(0, at)) : at;
    const taps: [number, number][] = [];
    let total = 0;
    for (let k = Math.floor(place - reach / stretch); k <= Math.ceil(place + reach / stretch); k++) {
      const w = weight((k - place) * stretch);
      if (w === 0 || (exclude && (k < 0 || k >= input))) continue;
      taps.push([inside(k), w]);
      total += w;
    }
    return exclude || antialias ? taps.map(([k, w]) => [k, w / total] as const) : taps;
  });
}
