import { html, type Markup, oneLine } from '../../domain/markup.ts';
import { dayMs, instantOf, timeOfDay, wallTimeAt } from '../../domain/wall-clock.ts';
import { dayText, momentText } from './times.ts';

/**
 * A stretch of a schedule as SVG: it fills the width that it gets, with its type at 12 px, since everything is placed by
 * percentages; names are cut off by their own block. Each lane is a rotation, the last what comes of all of them.
 */
export interface ScheduleDrawing {
  /** The SVG's ids begin with it. */
  id: string;
  title: string;
  description: string;
  /** Epoch milliseconds. */
  from: number;
  to: number;
  now: number;
  /** In which the days are drawn. */
  zone: string;
  /** Its own days stand below where they are others. */
  scheduleZone: string;
  lanes: Lane[];
}

export interface Lane {
  name: string;
  blocks: Block[];
  /** Where nobody is on call: hatched, and named. */
  gaps: { from: number; to: number }[];
  /** What comes of all rotations. */
  final: boolean;
}

export interface Block {
  from: number;
  to: number;
  name: string;
  /** Each person has a tint, by a number. */
  tint: number;
  override: boolean;
  shadow: boolean;
}

export const tints = 6;

const axisHeight = 24;
const laneNameHeight = 20;
const rowHeight = 26;
const laneGap = 8;
const footHeight = 22;

export function scheduleDrawing(drawing: ScheduleDrawing): string {
  const { id, from, to, zone, scheduleZone } = drawing;
  const lanes = drawing.lanes.map((lane) => ({ ...lane, rows: rowsOf(lane) }));
  let top = axisHeight;
  const placed = lanes.map((lane) => {
    const y = top;
    top += laneNameHeight + Math.max(1, lane.rows.length) * rowHeight + laneGap;
    return { ...lane, y };
  });
  const others =
    zone === scheduleZone || sameClock(zone, scheduleZone, from, to) ? [] : midnights(scheduleZone, from, to);
  const bottom = top + (others.length > 0 ? footHeight : 0);
  const x = (at: number): string =>
    `${((100 * (Math.min(to, Math.max(from, at)) - from)) / (to - from)).toFixed(3)}%`;
  const width = (span: { from: number; to: number }): string =>
    `${((100 * (Math.min(to, span.to) - Math.max(from, span.from))) / (to - from)).toFixed(3)}%`;
  const vertical = (at: number, kind: string): Markup =>
    html`<line class="${kind}" x1="${x(at)}" x2="${x(at)}" y1="${kind === 'day' ? 0 : axisHeight - 4}" y2="${top}"/>`;
  const days = midnights(zone, from, to);

  return html`<svg class="on-call-chart" width="100%" height="${bottom}" role="img" aria-labelledby="${id}-title ${id}-desc" font-family="inherit" font-size="12">
<title id="${id}-title">${drawing.title}</title>
<desc id="${id}-desc">${drawing.description}</desc>
<defs><pattern id="${id}-hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-ground" width="7" height="7"/><line class="hatch" x1="0" y1="0" x2="0" y2="7"/></pattern></defs>
${days.map((at, index) => html`${vertical(at, 'day')}<svg x="${x(at)}" y="0" width="${width({ from: at, to: days[index + 1] ?? to })}" height="${axisHeight}"><text class="axis" x="4" y="15">${dayLabel(dayText(zone, at))}</text></svg>`)}
${placed.map((lane) => laneMarkup(lane, { id, zone, x, width }))}
${clockChanges(drawing).map(({ at, label }) => html`${vertical(at, 'clock-change')}<text class="axis" x="${x(at)}" y="${top - 4}" dx="${at - from > (to - from) / 2 ? -4 : 4}" text-anchor="${at - from > (to - from) / 2 ? 'end' : 'start'}">${label}</text>`)}
${others.map((at) => html`<line class="day" x1="${x(at)}" x2="${x(at)}" y1="${top}" y2="${top + 8}"/><svg x="${x(at)}" y="${top}" width="${width({ from: at, to: at + dayMs })}" height="${footHeight}"><text class="axis" x="4" y="14">${dayText(scheduleZone, at).slice(0, 3)}</text></svg>`)}
${drawing.now >= from && drawing.now < to && html`${vertical(drawing.now, 'now')}<circle class="now" cx="${x(drawing.now)}" cy="${axisHeight - 4}" r="4"><title>now, ${momentText(zone, drawing.now)}</title></circle>`}
</svg>`.text;
}

/** 'Mon 23 Nov', whose month a phone leaves out. */
function dayLabel(text: string): Markup {
  const end = text.lastIndexOf(' ');
  return html`${text.slice(0, end)}<tspan class="month">${text.slice(end)}</tspan>`;
}

interface Scale {
  id: string;
  zone: string;
  x: (at: number) => string;
  width: (span: { from: number; to: number }) => string;
}

function laneMarkup(lane: Lane & { rows: Block[][]; y: number }, { id, zone, x, width }: Scale): Markup {
  const top = lane.y + laneNameHeight;
  const tall = rowHeight - 4;
  const span = ({ from, to }: { from: number; to: number }) =>
    `${momentText(zone, from)} to ${momentText(zone, to)}`;
  const cell = (at: { from: number; to: number }, row: number, look: Look): Markup => {
    const y = top + row * rowHeight;
    return html`<g><title>${look.title}, ${span(at)}</title><rect class="${look.kind}" x="${x(at.from)}" y="${y}" width="${width(at)}" height="${tall}" rx="3"${look.fill && html` fill="url(#${look.fill})"`}/><svg x="${x(at.from)}" y="${y}" width="${width(at)}" height="${tall}"><text class="name${look.fill && ' gap'}" x="6" y="15">${look.name}</text></svg></g>`;
  };
  const blocks = lane.rows.map((row, index) =>
    row.map(({ name, tint, override, shadow, ...at }) => {
      const title = `${name}${shadow ? ' (shadow)' : ''}${override ? ' (override)' : ''}`;
      const kind = `block tint-${tint}${override ? ' override' : ''}${shadow ? ' shadow' : ''}`;
      return cell(at, index, { title, kind, name: `${override ? '⇄ ' : ''}${oneLine(name, 80)}` });
    }),
  );
  const gaps = lane.gaps.map((gap) =>
    cell(gap, 0, { title: 'nobody', kind: 'gap', name: 'nobody', fill: `${id}-hatch` }),
  );
  return html`<text class="lane${lane.final && ' final'}" x="0" y="${lane.y + 14}">${oneLine(lane.name, 60)}</text>
${blocks}
${gaps}`;
}

interface Look {
  title: string;
  kind: string;
  name: string;
  /** Id of a pattern. */
  fill?: string;
}

/** Blocks that overlap stand below each other; who shadows below those who answer, whose gaps stand in the first row. */
function rowsOf(lane: Lane): Block[][] {
  const answering = inRows(lane.blocks.filter(({ shadow }) => !shadow));
  const first = answering.length === 0 && lane.gaps.length > 0 ? [[]] : answering;
  return [...first, ...inRows(lane.blocks.filter(({ shadow }) => shadow))];
}

/** In the order of time each takes the first row that is free. */
function inRows(blocks: readonly Block[]): Block[][] {
  const rows: Block[][] = [];
  for (const block of blocks.toSorted((a, b) => a.from - b.from)) {
    const free = rows.find((row) => (row.at(-1)?.to ?? 0) <= block.from);
    if (free) free.push(block);
    else rows.push([block]);
  }
  return rows;
}

/** When days begin in the zone, within [from, to). */
function midnights(zone: string, from: number, to: number): number[] {
  const wall = wallTimeAt(zone, from);
  const found: number[] = [];
  for (let day = wall - timeOfDay(wall); ; day += dayMs) {
    const at = instantOf(zone, day);
    if (at >= to) return found;
    if (at >= from) found.push(at);
  }
}

function sameClock(one: string, other: string, from: number, to: number): boolean {
  return [from, to].every((at) => wallTimeAt(one, at) === wallTimeAt(other, at));
}

/** Where the clocks of either zone change: a day that is 23 or 25 hours long looks wrong without a word. */
function clockChanges({ zone, scheduleZone, from, to }: ScheduleDrawing): { at: number; label: string }[] {
  const changes = [...new Set([zone, scheduleZone])].flatMap((each) => {
    const shift = offsetOf(each, to) - offsetOf(each, from);
    if (shift === 0) return [];
    const hours = Math.abs(shift) / 3_600_000;
    const label = `clocks ${shift > 0 ? 'forward' : 'back'} ${hours} h`;
    return [{ at: changeOf(each, from, to), label: each === zone ? label : `${label} (${each})` }];
  });
  const [first, second] = changes;
  return first && second && first.at === second.at ? [first] : changes;
}

function changeOf(zone: string, from: number, to: number): number {
  let [before, after] = [from, to];
  const offset = offsetOf(zone, from);
  while (after - before > 1000) {
    const middle = Math.floor((before + after) / 2);
    if (offsetOf(zone, middle) === offset) before = middle;
    else after = middle;
  }
  return Math.round(after / 1000) * 1000;
}

function offsetOf(zone: string, at: number): number {
  return wallTimeAt(zone, at) - at;
}
