// A page that solves entropic transport at every move of a slider and draws the loss surface of a small network around its weights.
import { DenseModel } from 'afterpass/dense';
import { sinkhorn } from 'afterpass/transport';

const wave = (n, seed) => Float32Array.from({ length: n }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed) * 0.7);
const cloud = (n, x, y, seed) => wave(2 * n, seed).map((v, i) => v * 0.35 + (i % 2 ? y : x));

const points = { x: { data: cloud(40, -0.5, -0.3, 1), shape: [40, 2] }, y: { data: cloud(40, 0.5, 0.3, 2), shape: [40, 2] } };
const place = (v) => 210 + 190 * v;

/** Draws both clouds and a line for every pair, as dark as its share of the plan. */
function drawPlan(epsilon) {
  const start = performance.now();
  const { plan, iterations, value } = sinkhorn(points, { epsilon });
  const milliseconds = performance.now() - start;
  const { data } = plan();
  const pen = document.getElementById('plan').getContext('2d');
  pen.clearRect(0, 0, 420, 420);
  for (let i = 0; i < 40; i++) {
    for (let j = 0; j < 40; j++) {
      const share = data[i * 40 + j] * 40;
      if (share < 0.02) continue;
      pen.strokeStyle = `rgba(0, 90, 200, ${Math.min(1, share)})`;
      pen.beginPath();
      pen.moveTo(place(points.x.data[2 * i]), place(points.x.data[2 * i + 1]));
      pen.lineTo(place(points.y.data[2 * j]), place(points.y.data[2 * j + 1]));
      pen.stroke();
    }
  }
  for (const [{ data: cloudData }, colour] of [
    [points.x, '#c30'],
    [points.y, '#083'],
  ]) {
    pen.fillStyle = colour;
    for (let i = 0; i < 40; i++) pen.fillRect(place(cloudData[2 * i]) - 3, place(cloudData[2 * i + 1]) - 3, 6, 6);
  }
  document.getElementById('said').textContent =
    `${epsilon.toFixed(4)}: ${iterations} iterations, ${milliseconds.toFixed(1)} ms, value ${value.toFixed(4)}`;
  return { iterations, value };
}

/** The loss on a grid of two directions, then gradient steps drawn on it. */
async function drawLandscape() {
  const model = DenseModel.create({
    layers: [
      { weight: { data: wave(16, 3), shape: [8, 2] }, bias: wave(8, 4), activation: 'tanh' },
      { weight: { data: wave(16, 5), shape: [2, 8] }, bias: wave(2, 6), activation: 'identity' },
    ],
    loss: 'cross-entropy',
  });
  const batch = {
    x: { data: Float32Array.of(...points.x.data, ...points.y.data), shape: [80, 2] },
    y: Int32Array.from({ length: 80 }, (_, i) => (i < 40 ? 0 : 1)),
  };
  const centre = model.getParameters().slice();
  const { grad } = await model.gradient(batch);
  const length = Math.hypot(...grad);
  const down = grad.map((g) => -g / length);
  const across = wave(centre.length, 7);
  const overlap = across.reduce((sum, v, i) => sum + v * down[i], 0);
  const side = across.map((v, i) => v - overlap * down[i]);
  const width = Math.hypot(...side);
  const at = (p, q) => centre.map((w, i) => w + p * down[i] + (q * side[i]) / width);
  const cells = 28;
  const pen = document.getElementById('landscape').getContext('2d');
  const losses = [];
  for (let row = 0; row < cells; row++) {
    for (let column = 0; column < cells; column++) {
      model.setParameters(at((column / cells) * 6 - 2, (row / cells) * 6 - 3));
      losses.push(await model.loss(batch));
    }
  }
  const [low, high] = [Math.min(...losses), Math.max(...losses)];
  for (const [i, loss] of losses.entries()) {
    const shade = Math.round((255 * Math.log(loss / low)) / Math.log(high / low));
    pen.fillStyle = `rgb(${shade}, ${Math.round(60 + shade / 2)}, ${255 - shade})`;
    pen.fillRect((i % cells) * 15, Math.floor(i / cells) * 15, 15, 15);
  }
  model.setParameters(centre);
  const first = await model.loss(batch);
  for (let step = 0; step < 50; step++) {
    const { grad: g } = await model.gradient(batch);
    const w = model.getParameters();
    model.setParameters(w.map((v, i) => v - 0.5 * g[i]));
  }
  const last = await model.loss(batch);
  document.getElementById('descent').textContent = `50 gradient steps: loss ${first.toFixed(4)} to ${last.toFixed(4)}`;
  return { low, high, first, last };
}

/** Distinct colours of a canvas: a blank one has one. */
function colours(id) {
  const { data } = document.getElementById(id).getContext('2d').getImageData(0, 0, 420, 420);
  return new Set(new Uint32Array(data.buffer)).size;
}

const slider = document.getElementById('epsilon');
slider.addEventListener('input', () => drawPlan(10 ** Number(slider.value)));
const plan = drawPlan(10 ** Number(slider.value));
const landscape = await drawLandscape();
if (new URLSearchParams(location.search).has('check')) {
  await fetch('/result', { method: 'POST', body: JSON.stringify({ plan, landscape, colours: [colours('plan'), colours('landscape')] }) });
}
