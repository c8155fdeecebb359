// Parks–McClellan design of symmetric filters of odd length: the taps whose weighted response deviates least from the wanted one
// in the worst place, by the exchange of Remez. An oracle and an input of tests.

export interface Band {
  /** Edges as shares of the Nyquist frequency. */
  readonly from: number;
  readonly to: number;
  readonly gain: number;
  readonly weight: number;
}

export interface Design {
  /** Half of the taps, the middle one first: the response at frequency f is Σ_j rows[f][j]·taps[j]. */
  readonly taps: Float64Array;
  /** Weighted rows [grid, half] and weighted gains [grid] of a dense grid over the bands. */
  readonly rows: Float64Array;
  readonly gains: Float64Array;
  /** Greatest weighted deviation on the grid, and the level the last exchange gave all its places. */
  readonly ripple: number;
  readonly level: number;
  /** Places of the last exchange: deviations of alternating sign. */
  readonly places: readonly number[];
}

/** The taps of a filter of 2·half − 1 taps over `bands`, on a grid of `density` points per tap. */
export function parksMcClellan(half: number, bands: readonly Band[], density = 16): Design {
  const width = bands.reduce((sum, { from, to }) => sum + to - from, 0);
  const points = bands.flatMap((band) => {
    const count = Math.max(2, Math.round((half * density * (band.to - band.from)) / width));
    return Array.from({ length: count }, (_, k) => ({ ...band, f: band.from + ((band.to - band.from) * k) / (count - 1) }));
  });
  const basis = points.map(({ f, weight }) => Array.from({ length: half }, (_, j) => (j ? 2 : 1) * weight * Math.cos(Math.PI * f * j)));
  const wanted = points.map(({ gain, weight }) => gain * weight);
  const response = (taps: readonly number[], k: number): number => basis[k]!.reduce((sum, v, j) => sum + v * taps[j]!, 0);

  let places = Array.from({ length: half + 1 }, (_, i) => Math.round((i * (points.length - 1)) / half));
  for (let round = 0; ; round++) {
    // half taps and the level: deviations ±level by turns at half + 1 places.
    const solution = solve(
      places.map((k, i) => [...basis[k]!, i % 2 ? 1 : -1]),
      places.map((k) => wanted[k]!),
    );
    const taps = solution.slice(0, half);
    const level = Math.abs(solution[half]!);
    const errors = points.map((_, k) => response(taps, k) - wanted[k]!);
    const ripple = Math.max(...errors.map(Math.abs));
    if (ripple <= level * (1 + 1e-9) || round === 100) {
      return {
        taps: Float64Array.from(taps),
        rows: Float64Array.from(basis.flat()),
        gains: Float64Array.from(wanted),
        ripple,
        level,
        places,
      };
    }
    places = exchange(errors, half + 1);
  }
}

/** `count` places of alternating sign: the largest deviation of every stretch of one sign, less the smaller ends. */
function exchange(errors: readonly number[], count: number): number[] {
  const peaks: number[] = [];
  errors.forEach((error, k) => {
    const last = peaks.at(-1);
    if (last === undefined || Math.sign(errors[last]!) !== Math.sign(error)) peaks.push(k);
    else if (Math.abs(error) > Math.abs(errors[last]!)) peaks[peaks.length - 1] = k;
  });
  while (peaks.length > count) {
    if (Math.abs(errors[peaks[0]!]!) < Math.abs(errors[peaks.at(-1)!]!)) peaks.shift();
    else peaks.pop();
  }
  return peaks;
}

/** Gaussian elimination with row exchanges. */
function solve(matrix: number[][], right: number[]): number[] {
  const n = right.length;
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  for (let c = 0; c < n; c++) {
    const pivot = rows.reduce((best, row, i) => (i >= c && Math.abs(row[c]!) > Math.abs(rows[best]![c]!) ? i : best), c);
    [rows[c], rows[pivot]] = [rows[pivot]!, rows[c]!];
    for (let i = 0; i < n; i++) {
      if (i === c) continue;
      const factor = rows[i]![c]! / rows[c]![c]!;
      for (let j = c; j <= n; j++) rows[i]![j]! -= factor * rows[c]![j]!;
    }
  }
  return rows.map((row, i) => row[n]! / row[i]!);
}
