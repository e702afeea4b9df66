import type { RehearsalAnswer } from '../../db/rehearsal.ts';
import { formatDuration } from '../../domain/duration.ts';
import { localTimeText } from '../../domain/rehearsal/local-time.ts';
import type { RehearsedRow } from '../../domain/rehearsal/table.ts';
import type { PageCount, RehearsedWeek, WeekSide } from '../../domain/rehearsal/week.ts';
import { formatPeriod } from '../../domain/reports/period.ts';
import type { Mark } from '../layout/words.ts';
import { timelineDrawing } from './timeline-drawing.ts';

/** What template 'rehearsal/show' shows of an answer. */
export function resultView(
  rehearsed: RehearsalAnswer,
  { timeZone, week }: { timeZone: string; week: { from: number; to: number } | null },
) {
  if (rehearsed.kind === 'week') {
    const { incidentsSeen, incidentsCut } = rehearsed;
    const period = week && formatPeriod(week.from, week.to, timeZone);
    return { situation: null, week: { ...weekView(rehearsed, incidentsSeen, incidentsCut), period } };
  }
  const { openedAt, until, rows, policy, schedules, sla, summary, cut } = rehearsed;
  const lastAt = rows.at(-1)?.at ?? openedAt;
  return {
    week: null,
    situation: {
      summary,
      policy,
      schedules,
      sla,
      opens: `${localTimeText(timeZone, openedAt)} (${timeZone})`,
      cut,
      svg: timelineDrawing({
        rows,
        from: openedAt,
        to: Math.min(until, lastAt + Math.max(60_000, (lastAt - openedAt) / 20)),
        timeZone,
      }),
      rows: rows.map((row) => ({
        time: localTimeText(timeZone, row.at),
        after: row.at - openedAt < 1000 ? 'at once' : `+${formatDuration(row.at - openedAt)}`,
        mark: markOf(row),
        who: row.who,
        by: row.by,
        what: row.what,
        why: [row.why, row.reason].filter(Boolean).join('; '),
      })),
    },
  };
}

function markOf({ kind, type, outcome }: RehearsedRow): Mark {
  if (kind === 'event') {
    if (type === 'sla_breached' || type === 'nobody_on_call')
      return { word: 'Event', icon: 'warning', tone: 'warning' };
    return { word: 'Event', icon: 'info', tone: 'quiet' };
  }
  switch (outcome) {
    case 'failed':
      return { word: 'Fails', icon: 'failed', tone: 'bad' };
    case 'skipped':
      return { word: 'Skipped', icon: 'skipped', tone: 'quiet' };
    case 'started':
      return { word: 'On its way', icon: 'clock', tone: 'quiet' };
    default:
      return { word: 'Sent', icon: 'done', tone: 'good' };
  }
}

function weekView(week: RehearsedWeek, incidents: number, cut: boolean) {
  const { asItWas, asItStands, asEdited, people } = week;
  return {
    sentence: sentenceOf(week, incidents),
    incidents,
    cut,
    sides: [
      sideView('As it was', asItWas),
      sideView('As it stands', asItStands),
      sideView('As edited', asEdited),
    ],
    people: people.map(({ who, ...counts }) => ({
      who,
      was: countText(counts.asItWas),
      stands: countText(counts.asItStands),
      edited: countText(counts.asEdited),
      change: signed(counts.asEdited.pages - counts.asItStands.pages),
    })),
    differences: week.incidents.map((incident) => ({
      number: incident.number,
      title: incident.title,
      openedAt: new Date(incident.openedAt).toISOString(),
      stands: toldText(incident.asItStands),
      edited: toldText(incident.asEdited),
    })),
  };
}

/** '12 pages fewer than as it stands, 4 of them at night; 1 incident reaches nobody.' */
function sentenceOf({ asItStands, asEdited }: RehearsedWeek, incidents: number): string {
  if (incidents === 0) return 'No incident opened in that week.';
  const pages = asEdited.pages - asItStands.pages;
  const night = asEdited.atNight - asItStands.atNight;
  const more = (n: number) => `${Math.abs(n)} ${n < 0 ? 'fewer' : 'more'}`;
  const first =
    pages === 0 && night === 0
      ? 'As many pages as it stands'
      : `${more(pages)} pages than as it stands, ${night === 0 ? 'as many' : more(night)} at night`;
  const nobody = asEdited.nobodyReached.length;
  return `${first}; ${nobody === 0 ? 'every incident reaches somebody' : `${nobody} of the incidents reach nobody`}.`;
}

function sideView(name: string, side: WeekSide) {
  return {
    name,
    pages: side.pages,
    atNight: side.atNight,
    told: side.told,
    nobody: side.nobodyReached.length === 0 ? 'none' : side.nobodyReached.map((n) => `#${n}`).join(', '),
    breaches: side.breaches === null ? '–' : String(side.breaches),
  };
}

function countText({ pages, atNight }: PageCount): string {
  return atNight === 0 ? String(pages) : `${pages} (${atNight} at night)`;
}

function toldText({ pages, firstAfterMs }: { pages: number; firstAfterMs: number | null }): string {
  if (firstAfterMs === null) return 'nobody';
  const first = firstAfterMs < 1000 ? 'at once' : `first after ${formatDuration(firstAfterMs)}`;
  return `${pages} ${pages === 1 ? 'page' : 'pages'}, ${first}`;
}

function signed(n: number): string {
  return n > 0 ? `+${n}` : n < 0 ? `−${-n}` : '0';
}
