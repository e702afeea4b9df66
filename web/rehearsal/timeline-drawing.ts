import { html, type Markup, oneLine } from '../../domain/markup.ts';
import { localTimeText } from '../../domain/rehearsal/local-time.ts';
import type { RehearsedRow } from '../../domain/rehearsal/table.ts';

/**
 * Who is told when, as SVG: a lane for each, a mark for each message, and upright lines for what happens to the
 * incident. It fills the width that it gets, since everything is placed by percentages; the table below says the same.
 */
export interface TimelineDrawing {
  rows: readonly RehearsedRow[];
  /** Epoch milliseconds. */
  from: number;
  to: number;
  timeZone: string;
}

const axisHeight = 24;
const laneHeight = 36;
const mostLanes = 14;
/** In percent of the width: marks and texts at the ends stay inside. */
const margin = 2;
const ticks = 5;

/** Lines that are worth seeing; of everything else the table tells. */
const drawnEvents = new Map([
  ['acknowledged', 'acknowledged'],
  ['resolved', 'resolved'],
  ['false_positive', 'false positive'],
  ['sla_breached', 'SLA breached'],
  ['nobody_on_call', 'nobody on call'],
  ['unacknowledged', 'taken back'],
  ['reopened', 'reopened'],
]);

export function timelineDrawing({ rows, from, to, timeZone }: TimelineDrawing): string {
  const messages = rows.filter(({ kind }) => kind === 'message');
  const lanes = [...new Set(messages.map(({ who }) => who))].slice(0, mostLanes);
  const bottom = axisHeight + Math.max(1, lanes.length) * laneHeight;
  const end = Math.max(to, from + 60_000);
  const x = (at: number) =>
    `${(margin + ((100 - 2 * margin) * (Math.min(end, at) - from)) / (end - from)).toFixed(2)}%`;
  const at = (time: number) => localTimeText(timeZone, time);
  const axis = Array.from({ length: ticks }, (_, index) => {
    const time = from + ((end - from) * index) / (ticks - 1);
    const anchor = index === 0 ? 'start' : index === ticks - 1 ? 'end' : 'middle';
    return html`<line class="tick" x1="${x(time)}" x2="${x(time)}" y1="${axisHeight - 4}" y2="${bottom}"/><text class="axis" x="${x(time)}" y="14" text-anchor="${anchor}">${at(time).slice(-8, -3)}</text>`;
  });
  const events = rows.filter(({ kind, type }) => kind === 'event' && drawnEvents.has(type));
  const upright = events.map(
    (row) =>
      html`<line class="event" x1="${x(row.at)}" x2="${x(row.at)}" y1="${axisHeight - 4}" y2="${bottom}"><title>${at(row.at)}: ${drawnEvents.get(row.type) ?? ''}</title></line>`,
  );
  return html`<svg class="rehearsal-chart" width="100%" height="${bottom + 4}" role="img" aria-labelledby="rehearsal-title rehearsal-desc" font-family="inherit" font-size="12">
<title id="rehearsal-title">Who is told when</title>
<desc id="rehearsal-desc">${lanes.length} lanes from ${at(from)} to ${at(end)}; the table below says the same in words.</desc>
${axis}
${upright}
${lanes.map((who, index) => lane(who, axisHeight + index * laneHeight, messages, { x, at }))}
</svg>`.text;
}

function lane(
  who: string,
  top: number,
  messages: readonly RehearsedRow[],
  { x, at }: { x: (time: number) => string; at: (time: number) => string },
): Markup {
  const middle = top + 24;
  return html`<g><text class="lane" x="${margin}%" y="${top + 13}">${oneLine(who, 60)}</text><line class="track" x1="${margin}%" x2="${100 - margin}%" y1="${middle}" y2="${middle}"/>
${messages
  .filter((message) => message.who === who)
  .map(
    (message) =>
      html`<circle class="message ${message.outcome ?? ''}${message.type !== 'escalation.page' && ' notice'}" cx="${x(message.at)}" cy="${middle}" r="5"><title>${at(message.at)}: ${message.what}, ${message.by}, ${message.outcome ?? ''}</title></circle>`,
  )}</g>`;
}
