import { html, type Markup } from '../markup.ts';

/**
 * What charts as SVG for pages have in common. They fill the width that they get and keep their type at 12 px: what
 * must stretch is drawn in a nested SVG without a fixed aspect ratio, what must not is placed by percentages. Colours
 * are the page's tokens with a fallback each; there is no inline style, so a strict CSP lets them through.
 */
export const plotHeight = 180;
export const plotTop = 20;
export const height = plotTop + plotHeight + 28;
/** Right of it, in percent of the width, stands the value axis of a line chart. */
export const plotWidth = 88;

export const ink = 'var(--ink-2, #50545a)';
export const grid = 'var(--line, #e4e3de)';
export const data = 'var(--accent, #0f6a5b)';
export const forecast = 'var(--busy, #6344b8)';
export const limit = 'var(--critical, #b3261e)';
const surface = 'var(--surface, #ffffff)';

export interface Point {
  /** Epoch ms. */
  at: number;
  value: number;
}

export function stroke(path: string, colour: string, width: number, dashes?: string): Markup {
  return html`<path d="${path}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-linejoin="round" vector-effect="non-scaling-stroke"${dashes !== undefined && html` stroke-dasharray="${dashes}"`}/>`;
}

/** With a halo in the page's colour, so that it can be read on a line. */
export function label(x: string, y: number, anchor: string, colour: string, text: string): Markup {
  return html`<text x="${x}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="${colour}" stroke="${surface}" stroke-width="3" stroke-linejoin="round" paint-order="stroke">${text}</text>`;
}

/** The whole drawing, named for those who don't see it: its SVG's ids begin with `id`. */
export function frame(
  { id, title, description }: { id: string; title: string; description: string },
  tall: number,
  content: Markup,
): Markup {
  return html`<svg class="chart" width="100%" height="${tall}" role="img" aria-labelledby="${id}-title ${id}-desc" font-family="inherit" font-size="12">
<title id="${id}-title">${title}</title>
<desc id="${id}-desc">${description}</desc>
${content}
</svg>`;
}

/** What stretches: 1000 wide whatever the page, and as high as its pixels. */
export function plot(content: Markup): Markup {
  return html`<svg x="0" y="${plotTop}" width="${plotWidth}%" height="${plotHeight}" viewBox="0 0 1000 ${plotHeight}" preserveAspectRatio="none">
${content}
</svg>`;
}
