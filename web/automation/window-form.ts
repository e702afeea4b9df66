import type { FoundByMaintenance } from '../../db/maintenance-preview.ts';
import type { StoredMaintenanceWindow } from '../../db/maintenance-windows.ts';
import type { Team } from '../../db/teams.ts';
import { type MaintenanceWindow, maintenanceWindow } from '../../domain/safety/maintenance-window.ts';
import { isTimeZone } from '../../domain/wall-clock.ts';
import { type Field, field, type Problems, posted, postedAll } from '../layout/fields.ts';
import { weeklyHours } from '../layout/weekly-hours.ts';
import { inputMoment, inputText } from '../on-call/times.ts';

export interface WindowValues {
  target: string;
  team: string;
  /** As a field of type datetime-local has them, by the clock of the zone: '2026-06-01T14:30'. */
  startsAt: string;
  endsAt: string;
  /** Of every week: 'HH:MM' by the same clock. */
  from: string;
  to: string;
  days: string[];
  timeZone: string;
  reason: string;
}

const hourMs = 3_600_000;
const runbooksShown = 20;

/**
 * Two hours from now.
 * @param timeZone of whoever looks at it
 */
export function newWindow(now: number, timeZone: string): WindowValues {
  return { ...postedWindow({}), endsAt: inputText(timeZone, now + 2 * hourMs), timeZone };
}

/** Of one that comes back every week by the clock of its own zone, not of `readersZone`. */
export function windowValues(window: StoredMaintenanceWindow, readersZone: string): WindowValues {
  const { weekly } = window;
  const timeZone = weekly?.timeZone ?? readersZone;
  return {
    target: window.target,
    team: window.team?.slug ?? '',
    startsAt: inputText(timeZone, window.startsAt.getTime()),
    endsAt: inputText(timeZone, window.endsAt.getTime()),
    from: weekly?.from ?? '',
    to: weekly?.to ?? '',
    days: weekly?.days ?? [],
    timeZone,
    reason: window.reason,
  };
}

export function postedWindow(body: unknown): WindowValues {
  return {
    target: posted(body, 'target'),
    team: posted(body, 'team'),
    startsAt: posted(body, 'startsAt'),
    endsAt: posted(body, 'endsAt'),
    from: posted(body, 'from'),
    to: posted(body, 'to'),
    days: postedAll(body, 'days'),
    timeZone: posted(body, 'timeZone'),
    reason: posted(body, 'reason'),
  };
}

/**
 * @param stored what is changed: a time that stands as the form showed it stays the moment that it was, also in an hour
 * that comes twice
 */
export function readWindow(
  values: WindowValues,
  now: number,
  stored: Pick<StoredMaintenanceWindow, 'startsAt' | 'endsAt'> | null = null,
): { window: MaintenanceWindow } | { problems: Problems } {
  const problems: Problems = {};
  const timeZone = values.timeZone || 'UTC';
  if (!isTimeZone(timeZone)) {
    return { problems: { timeZone: 'Write a time zone such as Europe/Berlin or UTC.' } };
  }
  const momentOf = (text: string, was: number | undefined) =>
    was !== undefined && inputText(timeZone, was) === text ? was : inputMoment(timeZone, text);
  const startsAt = values.startsAt === '' ? now : momentOf(values.startsAt, stored?.startsAt.getTime());
  const endsAt = momentOf(values.endsAt, stored?.endsAt.getTime());
  if (startsAt === undefined) problems.startsAt = 'Write a day and a time, or leave it empty: from now on.';
  if (endsAt === undefined) {
    problems.endsAt = 'Write when it ends: automation stays away until then, and no longer.';
  } else if (endsAt <= now) {
    problems.endsAt = `This lies in the past by the clock of ${timeZone}.`;
  }
  const { days, from, to } = values;
  const weekly = days.length > 0 || from !== '' || to !== '';
  const parsed = maintenanceWindow.safeParse({
    target: values.target,
    team: values.team === '' ? null : values.team,
    startsAt: new Date(startsAt ?? now).toISOString(),
    endsAt: new Date(endsAt ?? now + 1).toISOString(),
    ...(weekly ? { weekly: { days, from, to, timeZone } } : {}),
    reason: values.reason,
  });
  for (const issue of parsed.error?.issues ?? []) {
    problems[fieldOfPath(issue.path.map(String))] ??= sentenceOf(issue.message);
  }
  return parsed.success && Object.keys(problems).length === 0 ? { window: parsed.data } : { problems };
}

/** 'weekly.days' is wrong in the field 'days'. */
function fieldOfPath([first = 'target', second]: string[]): string {
  return first === 'weekly' ? (second ?? 'days') : first;
}

function sentenceOf(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
}

export interface WindowFormView extends ReturnType<typeof weeklyHours> {
  heading: string;
  hasProblems: boolean;
  action: string;
  tryAction: string;
  deleteAction: string | null;
  target: Field;
  team: Field | null;
  times: Field[];
  reason: Field;
}

export function windowFormView(
  values: WindowValues,
  problems: Problems,
  given: { id: string | null; teams: Team[]; everybody: boolean },
): WindowFormView {
  const { days, ...texts } = values;
  const stated = { values: texts, problems };
  const weekly = weeklyHours(days, stated);
  const own = `/automation/maintenance/${given.id ?? 'new'}`;
  const everybody = given.everybody ? [{ value: '', label: 'Everybody' }] : [];
  return {
    heading: given.id === null ? 'New maintenance window' : 'Maintenance window',
    hasProblems: Object.keys(problems).length > 0,
    action: own,
    tryAction: `${own}/try`,
    deleteAction: given.id === null ? null : `${own}/delete`,
    target: field('target', 'Targets', {
      ...stated,
      hint: 'One, or several by a pattern: db-*, or * for all',
    }),
    team:
      given.teams.length === 0
        ? null
        : field('team', 'Whose runs', {
            ...stated,
            choices: [...everybody, ...given.teams.map(({ slug, name }) => ({ value: slug, label: name }))],
          }),
    times: [
      field('startsAt', 'Starts', { ...stated, type: 'datetime-local', optional: true, hint: 'Empty: now' }),
      field('endsAt', 'Ends', {
        ...stated,
        type: 'datetime-local',
        hint: 'Every week: at most 90 days after the start',
      }),
      field('timeZone', 'Time zone', { ...stated, hint: 'Of all times here, such as Europe/Berlin' }),
    ],
    ...weekly,
    // the zone stands beside start and end: its clock counts for all times here
    hours: weekly.hours.filter(({ name }) => name !== 'timeZone'),
    reason: field('reason', 'Why', { ...stated, hint: 'Every run that is refused meanwhile says it' }),
  };
}

export function previewView(found: FoundByMaintenance, { weekly }: Pick<MaintenanceWindow, 'weekly'>) {
  const { executions, heldBack, byPeople, kinds, now } = found;
  const looked = found.cut
    ? 'the latest 20,000 runs'
    : `${executions} ${executions === 1 ? 'run' : 'runs'} that acted in the last 30 days`;
  const people =
    byPeople === 0
      ? ''
      : ` People asked for ${byPeople} ${byPeople === 1 ? 'other' : 'others'} on these targets, which it lets through.`;
  return {
    matching:
      now.matching === 0
        ? 'No runbook that an alert may start is written for these targets.'
        : `${now.matching === 1 ? 'One runbook' : `${now.matching} runbooks`} that an alert may start ${now.matching === 1 ? 'is' : 'are'} written for these targets:`,
    runbooks: now.runbooks
      .slice(0, runbooksShown)
      .map(({ name }) => ({ name, href: `/runbooks/${encodeURIComponent(name)}` })),
    runbooksCut: now.matching > runbooksShown,
    undecided:
      now.undecided === 0
        ? null
        : `What ${now.undecided === 1 ? 'one runbook works' : `${now.undecided} runbooks work`} on, or for whom, is known only when an alert calls.`,
    sentence: `Had it held ${weekly ? 'at its hours' : 'all the while'}, it would have held back ${heldBack} of ${looked}.${people}`,
    kinds: kinds.map((kind) => ({ ...kind, lastAt: new Date(kind.lastAt).toISOString() })),
    kindsCut: found.kindsCut,
  };
}
