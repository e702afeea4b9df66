import { z } from 'zod';
import { matchesGlob } from '../glob.ts';
import { glob } from '../policies.ts';
import { holdsUntil, nextWindow, type WeeklyWindow, weeklyWindow } from '../weekly-window.ts';

const dayMs = 86_400_000;
/** Longer than that nobody remembers why. */
export const longestSilenceMs = 90 * dayMs;

/** Each is looked for in every alert that fires. */
const mostLabels = 50;

/** Alerts that nobody is to be told of for a while. They are received, correlated and shown as ever. */
export const silence = z
  .strictObject({
    /** All must hold; label values, service and alert name are globs. */
    match: z
      .strictObject({
        service: glob.optional(),
        alert: glob.optional(),
        labels: z
          .record(z.string().max(200), glob)
          .refine((labels) => Object.keys(labels).length <= mostLabels, `name at most ${mostLabels} labels`)
          .optional(),
      })
      .refine(
        ({ service, alert, labels }) =>
          service !== undefined || alert !== undefined || Object.keys(labels ?? {}).length > 0,
        'name a service, an alert or a label: what catches everything is no silence',
      ),
    startsAt: z.iso.datetime(),
    endsAt: z.iso.datetime({ error: 'say when it ends, at most 90 days after its start' }),
    /** Only at these times between start and end; absent: all the while. */
    weekly: weeklyWindow.optional(),
    /** Slug: only the alerts of this team; null: everybody's. */
    team: z.string().max(100).nullable().default(null),
    reason: z.string().trim().min(1, 'say why').max(500),
  })
  .refine(({ startsAt, endsAt }) => Date.parse(endsAt) > Date.parse(startsAt), {
    path: ['endsAt'],
    message: 'the end must lie after the start',
  })
  .refine(({ startsAt, endsAt }) => Date.parse(endsAt) - Date.parse(startsAt) <= longestSilenceMs, {
    path: ['endsAt'],
    message: 'a silence lasts at most 90 days: end it sooner, and renew it if it is still needed then',
  });
export type Silence = z.infer<typeof silence>;

/** A silence as it applies: times in epoch milliseconds. */
export interface ActiveSilence {
  match: Silence['match'];
  from: number;
  to: number;
  weekly: WeeklyWindow | null;
  /** Slug. */
  team: string | null;
  reason: string;
}

export interface SilenceableAlert {
  name: string;
  service: string | null;
  labels: Record<string, string>;
  /** Slug: of the alert, which has its incident's where it came with none. */
  team: string | null;
}

/** Whether it is about this alert, at whatever time. */
export function concerns(
  { match, team }: Pick<ActiveSilence, 'match' | 'team'>,
  alert: SilenceableAlert,
): boolean {
  if (team !== null && team !== alert.team) return false;
  if (match.service !== undefined && !(alert.service !== null && matchesGlob(match.service, alert.service))) {
    return false;
  }
  if (match.alert !== undefined && !matchesGlob(match.alert, alert.name)) return false;
  return Object.entries(match.labels ?? {}).every(([label, pattern]) => {
    const value = Object.hasOwn(alert.labels, label) ? alert.labels[label] : undefined;
    return value !== undefined && matchesGlob(pattern, value);
  });
}

/** When it begins to be silent next, after `now`; null: never again. */
export function nextBeginning(
  { from, to, weekly }: Pick<ActiveSilence, 'from' | 'to' | 'weekly'>,
  now: number,
): number | null {
  const until = holdsUntil({ from, to, weekly }, now);
  // from the end of what holds now, or else from now on
  const earliest = Math.max(until ?? now + 1, from);
  const next = weekly === null ? earliest : nextWindow(weekly, earliest);
  return next !== null && next < to ? next : null;
}

export type SilenceState = 'waiting' | 'silent' | 'out of hours' | 'over';

export function stateOf(silence: Pick<ActiveSilence, 'from' | 'to' | 'weekly'>, now: number): SilenceState {
  if (now < silence.from) return 'waiting';
  if (now >= silence.to) return 'over';
  return holdsUntil(silence, now) === null ? 'out of hours' : 'silent';
}

/**
 * Until when nobody is to be told of these alerts: each of them is silenced without a break till then, by one silence or
 * by several that follow each other. Null where one of them is not silenced, or where there is none. `names` are the
 * reasons of the silences, for people.
 */
export function silencedUntil(
  silences: readonly ActiveSilence[],
  alerts: readonly SilenceableAlert[],
  now: number,
): { until: number; names: string[] } | null {
  const names = new Set<string>();
  let until: number | null = null;
  for (const alert of alerts) {
    const own = silences.filter((each) => concerns(each, alert));
    const end = endOf(own, now, names);
    if (end === null) return null;
    until = until === null ? end : Math.min(until, end);
  }
  return until === null ? null : { until, names: [...names] };
}

function endOf(silences: readonly ActiveSilence[], now: number, names: Set<string>): number | null {
  let end: number | null = null;
  // each round ends one stretch: a daily one makes at most 90, several that overlap make more, which are looked at anew then
  for (let round = 0; round < 200; round++) {
    const at = end ?? now;
    let further: number | null = null;
    for (const each of silences) {
      const until = holdsUntil(each, at);
      if (until === null) continue;
      if (end === null) names.add(each.reason);
      further = Math.max(further ?? until, until);
    }
    if (further === null) break;
    end = further;
  }
  return end;
}
