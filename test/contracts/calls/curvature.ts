type Area = typeof import('../../../src/curvature/index.js');

const wave = (n: number, shift = 0) => Float64Array.from({ length: n }, (_, i) => (((i + shift) * 37) % 23) / 23 - 0.5);
const operator = {
  size: 12,
  precision: 'float64' as const,
  apply(v: ArrayLike<number>, out: Float32Array | Float64Array) {
    for (let i = 0; i < 12; i++) out[i] = (i + 1) * v[i]! + (v[(i + 1) % 12]! + v[(i + 11) % 12]!) / 4;
  },
};

/** A linear softmax classifier written out by hand: 3 inputs, 2 classes, 6 parameters, exact derivatives. */
function model() {
  let w = wave(6);
  type Samples = { x: { data: ArrayLike<number> }; y: ArrayLike<number> };
  const each = (data: unknown, visit: (x: number[], p: number, label: number, index: number) => void) => {
    const { x, y } = data as Samples;
    const n = x.data.length / 3;
    for (let i = 0; i < n; i++) {
      const row = [0, 1, 2].map((j) => x.data[3 * i + j]!);
      const gap = row.reduce((sum, value, j) => sum + value * (w[3 + j]! - w[j]!), 0);
      visit(row, 0.5 + gap / (2 * (1 + Math.abs(gap))), y?.[i] ?? 0, i); // a rational sigmoid: the same bits in every engine
    }
    return n;
  };
  const curvature = (data: unknown, v: ArrayLike<number>) => {
    const out = new Float64Array(6);
    let n = 0;
    each(data, (row, p) => {
      n++;
      const along = row.reduce((sum, value, j) => sum + value * (v[3 + j]! - v[j]!), 0) * p * (1 - p);
      row.forEach((value, j) => {
        out[j] = out[j]! - along * value;
        out[3 + j] = out[3 + j]! + along * value;
      });
    });
    return out.map((x) => x / n);
  };
  const rows = (data: unknown) => {
    const list: number[] = [];
    each(data, (row, p, label) => {
      list.push(...row.map((value) => -(p - label) * value), ...row.map((value) => (p - label) * value));
    });
    return list;
  };
  const made = {
    precision: 'float64' as const,
    parameterCount: 6,
    layout: [],
    getParameters: () => w.slice(),
    setParameters(next: ArrayLike<number>) {
      w = Float64Array.from(next);
    },
    async predict(x: unknown) {
      const out: number[] = [];
      each({ x, y: [] }, (_row, p) => out.push(-p, p));
      return { data: Float64Array.from(out), shape: [out.length / 2, 2] };
    },
    async perSampleLosses(data: unknown) {
      const out: number[] = [];
      each(data, (_row, p, label) => out.push((p - label) ** 2));
      return Float64Array.from(out);
    },
    async loss(data: unknown): Promise<number> {
      let total = 0;
      const n = each(data, (_row, p, label) => {
        total += (p - label) ** 2;
      });
      return total / n;
    },
    async gradient(data: unknown) {
      const list = rows(data);
      const n = list.length / 6;
      return {
        value: await made.loss(data),
        grad: Float64Array.from({ length: 6 }, (_, j) => list.reduce((sum, x, i) => (i % 6 === j ? sum + x / n : sum), 0)),
      };
    },
    hvp: async (data: unknown, v: ArrayLike<number>) => curvature(data, v),
    ggnvp: async (data: unknown, v: ArrayLike<number>) => curvature(data, v),
    async perSampleGradients(data: unknown) {
      const list = Float64Array.from(rows(data));
      return { data: list, shape: [list.length / 6, 6] };
    },
    async vjp(x: unknown, seed: { data: ArrayLike<number> }) {
      const out = new Float64Array(6);
      each({ x, y: [] }, (row, _p, _label, i) => {
        row.forEach((value, j) => {
          out[j] = out[j]! + value * seed.data[2 * i]!;
          out[3 + j] = out[3 + j]! + value * seed.data[2 * i + 1]!;
        });
      });
      return out;
    },
    dispose() {},
  };
  return made as never;
}
const batch = { x: { data: wave(12, 5), shape: [4, 3] }, y: Int32Array.of(0, 1, 1, 0) };
const apply = (op: { size: number; apply(v: Float64Array, out: Float64Array): unknown }) => {
  const out = new Float64Array(op.size);
  const pending = op.apply(wave(op.size), out);
  return Promise.resolve(pending).then(() => out);
};

/** One small call per method. */
export const calls: Record<string, (area: Area) => unknown> = {
  'adaptive-sharpness': ({ adaptiveSharpness }) => adaptiveSharpness(model(), batch),
  'batch-sharpness': ({ batchSharpness }) => batchSharpness(model(), [batch, batch]),
  'coordinate-clip': ({ coordinateClip }) => coordinateClip(wave(9), { share: 0.3 }),
  'diagonal-estimate': ({ diagonalEstimate }) => diagonalEstimate(operator, { probes: 5 }),
  'directional-sharpness': ({ directionalSharpness }) => directionalSharpness(model(), batch, wave(6)),
  'elle-schedule': ({ ElleSchedule }) => {
    const schedule = new ElleSchedule();
    return [1, 2, 1, 2, 90].map((error) => schedule.next(error));
  },
  'fisher-operator': ({ fisherOperator }) => apply(fisherOperator({ data: wave(20), shape: [4, 5] }, { damping: 0.1 })),
  'ggn-operator': ({ ggnOperator }) => apply(ggnOperator(model(), batch)),
  'gradient-flow': ({ gradientFlow }) => gradientFlow(model(), batch, { maxSteps: 20 }),
  'gradient-flow-sharpness': ({ gradientFlowSharpness }) => gradientFlowSharpness(model(), batch, { maxSteps: 20 }),
  'gradient-normalized-smoothness': ({ gradientNormalizedSmoothness }) =>
    gradientNormalizedSmoothness(model(), batch, { directions: 2, radii: [0.1, 1] }),
  'hessian-coherence': ({ hessianCoherence }) => hessianCoherence(model(), batch),
  'hessian-operator': ({ hessianOperator }) => apply(hessianOperator(model(), batch)),
  'farthest-point-clustering': ({ farthestPointClustering }) =>
    farthestPointClustering({ data: Float64Array.of(3, 1, 0.5, 1, 2, 0.25, 0.5, 0.25, 4), shape: [3, 3] }, { clusters: 2 }),
  'labelled-ntk': ({ labelledNtk }) => labelledNtk(model(), batch),
  'local-linearity': ({ localLinearity }) => localLinearity(model(), batch, { seed: 1 }),
  'opposing-signals': ({ opposingSignals }) => opposingSignals(model(), batch, { size: 1 }),
  'per-sample-curvature': ({ perSampleCurvature }) => perSampleCurvature(model(), batch, wave(6)),
  'per-sample-hessian-norm': ({ perSampleHessianNorm }) => perSampleHessianNorm(model(), batch),
  'sam-sharpness': ({ samSharpness }) => samSharpness(model(), batch),
  'sample-loss-difference': ({ sampleLossDifference }) => sampleLossDifference(model(), batch, { hessians: [1, 3] }),
  'scalar-flow-sharpness': ({ scalarFlowSharpness }) => scalarFlowSharpness([2, 0.7, 0.5]),
  'second-moment-radius': ({ secondMomentRadius }) =>
    secondMomentRadius([{ data: Float64Array.of(2, 1, 1, 2), shape: [2, 2] }], { learningRate: 0.3, batchSize: 0.5 }),
  'sgd-stability-condition': ({ sgdStabilityCondition }) => sgdStabilityCondition({ lambda1: 2, sigma: 1.5, n: 10, batchSize: 2 }, 0.3),
  'sharpness-trace': ({ sharpnessTrace }) => sharpnessTrace(model(), batch, { learningRate: 0.5, steps: 3 }),
  'spectral-density': ({ spectralDensity }) => spectralDensity(operator, { steps: 6, bins: 40 }),
  'top-eigenvalues': ({ topEigenvalues }) => topEigenvalues(operator, { k: 3, end: 'magnitude' }),
  trace: ({ trace }) => trace(operator, { method: 'xtrace', probes: 8 }),
  'update-directions': ({ updateDirections }) => updateDirections([wave(6), wave(6, 3)]),
  'count-minima': ({ countMinima }) =>
    countMinima((random) => ({ value: 0, invariants: [random.integer(3)] }), { restarts: 20 }).then(({ minima }) =>
      minima.map(({ count }) => count),
    ),
  'coupon-collector-estimate': ({ couponCollectorEstimate }) => couponCollectorEstimate([3, 2, 1, 1]),
  'mode-connectivity': ({ modeConnectivity }) => modeConnectivity(model(), batch, wave(6), wave(6, 9), { points: 5, steps: 3 }),
};
