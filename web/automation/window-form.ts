import type { StoredMaintenanceWindow } from '../../db/maintenance-windows.ts';
import type { Team } from '../../db/teams.ts';
import { type MaintenanceWindow, maintenanceWindow } from '../../domain/safety/maintenance-window.ts';
import { isTimeZone } from '../../domain/wall-clock.ts';
import { type Field, field, type Problems, posted } from '../layout/fields.ts';
import { inputMoment, inputText } from '../on-call/times.ts';

export interface WindowValues extends Record<string, string> {
  target: string;
  team: string;
  /** As a field of type datetime-local has them, by the clock of the zone: '2026-06-01T14:30'. */
  startsAt: string;
  endsAt: string;
  timeZone: string;
  reason: string;
}

/** @param timeZone of whoever looks at it */
export function newWindow(timeZone: string): WindowValues {
  return { ...postedWindow({}), timeZone };
}

export function windowValues(window: StoredMaintenanceWindow, timeZone: string): WindowValues {
  return {
    target: window.target,
    team: window.team?.slug ?? '',
    startsAt: inputText(timeZone, window.startsAt.getTime()),
    endsAt: inputText(timeZone, window.endsAt.getTime()),
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
    timeZone: posted(body, 'timeZone'),
    reason: posted(body, 'reason'),
  };
}

export function readWindow(
  values: WindowValues,
  now: number,
): { window: MaintenanceWindow } | { problems: Problems } {
  const problems: Problems = {};
  const timeZone = values.timeZone || 'UTC';
  if (!isTimeZone(timeZone)) {
    return { problems: { timeZone: 'Write a time zone such as Europe/Berlin or UTC.' } };
  }
  const startsAt = values.startsAt === '' ? now : inputMoment(timeZone, values.startsAt);
  const endsAt = inputMoment(timeZone, values.endsAt);
  if (startsAt === undefined) problems.startsAt = 'Write a day and a time, or leave it empty: from now on.';
  if (endsAt === undefined) {
    problems.endsAt = 'Write when it ends: automation stays away until then, and no longer.';
  } else if (endsAt <= now) {
    problems.endsAt = `This lies in the past by the clock of ${timeZone}.`;
  }
  const parsed = maintenanceWindow.safeParse({
    target: values.target,
    team: values.team === '' ? null : values.team,
    startsAt: new Date(startsAt ?? now).toISOString(),
    endsAt: new Date(endsAt ?? now + 1).toISOString(),
    reason: values.reason,
  });
  for (const issue of parsed.error?.issues ?? []) {
    problems[String(issue.path[0] ?? 'target')] ??= sentenceOf(issue.message);
  }
  return parsed.success && Object.keys(problems).length === 0 ? { window: parsed.data } : { problems };
}

function sentenceOf(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
}

export interface WindowFormView {
  heading: string;
  action: string;
  deleteAction: string | null;
  target: Field;
  team: Field | null;
  times: Field[];
  reason: Field;
}

export function windowFormView(
  values: WindowValues,
  problems: Problems,
  given: { id: string | null; teams: Team[] },
): WindowFormView {
  const stated = { values, problems };
  const own = `/automation/maintenance/${given.id ?? 'new'}`;
  const everybody = { value: '', label: 'Everybody' };
  return {
    heading: given.id === null ? 'New maintenance window' : 'Maintenance window',
    action: own,
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
            choices: [everybody, ...given.teams.map(({ slug, name }) => ({ value: slug, label: name }))],
          }),
    times: [
      field('startsAt', 'Starts', { ...stated, type: 'datetime-local', optional: true, hint: 'Empty: now' }),
      field('endsAt', 'Ends', { ...stated, type: 'datetime-local' }),
      field('timeZone', 'Time zone', { ...stated, hint: 'Of both times, such as Europe/Berlin' }),
    ],
    reason: field('reason', 'Why', { ...stated, hint: 'Every run that is refused meanwhile says it' }),
  };
}
