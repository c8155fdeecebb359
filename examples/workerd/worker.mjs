// A Worker that ranks and matches embeddings: no start-up call, no code generation, a few hundred microseconds of work per request.
import { topK } from 'afterpass/sorting';
import { sinkhorn } from 'afterpass/transport';

/** Rows of vectors as one tensor of unit rows. */
function unitRows(rows) {
  const width = rows[0].length;
  const data = new Float32Array(rows.length * width);
  for (const [i, row] of rows.entries()) {
    const norm = Math.hypot(...row) || 1;
    for (let j = 0; j < width; j++) data[i * width + j] = row[j] / norm;
  }
  return { data, shape: [rows.length, width] };
}

/** Cosine similarities [queries, items]. */
function similarities(x, y) {
  const [n, width] = x.shape;
  const m = y.shape[0];
  const out = new Float32Array(n * m);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < m; j++) for (let k = 0; k < width; k++) out[i * m + j] += x.data[i * width + k] * y.data[j * width + k];
  return out;
}

/** The k nearest items of every query. */
function rank(queries, items, k) {
  const scores = similarities(unitRows(queries), unitRows(items));
  return queries.map((_, i) => {
    const { values, indices } = topK(scores.subarray(i * items.length, (i + 1) * items.length), { k });
    return Array.from(indices, (item, place) => ({ item, score: values[place] }));
  });
}

/** One item for every query such that all items share the queries evenly: the rows of an entropic transport plan. */
function match(queries, items, epsilon = 0.05) {
  const { plan, converged } = sinkhorn({ x: unitRows(queries), y: unitRows(items), costFunction: 'cosine' }, { epsilon });
  const { data } = plan();
  const width = items.length;
  const matches = queries.map((_, i) => {
    const row = data.subarray(i * width, (i + 1) * width);
    return row.indexOf(row.reduce((a, b) => Math.max(a, b)));
  });
  return { matches, converged };
}

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (request.method !== 'POST') return new Response('POST { queries, items, k } to /rank or /match\n', { status: 405 });
    try {
      const { queries, items, k = 3, epsilon } = await request.json();
      if (pathname === '/rank') return Response.json(rank(queries, items, k));
      if (pathname === '/match') return Response.json(match(queries, items, epsilon));
      return new Response('not found\n', { status: 404 });
    } catch (error) {
      return Response.json({ error: error.message }, { status: 400 });
    }
  },
};
