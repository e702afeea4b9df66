import type { StoredMaintenanceWindow } from '../../db/maintenance-windows.ts';
import type { Team } from '../../db/teams.ts';
import { type MaintenanceWindow, maintenanceWindow } from '../../domain/safety/maintenance-window.ts';
import { type Field, field, type Problems, posted } from '../layout/fields.ts';

export interface WindowValues extends Record<string, string> {
  target: string;
  team: string;
  /** As a field of type datetime-local has them, in UTC: '2026-06-01T14:30'. */
  startsAt: string;
  endsAt: string;
  reason: string;
}

export function windowValues(window: StoredMaintenanceWindow): WindowValues {
  return {
    target: window.target,
    team: window.team?.slug ?? '',
    startsAt: window.startsAt.toISOString().slice(0, 16),
    endsAt: window.endsAt.toISOString().slice(0, 16),
    reason: window.reason,
  };
}

export function postedWindow(body: unknown): WindowValues {
  return {
    target: posted(body, 'target'),
    team: posted(body, 'team'),
    startsAt: posted(body, 'startsAt'),
    endsAt: posted(body, 'endsAt'),
    reason: posted(body, 'reason'),
  };
}

export function readWindow(
  values: WindowValues,
  now: number,
): { window: MaintenanceWindow } | { problems: Problems } {
  const problems: Problems = {};
  const startsAt = values.startsAt === '' ? new Date(now) : instantOf(values.startsAt);
  const endsAt = instantOf(values.endsAt);
  if (!startsAt) problems.startsAt = 'Write a day and a time, or leave it empty: from now on.';
  if (!endsAt) {
    problems.endsAt = 'Write when it ends: automation stays away until then, and no longer.';
  } else if (endsAt.getTime() <= now) {
    problems.endsAt = 'This lies in the past (times are in UTC here).';
  }
  const parsed = maintenanceWindow.safeParse({
    target: values.target,
    team: values.team === '' ? null : values.team,
    startsAt: (startsAt ?? new Date(now)).toISOString(),
    endsAt: (endsAt ?? new Date(now + 1)).toISOString(),
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

/** '2026-06-01T14:30' as UTC. */
function instantOf(text: string): Date | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/.test(text)) return undefined;
  const date = new Date(`${text}Z`);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

export interface WindowFormView {
  heading: string;
  action: string;
  deleteAction: string | null;
  target: Field;
  team: Field | null;
  startsAt: Field;
  endsAt: Field;
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
    startsAt: field('startsAt', 'Starts (UTC)', {
      ...stated,
      type: 'datetime-local',
      optional: true,
      hint: 'Empty: now',
    }),
    endsAt: field('endsAt', 'Ends (UTC)', { ...stated, type: 'datetime-local' }),
    reason: field('reason', 'Why', { ...stated, hint: 'Every run that is refused meanwhile says it' }),
  };
}
