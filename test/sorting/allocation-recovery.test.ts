// systems/172
import { Random } from '../../src/core/random.js';
import { adam } from '../../src/optimizers/index.js';
import { auxZipfLoss, featureChoice, mutualChoice, topK, zipfCounts } from '../../src/sorting/index.js';
import { expectClose, numericalGradient, randomF64 } from '../helpers/close.js';

const [tokens, features, d] = [4, 6, 3];
const usage = [7, 0, 3, 1, 0, 9];
const expected = [8, 6, 5, 4, 3, 2]; // by rank: features 5, 0, 2, 3, 1, 4; below one half: 3 (1 < 2), 1 and 4
const loss = (scores: Float64Array, decoder: Float64Array, k?: number) =>
  auxZipfLoss(
    {
      residual: { data: randomF64(tokens * d, 1), shape: [tokens, d] },
      scores: { data: scores, shape: [tokens, features] },
      decoder: { data: decoder, shape: [features, d] },
      usage,
      expected,
    },
    k ? { k } : {},
  );

test('the auxiliary loss is the printed error over the k best dying features', () => {
  const [scores, decoder, residual] = [randomF64(tokens * features, 2), randomF64(features * d, 3), randomF64(tokens * d, 1)];
  for (const k of [1, 2, 3, 9]) {
    let want = 0;
    for (let t = 0; t < tokens; t++) {
      const z = (f: number) => scores[t * features + f] as number;
      const chosen = [1, 3, 4]
        .sort((a, b) => z(b) - z(a))
        .slice(0, k)
        .filter((f) => z(f) > 0);
      for (let j = 0; j < d; j++) {
        const guess = chosen.reduce((sum, f) => sum + z(f) * (decoder[f * d + j] as number), 0);
        want += ((residual[t * d + j] as number) - guess) ** 2 / (tokens * d);
      }
    }
    const { value, dying } = loss(scores, decoder, k);
    expectClose(value, want, { rtol: 1e-13 });
    expect([...dying]).toEqual([1, 3, 4]);
  }
});

test('its gradients agree with differences, and only dying features have any', () => {
  const [scores, decoder] = [randomF64(tokens * features, 2), randomF64(features * d, 3)];
  const { scoresGrad, decoderGrad } = loss(scores, decoder);
  expectClose(
    scoresGrad,
    numericalGradient((x) => loss(x, decoder).value, scores),
    { atol: 1e-8 },
  );
  expectClose(
    decoderGrad,
    numericalGradient((x) => loss(scores, x).value, decoder),
    { atol: 1e-8 },
  );
  for (const f of [0, 2, 5]) expect([...decoderGrad.subarray(f * d, (f + 1) * d)]).toEqual([0, 0, 0]);
});

test('where all features are used as expected there is no loss and no gradient', () => {
  const ones = { data: new Float64Array(4).fill(1), shape: [2, 2] };
  const { value, scoresGrad, decoderGrad, dying } = auxZipfLoss({
    residual: ones,
    scores: ones,
    decoder: ones,
    usage: [2, 5],
    expected: [6, 2],
  });
  expect([value, ...scoresGrad, ...decoderGrad, dying.length]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
});

test.each([
  ['usage of another length', { usage: [1] }, /usage: expected 2 elements, got 1/],
  ['a negative expectation', { expected: [1, -1] }, /expected: expected a number >= 0, got -1/],
  [
    'a residual of other tokens',
    { residual: { data: Float64Array.of(1, 2), shape: [1, 2] } },
    /residual: expected shape \[2, d\], got \[1, 2\]/,
  ],
  [
    'a decoder of another width',
    { decoder: { data: Float64Array.of(1, 2), shape: [2, 1] } },
    /decoder: expected rows of 2 elements as in residual, got 1/,
  ],
])('%s is refused by name', (_what, part, message) => {
  const matrix = { data: Float64Array.of(1, 2, 3, 4), shape: [2, 2] };
  const input = { residual: matrix, scores: matrix, decoder: matrix, usage: [1, 1], expected: [1, 1] };
  expect(() => auxZipfLoss({ ...input, ...part } as never)).toThrow(message);
});

type Choice = 'token' | 'mutual' | 'feature';
const planted = 24;
const width = 16;
const hidden = 32;
const perToken = 2;

/** Directions of length 1. */
function directions(count: number, random: Random): Float64Array {
  const out = random.fill(new Float64Array(count * width));
  for (let f = 0; f < count; f++) {
    const row = out.subarray(f * width, (f + 1) * width);
    const norm = Math.hypot(...row);
    row.forEach((v, j) => {
      row[j] = v / norm;
    });
  }
  return out;
}

/** Tokens that mix one to three planted directions, those in front more often. */
function draw(dictionary: Float64Array, batch: number, random: Random): Float64Array {
  const x = new Float64Array(batch * width);
  for (let t = 0; t < batch; t++) {
    for (let count = 1 + random.integer(3); count > 0; count--) {
      const f = Math.min(random.integer(planted), random.integer(planted));
      const strength = 0.5 + random.uniform();
      for (let j = 0; j < width; j++) x[t * width + j]! += strength * dictionary[f * width + j]!;
    }
  }
  return x;
}

function choose(choice: Choice, scores: Float64Array, batch: number): Uint8Array {
  const matrix = { data: scores, shape: [batch, hidden] };
  if (choice === 'mutual') return mutualChoice(matrix, { budget: batch * perToken }).mask;
  if (choice === 'token') {
    const mask = new Uint8Array(scores.length);
    topK(matrix, { k: perToken }).indices.forEach((f, at) => {
      mask[Math.floor(at / perToken) * hidden + f] = 1;
    });
    return mask;
  }
  const law = zipfCounts({ features: hidden, budget: batch * perToken, most: batch, exponent: 0.7 });
  // The feature with the largest total score takes the largest budget.
  const totals = new Float64Array(hidden);
  scores.forEach((z, i) => {
    totals[i % hidden]! += Math.max(z, 0);
  });
  const counts = new Int32Array(hidden);
  Array.from(totals.keys())
    .sort((a, b) => totals[b]! - totals[a]!)
    .forEach((f, r) => {
      counts[f] = law[r]!;
    });
  return featureChoice(matrix, { counts }).mask;
}

/** A sparse autoencoder with one allocation rule: how many planted directions it finds, and how many of its features stay dead. */
function train(choice: Choice, aux: boolean, seed: number): { found: number; dead: number } {
  const random = new Random(seed);
  const dictionary = directions(planted, random);
  const weights = new Float64Array(2 * hidden * width);
  const encoder = weights.subarray(0, hidden * width);
  const decoder = weights.subarray(hidden * width);
  decoder.set(directions(hidden, random));
  encoder.set(decoder);
  const [batch, steps] = [128, 800];
  const optimizer = adam({ learningRate: (step) => 0.01 * Math.max(0.05, 1 - step / steps) });
  const state = optimizer.init(weights);
  const usage = new Float64Array(hidden).fill((batch * perToken) / hidden);
  const wanted = zipfCounts({ features: hidden, budget: batch * perToken, most: batch, exponent: 0.7 });
  const scoresOf = (x: Float64Array, count: number) => {
    const z = new Float64Array(count * hidden);
    for (let t = 0; t < count; t++)
      for (let f = 0; f < hidden; f++) {
        let sum = 0;
        for (let j = 0; j < width; j++) sum += x[t * width + j]! * encoder[f * width + j]!;
        z[t * hidden + f] = sum;
      }
    return z;
  };
  for (let step = 0; step < steps; step++) {
    const x = draw(dictionary, batch, random);
    const z = scoresOf(x, batch);
    const mask = choose(choice, z, batch);
    const e = x.slice();
    for (let f = 0; f < hidden; f++) usage[f]! *= 0.95;
    for (let at = 0; at < z.length; at++) {
      if (!mask[at] || z[at]! <= 0) continue;
      const [t, f] = [Math.floor(at / hidden), at % hidden];
      usage[f]! += 0.05;
      for (let j = 0; j < width; j++) e[t * width + j]! -= z[at]! * decoder[f * width + j]!;
    }
    const gz = new Float64Array(z.length);
    const grad = new Float64Array(weights.length);
    const [gEncoder, gDecoder] = [grad.subarray(0, encoder.length), grad.subarray(encoder.length)];
    const scale = -2 / e.length;
    for (let at = 0; at < z.length; at++) {
      if (!mask[at] || z[at]! <= 0) continue;
      const [t, f] = [Math.floor(at / hidden), at % hidden];
      for (let j = 0; j < width; j++) {
        gz[at]! += scale * e[t * width + j]! * decoder[f * width + j]!;
        gDecoder[f * width + j]! += scale * e[t * width + j]! * z[at]!;
      }
    }
    if (aux) {
      const extra = auxZipfLoss(
        {
          residual: { data: e, shape: [batch, width] },
          scores: { data: z, shape: [batch, hidden] },
          decoder: { data: decoder, shape: [hidden, width] },
          usage,
          expected: wanted,
        },
        { k: perToken },
      );
      for (let i = 0; i < gz.length; i++) gz[i]! += extra.scoresGrad[i]! / 32;
      for (let i = 0; i < gDecoder.length; i++) gDecoder[i]! += extra.decoderGrad[i]! / 32;
    }
    for (let at = 0; at < z.length; at++) {
      if (gz[at] === 0) continue;
      const [t, f] = [Math.floor(at / hidden), at % hidden];
      for (let j = 0; j < width; j++) gEncoder[f * width + j]! += gz[at]! * x[t * width + j]!;
    }
    optimizer.step(weights, grad, state);
    for (let f = 0; f < hidden; f++) {
      const row = decoder.subarray(f * width, (f + 1) * width);
      const norm = Math.hypot(...row);
      for (let j = 0; j < width; j++) row[j]! /= norm;
    }
  }
  const count = 1000;
  const z = scoresOf(draw(dictionary, count, random), count);
  const mask = choose(choice, z, count);
  const alive = new Set(Array.from(mask.keys()).flatMap((at) => (mask[at] && z[at]! > 0 ? [at % hidden] : [])));
  let found = 0;
  for (let p = 0; p < planted; p++) {
    let best = 0;
    for (const f of alive) {
      let cosine = 0;
      for (let j = 0; j < width; j++) cosine += dictionary[p * width + j]! * decoder[f * width + j]!;
      best = Math.max(best, cosine);
    }
    if (best > 0.95) found++;
  }
  return { found, dead: hidden - alive.size };
}

// Seeds 11 to 13 gave 19 to 22 of 24 directions with every rule (the rarest are missed: they come once in 576 draws), 9 to 12 dead
// features token by token, as many with mutual choice, and none with feature choice, which gives every feature tokens.
test('feature choice with the auxiliary loss finds a planted dictionary with fewer dead features than k per token', () => {
  const feature = train('feature', true, 1);
  expect(feature.found).toBeGreaterThanOrEqual(18);
  expect(feature.dead).toBeLessThan(train('token', false, 1).dead);
});

test('mutual choice finds a planted dictionary', () => {
  expect(train('mutual', true, 1).found).toBeGreaterThanOrEqual(18);
});
