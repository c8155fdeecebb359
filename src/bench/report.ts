// The benchmark as one HTML file without scripts: a roofline, bars of shares and ratios, the table. Plain SVG, no library.

import { keyOf } from './compare.js';
import type { Limits } from './limits.js';
import type { Row } from './row.js';

export interface ReportInput {
  readonly title: string;
  readonly machine: Readonly<Record<string, unknown>>;
  readonly limits: Readonly<Record<string, Limits>>;
  readonly cases: readonly Row[];
}

const width = 860;
const height = 420;
const margin = { left: 64, right: 20, top: 16, bottom: 44 };

/** The page. */
export function report({ title, machine, limits, cases }: ReportInput): string {
  const facts = Object.entries(machine)
    .filter(([, value]) => typeof value !== 'object')
    .map(([name, value]) => `${name} ${value}`)
    .join(' · ');
  const builds = Object.keys(limits);
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${escaped(title)}</title>
<style>
body{font:15px/1.5 system-ui,sans-serif;max-width:${width}px;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;width:100%;font-size:13px}th,td{padding:.25em .6em;border-bottom:1px solid #ddd;text-align:right}
th:first-child,td:first-child,th:last-child,td:last-child{text-align:left}td{white-space:nowrap}td:last-child{white-space:normal}svg{width:100%;height:auto}svg text{font:11px system-ui,sans-serif;fill:#333}small{color:#666}
</style>
<h1>${escaped(title)}</h1><p><small>${escaped(facts)}</small></p>
${builds
  .map(
    (build) =>
      `<h2>Roofline, ${escaped(build)} build</h2>${roofline(
        limits[build] as Limits,
        cases.filter((row) => row.build === build),
      )}`,
  )
  .join('\n')}
<h2>Share of the limit</h2>${bars(cases.filter(({ share }) => share !== null).map((row) => [keyOf(row), row.share as number]))}
<h2>All rows</h2>${rowsTable(cases)}
<p><small>±: the median of another run lies so near 19 times of 20; IQR: the middle half of all samples; against: the time of that way over ours.</small></p>
</html>
`;
}

/** Log-log: flop per byte to the right, GFLOP/s upwards; roofs from reading in L1, L2 and the largest set, and the tile peak. */
function roofline(limits: Limits, rows: readonly Row[]): string {
  const points = rows.filter(({ work }) => work.flops && work.bytes);
  const intensities = points.map(({ work }) => (work.flops as number) / (work.bytes as number));
  const x = scale(Math.min(0.05, ...intensities), Math.max(100, ...intensities), margin.left, width - margin.right);
  const speeds = points.map(({ work, median }) => (work.flops as number) / median / 1e6);
  const y = scale(Math.min(0.5, ...speeds), 1.5 * limits.float32, height - margin.bottom, margin.top);
  const levels: [string, number][] = [
    ['L1', limits.read[1]?.rate ?? 0],
    ['L2', limits.read[6]?.rate ?? 0],
    ['largest', limits.read.at(-1)?.rate ?? 0],
  ];
  const roofs = levels.map(([name, rate]) => {
    const ridge = limits.float32 / rate;
    const start = x.low;
    return `<polyline points="${x.at(start)},${y.at(start * rate)} ${x.at(ridge)},${y.at(limits.float32)}" fill="none" stroke="#888"/>
<text x="${x.at(start) + 4}" y="${y.at(start * rate) - 4}">${name} ${Math.round(rate)} GB/s</text>`;
  });
  const peaks = (['float32', 'float64'] as const).map(
    (precision) =>
      `<line x1="${x.at(x.low)}" x2="${x.at(x.high)}" y1="${y.at(limits[precision])}" y2="${y.at(limits[precision])}" stroke="#888" stroke-dasharray="${precision === 'float32' ? '' : '4'}"/>
<text x="${x.at(x.high)}" y="${y.at(limits[precision]) - 4}" text-anchor="end">${precision} ${limits[precision].toFixed(1)} GFLOP/s</text>`,
  );
  const places = points.map((_, i) => [x.at(intensities[i] as number), y.at(speeds[i] as number)] as const);
  const names = labels(
    places,
    points.map((row) => `${row.name} ${row.size.join('×')}`),
  );
  const marks = points.map((row, i) => {
    const [cx, cy] = places[i] as readonly [number, number];
    return `<circle cx="${cx}" cy="${cy}" r="4" fill="#06c"><title>${escaped(keyOf(row))}: ${(speeds[i] as number).toFixed(1)} GFLOP/s</title></circle>
${names[i]}`;
  });
  return `<svg viewBox="0 0 ${width} ${height}">${axis(x, 'x')}${axis(y, 'y')}${roofs.join('')}${peaks.join('')}${marks.join('')}
<text x="${width / 2}" y="${height - 6}" text-anchor="middle">flop per byte</text><text x="8" y="12">GFLOP/s</text></svg>`;
}

/** One text beside each point: to the right where there is room, else to the left, moved up or down until it covers no other. */
function labels(points: readonly (readonly [number, number])[], texts: readonly string[]): string[] {
  const taken: { left: number; right: number; y: number }[] = points.map(([cx, cy]) => ({ left: cx - 4, right: cx + 4, y: cy }));
  return points.map(([cx, cy], i) => {
    const text = texts[i] as string;
    const length = 6.2 * text.length; // of 11 px letters
    const onRight = cx + 6 + length < width - margin.right;
    const [left, right] = onRight ? [cx + 6, cx + 6 + length] : [cx - 6 - length, cx - 6];
    const free = (y: number): boolean => taken.every((t) => t.right < left || t.left > right || Math.abs(t.y - y) >= 11);
    const shift = [0, 11, -11, 22, -22, 33, -33].find((by) => free(cy + by)) ?? 0;
    taken.push({ left, right, y: cy + shift });
    return `<text x="${onRight ? left : right}" y="${cy + shift + 4}"${onRight ? '' : ' text-anchor="end"'}>${escaped(text)}</text>`;
  });
}

interface Scale {
  low: number;
  high: number;
  at(value: number): number;
}

function scale(low: number, high: number, from: number, to: number): Scale {
  const span = Math.log(high / low);
  return { low, high, at: (value) => Number((from + (Math.log(value / low) / span) * (to - from)).toFixed(1)) };
}

function axis(s: Scale, direction: 'x' | 'y'): string {
  const ticks: string[] = [];
  for (let power = Math.ceil(Math.log10(s.low)); power <= Math.log10(s.high); power++) {
    const place = s.at(10 ** power);
    const label = 10 ** power >= 1 ? String(10 ** power) : (10 ** power).toFixed(-power);
    ticks.push(
      direction === 'x'
        ? `<line x1="${place}" x2="${place}" y1="${margin.top}" y2="${height - margin.bottom}" stroke="#eee"/><text x="${place}" y="${height - margin.bottom + 16}" text-anchor="middle">${label}</text>`
        : `<line x1="${margin.left}" x2="${width - margin.right}" y1="${place}" y2="${place}" stroke="#eee"/><text x="${margin.left - 6}" y="${place + 4}" text-anchor="end">${label}</text>`,
    );
  }
  return ticks.join('');
}

function bars(values: readonly (readonly [string, number])[]): string {
  const line = 20;
  const from = 300;
  const full = width - from - 60;
  const rows = values.map(
    ([name, share], i) => `<text x="${from - 8}" y="${i * line + 14}" text-anchor="end">${escaped(name)}</text>
<rect x="${from}" y="${i * line + 3}" width="${(full * share).toFixed(1)}" height="${line - 6}" fill="#06c"/><text x="${from + full * share + 6}" y="${i * line + 14}">${Math.round(share * 100)} %</text>`,
  );
  return `<svg viewBox="0 0 ${width} ${values.length * line + 4}"><line x1="${from + full}" x2="${from + full}" y1="0" y2="${values.length * line}" stroke="#888"/>${rows.join('')}</svg>`;
}

function rowsTable(rows: readonly Row[]): string {
  const names = [...new Set(rows.flatMap(({ baselines }) => Object.keys(baselines)))];
  const cell = (row: Row, name: string): string => {
    const found = row.baselines[name];
    return found ? (found.absent ? 'absent' : `${(found.ratio as number).toFixed(2)}×`) : '';
  };
  const lines = rows.map(
    (
      row,
    ) => `<tr><td>${escaped(keyOf(row))}</td><td>${time(row.median)}</td><td>${row.relative.centres.length > 2 ? `± ${((50 * row.spread) / row.median).toFixed(1)} %` : ''}</td>
<td>${((100 * (row.quartiles[1] - row.quartiles[0])) / row.median).toFixed(1)} %</td>
<td>${row.rate === null ? '' : `${row.rate.toFixed(1)} ${row.rateUnit}`}</td><td>${row.share === null ? '' : `${Math.round(row.share * 100)} %`}</td>
${names.map((name) => `<td>${cell(row, name)}</td>`).join('')}<td>${escaped(row.warnings.join('; '))}</td></tr>`,
  );
  return `<table><tr><th>case</th><th>median</th><th>±</th><th>IQR</th><th>rate</th><th>of limit</th>${names
    .map((name) => `<th>against ${escaped(name)}</th>`)
    .join('')}<th>remarks</th></tr>${lines.join('\n')}</table>`;
}

/** Milliseconds in the unit that fits. */
export function time(milliseconds: number): string {
  const [value, unit] =
    milliseconds >= 1 ? [milliseconds, 'ms'] : milliseconds >= 1e-3 ? [milliseconds * 1e3, 'µs'] : [milliseconds * 1e6, 'ns'];
  return `${value >= 100 ? Math.round(value) : Number(value.toPrecision(3))} ${unit}`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}
