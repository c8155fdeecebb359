// Order statistics: timings have a floor and a long tail, so means and variances say little about them.

/** The value below which a share `p` of the ascending `sorted` lies (linear interpolation). */
export function quantile(sorted: ArrayLike<number>, p: number): number {
  const place = p * (sorted.length - 1);
  const low = Math.floor(place);
  const below = sorted[low] as number;
  return below + (place - low) * ((sorted[Math.min(low + 1, sorted.length - 1)] as number) - below);
}

/** The middle of unsorted values. */
export function median(values: ArrayLike<number>): number {
  return quantile(Float64Array.from(values).sort(), 0.5);
}

/** The arithmetic mean of at least one value. */
export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The standard deviation of at least two values. */
export function standardDeviation(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

/** A standard deviation that ignores outliers: 1.4826 · median |x − median|. */
export function deviation(values: readonly number[]): number {
  const centre = median(values);
  return 1.4826 * median(values.map((value) => Math.abs(value - centre)));
}

/**
 * Student's t with `freedom` >= 3 degrees where the normal distribution has `z`: Fisher's expansion, low by less than 2 % from 5 degrees on
 * (Abramowitz & Stegun 26.7.5).
 */
export function studentOf(z: number, freedom: number): number {
  const q = z * z;
  const first = (z * (q + 1)) / 4;
  const second = (z * (q * (5 * q + 16) + 3)) / 96;
  const third = (z * (q * (q * (3 * q + 19) + 17) - 15)) / 384;
  const fourth = (z * (q * (q * (q * (79 * q + 776) + 1482) - 1920) - 945)) / 92160;
  return z + (first + (second + (third + fourth / freedom) / freedom) / freedom) / freedom;
}

/**
 * How far the median of as many new values may lie from that of these, 19 times of 20 where both are drawn from one normal distribution
 * (further out at most as often where tails are longer): Student's t · s · √(2/n) · √(π/2), the last for medians in place of means. What
 * moves all values of one run alike is in no scatter of theirs: `moods` are draws of it, of which either run may have met any.
 */
export function repeatReach(values: readonly number[], moods: readonly number[]): number {
  const n = values.length;
  if (n < 3) return Number.NaN;
  const t = n === 3 ? 4.303 : studentOf(1.96, n - 1); // the expansion of t begins at three degrees of freedom
  const mood = moods.length > 1 ? 1.96 * Math.SQRT2 * standardDeviation(moods) : 0;
  return Math.hypot(t * standardDeviation(values) * Math.sqrt(Math.PI / n), mood);
}

export interface Summary {
  readonly median: number;
  readonly quartiles: readonly [number, number];
  /** Interquartile range. */
  readonly spread: number;
  /** Values further than 1.5 interquartile ranges from the quartiles (Tukey). */
  readonly outliers: number;
  readonly samples: number;
}

/** Median, quartiles and outliers of at least one value. */
export function summarize(values: ArrayLike<number>): Summary {
  const sorted = Float64Array.from(values).sort();
  const low = quantile(sorted, 0.25);
  const high = quantile(sorted, 0.75);
  const reach = 1.5 * (high - low);
  let outliers = 0;
  for (const value of sorted) if (value < low - reach || value > high + reach) outliers++;
  return { median: quantile(sorted, 0.5), quartiles: [low, high], spread: high - low, outliers, samples: sorted.length };
}

/** Slope of the least-squares line through (x, y). */
export function slope(x: readonly number[], y: readonly number[]): number {
  const n = x.length;
  const meanX = x.reduce((a, b) => a + b, 0) / n;
  const meanY = y.reduce((a, b) => a + b, 0) / n;
  let cross = 0;
  let square = 0;
  for (let i = 0; i < n; i++) {
    cross += ((x[i] as number) - meanX) * ((y[i] as number) - meanY);
    square += ((x[i] as number) - meanX) ** 2;
  }
  return cross / square;
}
