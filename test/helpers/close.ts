// Comparisons and inputs shared by the tests.
import { Random } from '../../src/core/random.js';

export interface Tolerance {
  rtol?: number;
  atol?: number;
}

/** Fails unless |got − want| ≤ atol + rtol·|want| everywhere; says where it is worst. NaN equals NaN, infinities must match. */
export function expectClose(
  got: ArrayLike<number> | number,
  want: ArrayLike<number> | number,
  { rtol = 0, atol = 0 }: Tolerance = {},
): void {
  const a = typeof got === 'number' ? [got] : got;
  const b = typeof want === 'number' ? [want] : want;
  if (a.length !== b.length) throw new Error(`expected ${b.length} elements, got ${a.length}`);
  let worst = -1;
  let excess = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i] as number;
    const y = b[i] as number;
    if (Object.is(x, y) || x === y) continue;
    const over = Math.abs(x - y) - (atol + rtol * Math.abs(y));
    if (!(over <= 0) && (worst < 0 || !(over <= excess))) {
      worst = i;
      excess = over;
    }
  }
  if (worst >= 0) throw new Error(`element ${worst} of ${b.length}: expected ${b[worst]}, got ${a[worst]} (rtol ${rtol}, atol ${atol})`);
  expect(worst).toBe(-1);
}

/** ‖got − want‖₂ / ‖want‖₂. */
export function relativeError(got: ArrayLike<number>, want: ArrayLike<number>): number {
  if (got.length !== want.length) throw new Error(`expected ${want.length} elements, got ${got.length}`);
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < want.length; i++) {
    difference += ((got[i] as number) - (want[i] as number)) ** 2;
    norm += (want[i] as number) ** 2;
  }
  return Math.sqrt(difference) / (Math.sqrt(norm) || 1);
}

/** Normal draws as Float32Array. */
export const randomF32 = (n: number, seed = 1): Float32Array => new Random(seed).fill(new Float32Array(n));
/** Normal draws as Float64Array. */
export const randomF64 = (n: number, seed = 1): Float64Array => new Random(seed).fill(new Float64Array(n));

/** Lengths around one and two vectors. */
export const aroundVector = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33];

/** Gradient of a scalar function by central differences. */
export function numericalGradient(f: (x: Float64Array) => number, x: ArrayLike<number>, step = 1e-5): Float64Array {
  const point = Float64Array.from(x);
  return point.map((value, i) => {
    point[i] = value + step;
    const up = f(point);
    point[i] = value - step;
    const down = f(point);
    point[i] = value;
    return (up - down) / (2 * step);
  });
}
