// systems/283: Black holes and the loss landscape in machine learning.
import { Random } from '../../src/core/random.js';
import { countMinima, couponCollectorEstimate, modeConnectivity } from '../../src/curvature/landscape.js';
import { expectClose } from '../helpers/close.js';
import { functionModel, noData } from '../helpers/quadratic.js';

type C = readonly [number, number];
const add = (a: C, b: C): C => [a[0] + b[0], a[1] + b[1]];
const sub = (a: C, b: C): C => [a[0] - b[0], a[1] - b[1]];
const mul = (a: C, b: C): C => [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]];
const scale = (s: number, a: C): C => [s * a[0], s * a[1]];
const inv = (a: C): C => scale(1 / (a[0] ** 2 + a[1] ** 2), [a[0], -a[1]]);
const root = (a: C): C => {
  const r = Math.sqrt(Math.hypot(...a));
  const angle = Math.atan2(a[1], a[0]) / 2;
  return [r * Math.cos(angle), r * Math.sin(angle)];
};

// One charge (N = 1) in the gauge Z12 = Z13 = Z14 = 1: a1 x − b1/x = a2 y − b2/y = a3 z − b3/z = b4/w − a4 w = t, w = xyz.
const a = [1.1, 0.8, 1.3, 0.7];
const b = [0.9, 1.2, 0.6, 1.4];
const branch = (i: number, t: C, sign: number): C =>
  scale(1 / (2 * a[i]!), add(t, scale(sign, root(add(mul(t, t), [4 * a[i]! * b[i]!, 0])))));

/** Π over the eight sign choices of b4 − a4 w² − t w: a polynomial of degree 12 in t, even. */
function eliminated(t: C): C {
  let product: C = [1, 0];
  for (let signs = 0; signs < 8; signs++) {
    const w = [0, 1, 2].map((i) => branch(i, t, signs & (1 << i) ? 1 : -1)).reduce(mul);
    product = mul(product, sub(sub([b[3]!, 0], scale(a[3]!, mul(w, w))), mul(t, w)));
  }
  return product;
}

/** Coefficients by a discrete Fourier transform on a circle, roots by Durand and Kerner. */
function polynomialRoots(degree: number): { coefficients: C[]; roots: C[] } {
  const m = 32;
  const radius = 1.5;
  const samples = Array.from({ length: m }, (_, j) =>
    eliminated([radius * Math.cos((2 * Math.PI * j) / m), radius * Math.sin((2 * Math.PI * j) / m)]),
  );
  const coefficients = Array.from({ length: m }, (_, k) => {
    let sum: C = [0, 0];
    samples.forEach((value, j) => {
      const angle = (-2 * Math.PI * j * k) / m;
      sum = add(sum, mul(value, [Math.cos(angle), Math.sin(angle)]));
    });
    return scale(1 / (m * radius ** k), sum);
  });
  const lead = inv(coefficients[degree]!);
  const at = (t: C) => coefficients.slice(0, degree + 1).reduceRight<C>((value, c) => add(mul(value, t), c), [0, 0]);
  let roots = Array.from(
    { length: degree },
    (_, k): C => [1.3 * Math.cos(0.4 + (2 * Math.PI * k) / degree), 1.3 * Math.sin(0.4 + (2 * Math.PI * k) / degree)],
  );
  for (let sweep = 0; sweep < 400; sweep++) {
    roots = roots.map((r, i) => {
      const others = roots.reduce<C>((product, s, j) => (i === j ? product : mul(product, sub(r, s))), [1, 0]);
      return sub(r, mul(mul(at(r), lead), inv(others)));
    });
  }
  return { coefficients, roots };
}

/** F-terms as six real numbers, with t as an unknown: zero exactly at the supersymmetric minima. */
function terms(u: ArrayLike<number>): C[] {
  const [x, y, z, t] = [0, 1, 2, 3].map((i): C => [u[2 * i]!, u[2 * i + 1]!]);
  const w = mul(mul(x!, y!), z!);
  const one = (i: number, v: C) => sub(sub(scale(a[i]!, v), scale(b[i]!, inv(v))), t!);
  return [one(0, x!), one(1, y!), one(2, z!), sub(sub(scale(b[3]!, inv(w)), scale(a[3]!, w)), t!)];
}
const potential = (u: ArrayLike<number>) => terms(u).reduce((sum, [re, im]) => sum + re * re + im * im, 0);

/** Gradient descent on V with the Levenberg–Marquardt metric, from a random point. */
function descend(random: Random): { value: number; invariants: number[] } | undefined {
  // Three of the four equations hold at the start: a random t, and a random branch of each of x, y, z.
  const start: C = [1.5 * random.normal(), 2 * random.normal()];
  let u = Float64Array.from([...[0, 1, 2].flatMap((i) => branch(i, start, random.sign())), ...start]);
  let damping = 1;
  for (let step = 0; step < 300; step++) {
    const f = terms(u).flat();
    const value = potential(u);
    if (value < 1e-26) break;
    const J = Array.from({ length: 8 }, (_, j) => {
      const h = 1e-6 * (1 + Math.abs(u[j]!));
      const [up, down] = [h, -h].map((shift) => terms(u.map((v, i) => (i === j ? v + shift : v))).flat());
      return up!.map((v, i) => (v - down![i]!) / (2 * h));
    });
    const A = J.map((p, i) => J.map((q, j) => p.reduce((sum, v, l) => sum + v * q[l]!, 0) + (i === j ? damping : 0)));
    const g = J.map((p) => -p.reduce((sum, v, l) => sum + v * f[l]!, 0));
    for (let k = 0; k < 8; k++) {
      for (let i = k + 1; i < 8; i++) {
        const factor = A[i]![k]! / A[k]![k]!;
        for (let j = k; j < 8; j++) A[i]![j] = A[i]![j]! - factor * A[k]![j]!;
        g[i] = g[i]! - factor * g[k]!;
      }
    }
    for (let k = 7; k >= 0; k--) {
      for (let j = k + 1; j < 8; j++) g[k] = g[k]! - A[k]![j]! * g[j]!;
      g[k] = g[k]! / A[k]![k]!;
    }
    const next = u.map((v, i) => v + g[i]!);
    if (potential(next) < value) {
      u = next;
      damping /= 3;
    } else damping *= 4;
  }
  return potential(u) < 1e-18 ? { value: potential(u), invariants: [u[6]!, u[7]!] } : undefined;
}

test('systems/283: for one charge the eliminated polynomial is even, of degree 12, and its 12 roots are where restarts land', async () => {
  const { coefficients, roots } = polynomialRoots(12);
  const size = (c: C) => Math.hypot(...c);
  for (let k = 13; k < 20; k++) expect(size(coefficients[k]!)).toBeLessThan(1e-9 * size(coefficients[12]!) * 1.5 ** 12);
  for (let k = 1; k < 12; k += 2) expect(size(coefficients[k]!)).toBeLessThan(1e-8);
  const { minima, estimate } = await countMinima(descend, { restarts: 400, tolerance: 1e-5 });
  expect(minima).toHaveLength(12);
  expect(Math.round(estimate.equal)).toBe(12);
  for (const { invariants, value } of minima) {
    expect(value).toBeLessThan(1e-18);
    expect(Math.min(...roots.map((r) => Math.hypot(r[0] - invariants[0]!, r[1] - invariants[1]!)))).toBeLessThan(1e-6);
  }
});

test('systems/283: the numbers of minima −c(4N) are 12, 56, 208, 684, 2032, 5616 by exact series arithmetic', () => {
  const order = 6;
  // Series in q up to q⁶ of Laurent polynomials in y: series[n] maps the power of y to an integer.
  type Series = Map<number, number>[];
  const times = (f: Series, g: Series): Series => {
    const out: Series = Array.from({ length: order + 1 }, () => new Map());
    f.forEach((p, n) => {
      g.forEach((q, m) => {
        if (n + m <= order) for (const [i, x] of p) for (const [j, y] of q) out[n + m]!.set(i + j, (out[n + m]!.get(i + j) ?? 0) + x * y);
      });
    });
    return out;
  };
  const one = (): Series => Array.from({ length: order + 1 }, (_, n) => new Map(n === 0 ? [[0, 1]] : []));
  let product = one();
  product[0] = new Map([
    [1, 1],
    [0, -2],
    [-1, 1],
  ]);
  for (let m = 1; m <= order; m++) {
    for (const power of [1, 1, -1, -1]) {
      const factor = one();
      factor[m]!.set(power, -1);
      product = times(product, factor);
    }
    const geometric = one();
    for (let n = m; n <= order; n += m) geometric[n]!.set(0, 1);
    for (let k = 0; k < 4; k++) product = times(product, geometric);
  }
  expect([1, 2, 3, 4, 5, 6].map((n) => -(product[n]!.get(0) ?? 0))).toEqual([12, 56, 208, 684, 2032, 5616]);
});

test('systems/283: on planted landscapes the estimate of all minima is unbiased', () => {
  const random = new Random(2);
  let total = 0;
  const trials = 300;
  for (let trial = 0; trial < trials; trial++) {
    const counts = new Map<number, number>();
    for (let run = 0; run < 60; run++) {
      const minimum = random.integer(30);
      counts.set(minimum, (counts.get(minimum) ?? 0) + 1);
    }
    total += couponCollectorEstimate([...counts.values()]).equal / trials;
  }
  expectClose(total, 30, { rtol: 0.05 });
  expect(couponCollectorEstimate([1, 1, 1]).equal).toBe(Infinity);
  expectClose(couponCollectorEstimate([5, 7]).drawsForAll, 3, { atol: 0.01 });
  expect(couponCollectorEstimate([])).toMatchObject({ equal: 0, chao: 0 });
});

/** A ring of minima of radius 1, raised at the right: two points on it are joined by an arc, not by the segment. */
const ring = functionModel([0, 0], {
  loss: ([x, y]) => (x! * x! + y! * y! - 1) ** 2,
  gradient: ([x, y]) => Float64Array.of(4 * x! * (x! * x! + y! * y! - 1), 4 * y! * (x! * x! + y! * y! - 1)),
  hvp: (_w, v) => Float64Array.from(v),
});

test('systems/283: the barrier of the segment is that of a brute-force grid, and a trained curve goes round it', async () => {
  const [from, to] = [Float64Array.of(1, 0), Float64Array.of(0, 1)];
  const { segment, curve } = await modeConnectivity(ring, noData, from, to, { points: 101, steps: 4000, learningRate: 0.05 });
  let brute = 0;
  for (let i = 0; i <= 1000; i++) brute = Math.max(brute, ((1 - i / 1000) ** 2 + (i / 1000) ** 2 - 1) ** 2);
  expectClose(segment.barrier, brute, { rtol: 1e-3 });
  expect(curve!.barrier).toBeLessThan(0.05 * segment.barrier);
  expect([...ring.getParameters()]).toEqual([0, 0]);
});

test('bad counts, invariants and parameters are refused by name', async () => {
  expect(() => couponCollectorEstimate([0])).toThrow(/counts\[0\]: expected an integer >= 1, got 0/);
  let length = 1;
  await expect(countMinima(() => ({ value: 0, invariants: new Float64Array(length++) }))).rejects.toThrow(
    /invariants: expected 1 elements, got 2/,
  );
  await expect(modeConnectivity(ring, noData, new Float64Array(1), new Float64Array(2))).rejects.toThrow(/a: expected 2 elements, got 1/);
});
