import { z } from 'zod';
import { durationMs } from '../duration.ts';
import { durationText } from '../duration-text.ts';
import { notificationRule } from '../notification-rules/rule.ts';
import { onCallSchedule } from '../oncall/schedule.ts';
import { escalationPolicy, slaPolicy } from '../policies.ts';
import { severities } from '../severity.ts';
import { timeZone } from '../time-zone.ts';
import { dayMs, instantOf, parseWallTime, weekdayOf } from '../wall-clock.ts';
import type { Edited } from './edited.ts';
import { parseMoment } from './moment.ts';
import type { Answer, Failure, RehearsedIncident } from './situation.ts';

const name = z.string().min(1).max(100);
const named = <T extends z.ZodType>(definition: T) => z.strictObject({ name, definition });

/** An incident that is made up. */
export const situation = z.strictObject({
  at: z.string().max(100).meta({
    description:
      "When it opens: 'Saturday 03:00 Europe/Berlin' (the next one), '2026-11-28 03:00 Europe/Berlin', or an instant of ISO 8601",
  }),
  timeZone: timeZone.default('UTC').meta({ description: 'Where `at` names none' }),
  severity: z.enum(severities),
  service: z.string().max(500).nullable().default(null),
  alert: z.string().min(1).max(500).default('Rehearsal').meta({ description: 'Name of its alert' }),
  labels: z.record(z.string().max(200), z.string().max(1000)).default({}),
  team: z.string().max(100).optional().meta({ description: 'Slug; absent: as the labels say' }),
  lasts: durationText.optional().meta({ description: 'Until its alert is over; absent: it goes on firing' }),
  answers: z
    .array(
      z.strictObject({
        after: durationText,
        by: z.email(),
        what: z.enum(['acknowledge', 'resolve', 'false_positive', 'snooze']),
        for: durationText.optional().meta({ description: 'Of a snooze: how long; default 1h' }),
      }),
    )
    .max(50)
    .default([])
    .meta({ description: 'What people do, `after` the opening' }),
  failures: z
    .array(
      z.strictObject({
        target: z.string().min(1).max(320).meta({ description: 'A mail address or the name of a channel' }),
        after: durationText.default('0s'),
        lasts: durationText.optional().meta({ description: 'Absent: to the end' }),
      }),
    )
    .max(50)
    .default([])
    .meta({ description: 'Destinations that refuse what is sent there' }),
});
export type Situation = z.infer<typeof situation>;

export const rehearsal = z
  .strictObject({
    policy: named(escalationPolicy).optional(),
    schedule: named(onCallSchedule).optional(),
    rule: named(notificationRule).optional(),
    slaPolicy: named(slaPolicy).optional(),
    overrides: z
      .array(
        z.strictObject({
          schedule: name,
          person: z.email(),
          insteadOf: z.email().nullable().default(null),
          from: z.iso.datetime({ offset: true }),
          to: z.iso.datetime({ offset: true }),
        }),
      )
      .max(50)
      .default([]),
    situation: situation.optional(),
    week: z
      .strictObject({
        from: z.iso.date().meta({ description: 'A day of it: it begins on its Monday, at 00:00' }),
        timeZone: timeZone.optional().meta({ description: "Absent: the organization's" }),
      })
      .optional(),
  })
  .refine((request) => (request.situation === undefined) !== (request.week === undefined), {
    path: ['situation'],
    message: 'say either a situation or a week',
  });
export type Rehearsal = z.infer<typeof rehearsal>;

export interface Problem {
  field: string;
  message: string;
}

export function editedOf(request: Rehearsal): Edited {
  const { policy, schedule, rule, slaPolicy: sla, overrides } = request;
  return {
    ...(policy ? { policy } : {}),
    ...(schedule ? { schedule } : {}),
    ...(rule ? { rule } : {}),
    ...(sla ? { slaPolicy: sla } : {}),
    overrides: overrides.map(({ from, to, ...override }, index) => ({
      ...override,
      id: `rehearsed-${index}`,
      from: Date.parse(from),
      to: Date.parse(to),
    })),
  };
}

/** `team` undefined: as the labels say. */
export type MadeUpIncident = Omit<RehearsedIncident, 'team'> & { team: string | undefined };

/** The incident that a situation describes. `now` in epoch milliseconds: from there the next weekday is counted. */
export function incidentOf(
  made: Situation,
  now: number,
): { incident: MadeUpIncident; failures: Failure[]; timeZone: string } | { problem: Problem } {
  const moment = parseMoment(made.at, now, made.timeZone);
  if ('problem' in moment) return { problem: { field: 'situation.at', message: moment.problem } };
  const openedAt = moment.at;
  const { service, severity } = made;
  const labels = {
    alertname: made.alert,
    severity,
    ...(service === null ? {} : { service }),
    ...made.labels,
  };
  const alert = { id: 1, name: made.alert, severity, service, labels };
  const over = made.lasts === undefined ? [] : [openedAt + durationMs(made.lasts)];
  return {
    timeZone: moment.timeZone,
    incident: {
      number: 1,
      openedAt,
      team: made.team,
      feed: [{ at: openedAt, firing: true, alert }, ...over.map((at) => ({ at, firing: false, alert }))],
      answers: made.answers
        .map(({ after, by, what, for: length = '1h' }): Answer => {
          const at = openedAt + durationMs(after);
          return what === 'snooze' ? { at, by, what, until: at + durationMs(length) } : { at, by, what };
        })
        .sort((a, b) => a.at - b.at),
    },
    failures: made.failures.map(({ target, after, lasts }) => {
      const from = openedAt + durationMs(after);
      return { target, from, to: lasts === undefined ? Number.MAX_SAFE_INTEGER : from + durationMs(lasts) };
    }),
  };
}

/** From Monday 00:00 to Monday 00:00 by the clock on the wall, epoch milliseconds; the week must be over. */
export function weekOf(
  { from: day, timeZone: zone }: { from: string; timeZone: string },
  now: number,
): { from: number; to: number } | { problem: Problem } {
  const midnight = parseWallTime(`${day}T00:00`);
  const monday = midnight - weekdayOf(midnight) * dayMs;
  const [from, to] = [instantOf(zone, monday), instantOf(zone, monday + 7 * dayMs)];
  if (to <= now) return { from, to };
  return {
    problem: { field: 'week.from', message: 'write a day of a week that is over: they end with Sunday' },
  };
}
