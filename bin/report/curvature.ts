// The curvature report as a page for someone who has never seen a Hessian spectrum.
import type { CurvatureReport } from '../../src/workflows/index.js';
import { short } from '../io/print.js';
import { type Figure, page, plotter } from './page.js';

const ink = '#2457a6';
const warm = '#c2571a';

/** One HTML file. */
export async function curvaturePage(model: string, report: CurvatureReport): Promise<string> {
  const plot = await plotter();
  const { eigenvalues, smallest, density, directionalSharpness, slices, stability, loss } = report;
  const top = eigenvalues[0]!;
  const figures: Figure[] = [];

  // A logarithmic axis that still shows where the density is practically nothing.
  const peak = Math.max(...density.density);
  const spectrum = Array.from(density.grid, (x, i) => ({ x, y: Math.max(density.density[i]!, 1e-6 * peak) }));
  figures.push({
    title: 'How curvature is distributed over directions',
    meaning: `How many directions (upwards) have which curvature (to the right): nearly all lie in the hill near 0, where moving changes the loss little; the few bumps far to the right (up to ${short(top)}) are the steep directions that limit training${smallest[0]! < -0.01 * Math.abs(top) ? ', and the part left of 0 says this point is still a saddle, not a minimum' : ''}. Each mark of the upright axis is ten times as many directions as the one below; the bumps are drawn wider than they are, to be seen.`,
    svg: plot(({ areaY, line, ruleX }) => ({
      x: { label: 'curvature (eigenvalue of the Hessian) →' },
      y: { type: 'log', label: '↑ share of directions (density, log scale)', tickFormat: '~e' },
      marks: [
        areaY(spectrum, { x: 'x', y1: 1e-6 * peak, y2: 'y', fill: ink, fillOpacity: 0.15 }),
        line(spectrum, { x: 'x', y: 'y', stroke: ink }),
        ruleX([0], { strokeDasharray: '2 3' }),
      ],
    })),
  });

  const bars = Array.from(eigenvalues, (value, i) => ({
    rank: i + 1,
    value,
    low: value - report.residuals[i]!,
    high: value + report.residuals[i]!,
  }));
  const error = Math.max(...report.residuals);
  const visible = error > 0.005 * Math.abs(top); // a pixel of the figure
  figures.push({
    title: 'The steepest directions',
    meaning: `Each bar is how sharply the loss curves along one of the ${bars.length} steepest directions: a bar far above the others means that this one direction decides how large steps may be; ${visible ? 'the thin marks show how far off the number can be' : `none is off by more than ${short(error)}`}.`,
    svg: plot(({ barY, ruleX, ruleY }) => ({
      x: { label: 'direction, steepest first', type: 'band' },
      y: { label: '↑ curvature (eigenvalue)', zero: true },
      marks: [
        barY(bars, { x: 'rank', y: 'value', fill: ink }),
        ruleX(bars, { x: 'rank', y1: 'low', y2: 'high', stroke: warm, strokeWidth: 2 }),
        ruleY([0]),
      ],
    })),
  });

  const curves = slices.flatMap(({ t, loss: along }, i) => Array.from(t, (x, j) => ({ x, y: along[j]!, direction: `direction ${i + 1}` })));
  figures.push({
    title: 'The loss along the two steepest directions',
    meaning: `Cuts through the loss, with the model at 0: the narrower the valley, the smaller a step must be to stay in it, and a curve that is lower on one side says that the loss (${short(loss)} here) can still be reduced that way.`,
    svg: plot(({ line, ruleX, dot, text, selectLast }) => ({
      x: { label: 'distance from the parameters →' },
      y: { label: '↑ loss' },
      marginRight: 90,
      color: { domain: ['direction 1', 'direction 2'], range: [ink, warm] },
      marks: [
        ruleX([0], { strokeDasharray: '2 3' }),
        line(curves, { x: 'x', y: 'y', stroke: 'direction' }),
        dot([{ x: 0, y: loss }], { x: 'x', y: 'y', fill: 'black', r: 3 }),
        text(curves, selectLast({ x: 'x', y: 'y', z: 'direction', text: 'direction', fill: 'direction', textAnchor: 'start', dx: 6 })),
      ],
    })),
  });

  const names = { sgd: 'SGD', momentum: 'momentum', adam: 'Adam', sign: 'sign descent', clipped: 'clipped SGD' } as const;
  const along = Object.entries(directionalSharpness).map(([name, value]) => ({ name: names[name as keyof typeof names], value }));
  const [sharpest] = [...along].sort((a, b) => b.value - a.value);
  const [gentlest] = [...along].sort((a, b) => a.value - b.value);
  figures.push({
    title: 'What each optimizer would meet',
    meaning: `The curvature along the next step of each optimizer, at equal step length: ${sharpest!.name} moves into the sharpest direction (${short(sharpest!.value)}), ${gentlest!.name} into the gentlest (${short(gentlest!.value)}), so the latter can take longer steps here.`,
    svg: plot(({ barX, ruleX }) => ({
      marginLeft: 110,
      height: 220,
      x: { label: 'curvature along the step →' },
      y: { label: null, domain: along.map(({ name }) => name) },
      marks: [barX(along, { x: 'value', y: 'name', fill: ink }), ruleX([0])],
    })),
  });

  const limits = [
    { name: 'full batch', value: stability.gradientDescent },
    { name: `batches of ${stability.batchSize}`, value: stability.stochastic },
  ].filter(({ value }) => Number.isFinite(value));
  if (limits.length > 0)
    figures.push({
      title: 'The largest stable learning rate',
      meaning: `Plain gradient descent with a learning rate above its bar is thrown out of this minimum, over all samples at once or in batches of ${stability.batchSize}; a flatter minimum would have longer bars, and momentum or Adam have limits of their own.`,
      svg: plot(({ barX, ruleX, text }) => ({
        marginLeft: 110,
        marginRight: 70,
        height: 150,
        x: { label: 'learning rate →' },
        y: { label: null, domain: limits.map(({ name }) => name) },
        marks: [
          barX(limits, { x: 'value', y: 'name', fill: warm }),
          text(limits, { x: 'value', y: 'name', text: ({ value }: { value: number }) => short(value), dx: 6, textAnchor: 'start' }),
          ruleX([0]),
        ],
      })),
    });
  return page(`Curvature of ${model}`, leadOf(report), factsOf(report), figures, noteOf(report));
}

function leadOf({ samples, of, parameters }: CurvatureReport): string {
  const used = samples === of ? `all ${of} samples` : `${samples} of ${of} samples`;
  return `How the loss of this network bends around its ${parameters} parameters, measured on ${used}. Curvature is how fast the slope of the loss changes on the way in one direction: 0 is flat, large is a narrow valley. Flat is good: the model tolerates rounding, pruning and larger learning rates.`;
}

/** The numbers with a plain sentence each; the terminal prints the same. */
export function factsOf(report: CurvatureReport): (readonly [string, string, string])[] {
  const { trace, stability } = report;
  return [
    ['loss', short(report.loss), 'mean over the samples'],
    ['gradient norm', short(report.gradientNorm), 'near 0 at a minimum'],
    ['sharpness', short(report.eigenvalues[0]!), 'curvature of the steepest direction'],
    ['lowest curvature', short(report.smallest[0]!), 'below 0: a direction in which the loss bends downwards'],
    ['trace', `${short(trace.estimate)} ± ${short(trace.standardError)}`, 'curvature summed over all directions'],
    ['SAM sharpness', short(report.samSharpness), `rise of the loss at the worst point at distance ${report.rho}`],
    ['adaptive sharpness', short(report.adaptiveSharpness), 'the same in units of the weights'],
    ['largest stable learning rate', short(stability.gradientDescent), 'full-batch gradient descent, 2/sharpness'],
    [`… in batches of ${stability.batchSize}`, short(stability.stochastic), '2/batch sharpness'],
  ];
}

function noteOf({ products, seconds }: CurvatureReport): string {
  return `afterpass: ${products} exact Hessian-vector products in ${seconds.toFixed(1)} s. Eigenvalues by Lanczos with full re-orthogonalisation, density by stochastic Lanczos quadrature, trace by deflated Hutchinson probes.`;
}
