// systems/244: Robustifying State-space Models for Long Sequences via Approximate Diagonalization (S4-PTD, S5-PTD); and eigenvalues of
// matrices that are not symmetric.
import fc from 'fast-check';
import { Random } from '../../src/core/random.js';
import { condition } from '../../src/linalg/complex.js';
import { diagonalSsm, eig, eigh, hippoLegs, perturbThenDiagonalize, svd } from '../../src/linalg/index.js';
import { expectClose, randomF64 } from '../helpers/close.js';

const matrix = (data: Float64Array) => ({ data, shape: [Math.sqrt(data.length), Math.sqrt(data.length)] });

/** max |A V − V diag(λ)|, relative to max |A|. */
function defect(data: Float64Array, n: number): number {
  const { values, vectors } = eig(matrix(data));
  let worst = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let [x, y] = [0, 0];
      for (let k = 0; k < n; k++) {
        x += data[i * n + k]! * vectors.re[k * n + j]!;
        y += data[i * n + k]! * vectors.im[k * n + j]!;
      }
      const [a, b, c, d] = [values.re[j]!, values.im[j]!, vectors.re[i * n + j]!, vectors.im[i * n + j]!];
      worst = Math.max(worst, Math.hypot(x - (a * c - b * d), y - (a * d + b * c)));
    }
  }
  return worst / Math.max(1e-300, ...data.map(Math.abs));
}

test('eigenpairs of any square matrix satisfy A V = V Λ, at any scale; the trace is their sum', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 17 }), fc.integer({ min: 0, max: 99 }), fc.constantFrom(1e-150, 1, 1e150), (n, seed, scale) => {
      const data = randomF64(n * n, seed).map((x) => scale * x);
      expect(defect(data, n)).toBeLessThan(1e-12);
      const { values } = eig(matrix(data));
      const trace = Array.from({ length: n }, (_, i) => data[i * n + i]!).reduce((a, b) => a + b, 0);
      expect(Math.abs(values.re.reduce((a, b) => a + b, 0) - trace)).toBeLessThan(1e-12 * scale * n);
      expect(Math.abs(values.im.reduce((a, b) => a + b, 0))).toBeLessThan(1e-12 * scale * n);
    }),
    { numRuns: 60 },
  );
});

test('a rotation has e^±iθ, a companion matrix the roots of its polynomial, a symmetric matrix the values of eigh', () => {
  const [c, s] = [Math.cos(0.7), Math.sin(0.7)];
  const { values } = eig(matrix(Float64Array.of(c, -s, s, c)));
  expectClose([...values.re, ...values.im], [c, c, s, -s], { rtol: 1e-14 });
  // (x − 1)(x − 2)(x² + 4): x⁴ − 3x³ + 6x² − 12x + 8.
  const roots = eig(matrix(Float64Array.of(3, -6, 12, -8, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0))).values;
  expectClose(roots.re, [2, 1, 0, 0], { atol: 1e-13 });
  expectClose(roots.im, [0, 0, 2, -2], { atol: 1e-13 });
  const B = randomF64(49, 3);
  const symmetric = B.map((x, i) => x + B[(i % 7) * 7 + Math.floor(i / 7)]!);
  expectClose(eig(matrix(symmetric)).values.re, eigh(matrix(symmetric)).values.slice().reverse(), { atol: 1e-13 });
});

test('zeros, repeated values, a Jordan block and permutations end; what is not square or finite is refused', () => {
  for (const data of [new Float64Array(9), Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), Float64Array.of(0, 0, 1, 1, 0, 0, 0, 1, 0)])
    expect(defect(data, 3)).toBeLessThan(1e-14);
  const jordan = eig(matrix(Float64Array.of(2, 1, 0, 0, 2, 1, 0, 0, 2)));
  expectClose(jordan.values.re, [2, 2, 2], { atol: 1e-10 });
  expect(condition(jordan.vectors, 3)).toBeGreaterThan(1e10);
  expect(eig({ data: new Float64Array(0), shape: [0, 0] }).values.re).toHaveLength(0);
  expect(() => eig({ data: new Float64Array(6), shape: [2, 3] })).toThrow(/a: expected a square matrix, got 2 × 3/);
  expect(() => eig(matrix(Float64Array.of(1, Number.NaN, 0, 1)))).toThrow(/a: expected finite numbers/);
});

const n = 32;
const { a, b } = hippoLegs(n);
const norm = svd(a).s[0]!;
const c = new Random(5).fill(new Float64Array(n)).map((x) => x / Math.sqrt(n));

test('systems/244: the exact eigenvectors of HiPPO-LegS are astronomically ill conditioned, the perturbed ones are of the order ‖A‖/ε', () => {
  // The triangle's eigenvectors in closed form (Gu et al. 2022, arXiv:2111.00396, appendix B), and by forward substitution.
  const exact = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    const v = new Float64Array(n);
    v[j] = 1;
    let binomial = 1; // (i + j choose i − j)
    for (let i = j + 1; i < n; i++) {
      binomial *= (i + j) / (i - j);
      for (let k = j; k < i; k++) v[i] = v[i]! + (a.data[i * n + k]! * v[k]!) / (i - j);
      expectClose(v[i]!, ((i - j) % 2 ? -1 : 1) * (b[i]! / b[j]!) * binomial, { rtol: 1e-6 });
    }
    const length = Math.hypot(...v);
    for (let i = 0; i < n; i++) exact[i * n + j] = v[i]! / length;
  }
  expect(condition({ re: exact, im: new Float64Array(n * n) }, n)).toBeGreaterThan(1e12);
  const found = [1e-1, 1e-2, 1e-3, 1e-4].map((share) => perturbThenDiagonalize(a, { epsilon: share * norm }).condition * share);
  for (const product of found) expect(product).toBeLessThan(n ** 1.5);
  expect(found.at(-1)! / found[0]!).toBeLessThan(20); // over three decades of ε
});

test('systems/244: V Λ V⁻¹ is A + E, ‖E‖ is what was asked, and the best of several draws is taken', () => {
  const one = perturbThenDiagonalize(a, { epsilon: 0.5 });
  expectClose(svd(one.perturbation).s[0]!, 0.5, { rtol: 1e-12 });
  const { values, vectors, inverse } = one;
  for (let i = 0; i < n; i += 5) {
    for (let j = 0; j < n; j += 3) {
      let sum = 0;
      for (let k = 0; k < n; k++) {
        const [p, q] = [vectors.re[i * n + k]!, vectors.im[i * n + k]!];
        const [r, s] = [p * values.re[k]! - q * values.im[k]!, p * values.im[k]! + q * values.re[k]!];
        sum += r * inverse.re[k * n + j]! - s * inverse.im[k * n + j]!;
      }
      expectClose(sum, a.data[i * n + j]! + one.perturbation.data[i * n + j]!, { atol: 1e-9 });
    }
  }
  expect(perturbThenDiagonalize(a, { epsilon: 0.5, draws: 5 }).condition).toBeLessThanOrEqual(one.condition);
});

/** exp(tA) b by the series on small steps. */
function flow(A: Float64Array, t: number, start: Float64Array): Float64Array {
  const steps = Math.ceil(t * norm * 2);
  let x = start.slice();
  for (let step = 0; step < steps; step++) {
    let term = x.slice();
    const next = x.slice();
    for (let order = 1; order < 20; order++) {
      const old = term;
      term = Float64Array.from({ length: n }, (_, i) => {
        let sum = 0;
        for (let k = 0; k < n; k++) sum += A[i * n + k]! * old[k]!;
        return (sum * t) / steps / order;
      });
      for (let i = 0; i < n; i++) next[i] = next[i]! + term[i]!;
    }
    x = next;
  }
  return x;
}

test('systems/244: the impulse response converges to that of the dense matrix exponential linearly in ε', () => {
  const times = [0.02, 0.1, 0.3];
  const exact = times.map((t) => flow(a.data, t, b).reduce((sum, x, i) => sum + x * c[i]!, 0));
  for (const seed of [11, 12, 13, 14, 15]) {
    const errors = [1e-1, 1e-2, 1e-3].map((epsilon) => {
      const response = diagonalSsm(perturbThenDiagonalize(a, { epsilon, seed }).system(b, c)).impulse(times);
      return Math.max(...response.map((y, i) => Math.abs(y - exact[i]!)));
    });
    // The first decade still bends where E is not small against the gaps of the spectrum.
    expectClose(errors[0]! / errors[1]!, 10, { rtol: 0.5 });
    expectClose(errors[1]! / errors[2]!, 10, { rtol: 0.1 });
  }
});

/** C (iω − A)⁻¹ B of the triangular HiPPO matrix, by forward substitution. */
function transferOf(omega: number): [number, number] {
  const x: [number, number][] = [];
  for (let i = 0; i < n; i++) {
    let [re, im] = [b[i]!, 0];
    for (let k = 0; k < i; k++) {
      re += a.data[i * n + k]! * x[k]![0];
      im += a.data[i * n + k]! * x[k]![1];
    }
    const below = (i + 1) ** 2 + omega ** 2; // (iω + i + 1)⁻¹
    x.push([(re * (i + 1) + im * omega) / below, (im * (i + 1) - re * omega) / below]);
  }
  return [x.reduce((sum, [re], i) => sum + re * c[i]!, 0), x.reduce((sum, [, im], i) => sum + im * c[i]!, 0)];
}

test('systems/244: a Fourier mode that S4D-LegS amplifies wrongly passes through the perturbed system as through the exact one', () => {
  // S4D-LegS drops the rank-one part: A + PPᵀ, P = √(i + ½), is normal, with eigenvalues −½ + i·(real); B becomes B/2.
  const P = Float64Array.from({ length: n }, (_, i) => Math.sqrt(i + 0.5));
  const normal = { data: a.data.map((x, at) => x + P[Math.floor(at / n)]! * P[at % n]!), shape: [n, n] };
  const half = b.map((x) => x / 2);
  const tiny = perturbThenDiagonalize(normal, { epsilon: 1e-10 });
  expect(tiny.condition).toBeLessThan(1.01);
  const s4d = diagonalSsm(tiny.system(half, c));
  const ptds = [11, 12, 13, 14, 15].map((seed) => diagonalSsm(perturbThenDiagonalize(a, { epsilon: 0.01, seed }).system(b, c)));
  // Modes at the imaginary parts of the eigenvalues of the normal matrix: where the diagonal system resonates.
  const modes = tiny.values.im.filter((omega) => omega > 0);
  const exact = Array.from(modes, (omega) => transferOf(omega));
  const [wrong, ...right] = [s4d, ...ptds].map((system) => {
    const { re, im } = system.transfer(modes);
    return Array.from(modes, (_, i) => Math.hypot(re[i]! - exact[i]![0], im[i]! - exact[i]![1]));
  });
  const size = Math.max(...exact.map(([re, im]) => Math.hypot(re, im)));
  expect(Math.max(...wrong!)).toBeGreaterThan(0.3 * size);
  for (const errors of right) expect(Math.max(...errors)).toBeLessThan(0.01 * size);
});

test('the recurrence is the convolution with the kernel, and the kernel integrates the impulse response over each step', () => {
  const system = perturbThenDiagonalize(hippoLegs(5).a, { epsilon: 0.01 }).system(hippoLegs(5).b, [1, 0, -1, 2, 0.5]);
  const ssm = diagonalSsm(system, { step: 0.05 });
  const u = randomF64(20, 2);
  const kernel = ssm.kernel(20);
  const convolved = u.map((_, t) => {
    let sum = 0;
    for (let l = 0; l <= t; l++) sum += kernel[l]! * u[t - l]!;
    return sum;
  });
  expectClose(ssm.run(u), convolved, { rtol: 1e-11, atol: 1e-13 });
  const nodes = [-0.7745966692414834, 0, 0.7745966692414834].map((x, i) => [x, [5 / 9, 8 / 9, 5 / 9][i]!] as const); // Gauss–Legendre
  const integrals = Array.from({ length: 20 }, (_, l) =>
    nodes.reduce((sum, [x, w]) => sum + 0.025 * w * ssm.impulse([0.05 * (l + 0.5 + x / 2)])[0]!, 0),
  );
  expectClose(kernel, integrals, { atol: 1e-6 });
  const integrator = { values: { re: new Float64Array(1), im: new Float64Array(1) }, b: { re: [1], im: [0] }, c: { re: [1], im: [0] } };
  const wide = (x: { re: number[]; im: number[] }) => ({ re: Float64Array.from(x.re), im: Float64Array.from(x.im) });
  const sums = diagonalSsm({ ...integrator, b: wide(integrator.b), c: wide(integrator.c) }, { step: 2 });
  expectClose(sums.run([1, 1, 1]), [2, 4, 6]);
  expect(() => diagonalSsm(system, { step: 0 })).toThrow(/step: expected a number > 0, got 0/);
  expect(() => perturbThenDiagonalize(a, { epsilon: 0 })).toThrow(/epsilon: expected a number > 0, got 0/);
  expect(() => perturbThenDiagonalize(a).system([1], c)).toThrow(/b: expected 32 elements, got 1/);
});
