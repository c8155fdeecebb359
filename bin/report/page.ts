// A self-contained HTML page of SVG plots: no script, no link, nothing to load. The plotting library is loaded when a page is asked for.
import type * as PlotLibrary from '@observablehq/plot';

export type Plot = typeof PlotLibrary;

/** A plot with its heading and the sentence that says what it means. */
export interface Figure {
  readonly title: string;
  readonly meaning: string;
  readonly svg: string;
}

/** Makes figures: `draw` gets the library and the document it has to draw in. */
export async function plotter(): Promise<(options: (plot: Plot) => PlotLibrary.PlotOptions) => string> {
  const plot = await import('@observablehq/plot');
  const { parseHTML } = await import('linkedom');
  const { document } = parseHTML('<!doctype html><body></body>');
  return (options) => {
    const made = plot.plot({
      width: 760,
      height: 300,
      marginLeft: 64,
      marginBottom: 44,
      style: { fontSize: '12px' },
      document,
      ...options(plot),
    } as never);
    const svg = made.tagName.toLowerCase() === 'svg' ? made : made.querySelector('svg:last-of-type');
    svg?.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
    return svg?.outerHTML ?? '';
  };
}

const style = `
body { font: 16px/1.55 system-ui, sans-serif; color: #1b1f24; background: #fff; max-width: 48rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin-bottom: .2rem } h2 { font-size: 1.1rem; margin: 2.2rem 0 .2rem }
p.meaning { margin: 0 0 .6rem; color: #444 } table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
td, th { text-align: left; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid #e3e6ea } td:nth-child(2) { text-align: right; white-space: nowrap }
figure { margin: 0; overflow-x: auto } svg { max-width: 100%; height: auto } footer { margin-top: 3rem; color: #666; font-size: .85rem }`;

/** The page: a lead, a table of facts (name, value, what it means), then the figures. */
export function page(
  title: string,
  lead: string,
  facts: readonly (readonly [string, string, string])[],
  figures: readonly Figure[],
  note: string,
): string {
  const rows = facts.map(
    ([name, value, meaning]) =>
      `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td><td>${escapeHtml(meaning)}</td></tr>`,
  );
  const plots = figures.map(
    ({ title: heading, meaning, svg }) =>
      `<section><h2>${escapeHtml(heading)}</h2><p class="meaning">${escapeHtml(meaning)}</p><figure>${svg}</figure></section>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${style}</style></head><body>
<h1>${escapeHtml(title)}</h1><p>${escapeHtml(lead)}</p>
<table>${rows.join('')}</table>
${plots.join('\n')}
<footer>${escapeHtml(note)}</footer>
</body></html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] as string);
}
