// A transport plan as SVG: lines between points in the plane, or the plan itself as a picture.

/** Two point sets in the plane and what moves between them. */
interface Cloud {
  readonly data: ArrayLike<number>;
  readonly rows: number;
}
const side = 640;
const margin = 24;

/** Points of x (blue) and y (orange) [rows, 2] with one line per entry of the plan, as wide and dark as it is heavy. */
export function pointPicture(x: Cloud, y: Cloud, plan: ArrayLike<number>): string {
  const [low, high] = [
    [Infinity, Infinity],
    [-Infinity, -Infinity],
  ];
  for (const { data, rows } of [x, y]) {
    for (let k = 0; k < 2 * rows; k++) {
      low[k % 2] = Math.min(low[k % 2]!, Number(data[k]));
      high[k % 2] = Math.max(high[k % 2]!, Number(data[k]));
    }
  }
  const span = Math.max(high[0]! - low[0]!, high[1]! - low[1]!) || 1;
  const place = ({ data }: Cloud, i: number) => {
    const left = margin + ((Number(data[2 * i]) - low[0]!) / span) * (side - 2 * margin);
    const up = side - margin - ((Number(data[2 * i + 1]) - low[1]!) / span) * (side - 2 * margin);
    return [left.toFixed(1), up.toFixed(1)] as const;
  };
  let most = 0;
  for (let k = 0; k < plan.length; k++) most = Math.max(most, Number(plan[k]));
  const lines: string[] = [];
  for (let k = 0; k < plan.length; k++) {
    const share = Number(plan[k]) / (most || 1);
    if (share < 0.01) continue; // what cannot be seen
    const [x1, y1] = place(x, Math.floor(k / y.rows));
    const [x2, y2] = place(y, k % y.rows);
    lines.push(`<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke-opacity="${share.toFixed(2)}"/>`);
  }
  const dots = (cloud: Cloud, colour: string) =>
    `<g fill="${colour}">${Array.from({ length: cloud.rows }, (_, i) => {
      const [cx, cy] = place(cloud, i);
      return `<circle cx="${cx}" cy="${cy}" r="3.5"/>`;
    }).join('')}</g>`;
  return svg(`<g stroke="#555" stroke-width="1">${lines.join('')}</g>${dots(x, '#1f6fb2')}${dots(y, '#e07b00')}`);
}

/** The plan [rows, cols] as a picture of at most 160 × 160 cells; dark is heavy. */
export function matrixPicture(plan: ArrayLike<number>, rows: number, cols: number): string {
  const [high, wide] = [Math.min(160, rows), Math.min(160, cols)];
  const cells = new Float64Array(high * wide);
  for (let k = 0; k < plan.length; k++) {
    const i = Math.floor((Math.floor(k / cols) * high) / rows);
    const j = Math.floor(((k % cols) * wide) / cols);
    cells[i * wide + j]! += Number(plan[k]);
  }
  const most = cells.reduce((m, v) => Math.max(m, v), 0) || 1;
  const size = (side - 2 * margin) / Math.max(high, wide);
  const squares = Array.from(cells, (value, k) => {
    const share = value / most;
    if (share < 0.005) return '';
    const left = margin + (k % wide) * size;
    const top = margin + Math.floor(k / wide) * size;
    return `<rect x="${left.toFixed(2)}" y="${top.toFixed(2)}" width="${size.toFixed(2)}" height="${size.toFixed(2)}" fill-opacity="${Math.sqrt(share).toFixed(2)}"/>`;
  });
  const frame = `<rect x="${margin}" y="${margin}" width="${(wide * size).toFixed(2)}" height="${(high * size).toFixed(2)}" fill="none" stroke="#999"/>`;
  return svg(`<g fill="#10243f">${squares.join('')}</g>${frame}`);
}

function svg(content: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${side} ${side}" width="${side}" height="${side}"><rect width="100%" height="100%" fill="#fff"/>${content}</svg>\n`;
}
