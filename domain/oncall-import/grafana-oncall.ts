import { z } from 'zod';
import type { Rotation } from '../oncall/schedule.ts';
import { instantOf, isTimeZone, parseWallTime } from '../wall-clock.ts';
import { contactProblems } from './contact-methods.ts';
import { addGrafanaPolicies, grafanaStep } from './grafana-oncall-chain.ts';
import { grafanaShift, type ShiftRead, timesOf } from './grafana-oncall-shift.ts';
import {
  type Draft,
  type ImportedOnCall,
  type ImportedPerson,
  newDraft,
  peopleNamed,
  withUniqueNames,
} from './imported.ts';
import { listOf, readExport } from './read-export.ts';
import { rotatedBy } from './turn.ts';

/*
 * What Grafana OnCall's HTTP API answers: GET /api/v1/users, /schedules, /on_call_shifts, /escalation_chains and
 * /escalation_policies, and perhaps /personal_notification_rules, under these names in one object.
 */

const exported = z.object({
  users: listOf(z.object({ id: z.string(), email: z.email().nullish(), username: z.string() })),
  schedules: listOf(
    z.object({
      id: z.string(),
      name: z.string(),
      type: z.enum(['ical', 'calendar', 'web']),
      time_zone: z.string().nullish(),
      ical_url_primary: z.string().nullish(),
      ical_url_overrides: z.string().nullish(),
      shifts: z.array(z.string()).max(1_000).nullish(),
    }),
  ),
  on_call_shifts: listOf(grafanaShift),
  escalation_chains: listOf(z.object({ id: z.string(), name: z.string() })),
  escalation_policies: listOf(grafanaStep),
  personal_notification_rules: listOf(z.object({ user_id: z.string(), type: z.string().nullish() })),
});
type Schedule = z.output<typeof exported>['schedules'][number];

/** Where the rotation of a calendar says nothing of turns, for they come from there. */
const ofCalendar = {
  participants: [],
  turn: { every: 1, unit: 'week' },
  startsAt: '1970-01-01T00:00',
  shadow: false,
} satisfies Partial<Rotation>;

interface Context {
  draft: Draft;
  /** By id. */
  people: ReadonlyMap<string, ImportedPerson>;
  now: number;
}

/** `now` in epoch milliseconds: shifts that have ended are left out. Throws ImportFormatError. */
export function readGrafanaOnCall(value: unknown, now: number): ImportedOnCall {
  const source = readExport(exported, value);
  const draft = newDraft();
  const people = new Map<string, ImportedPerson>();
  for (const { id, email, username } of source.users) {
    if (email) people.set(id, { email: email.toLowerCase(), name: username });
    else draft.problem(`user '${username}'`, 'they have no mail address there: they are left out');
  }
  const context: Context = { draft, people, now };
  const shifts = new Map(source.on_call_shifts.map((shift) => [shift.id, shift]));
  const scheduleNames = new Map<string, string>();
  for (const schedule of source.schedules) {
    const name = draft.nameFor('schedule', schedule.name);
    scheduleNames.set(schedule.id, name);
    const timeZone = schedule.time_zone || 'UTC';
    const rotations = [
      ...calendarsOf(schedule),
      ...(schedule.shifts ?? []).flatMap((id) => shiftRotation(context, schedule, shifts.get(id), id) ?? []),
    ];
    draft.schedules.push({
      name,
      title: schedule.name,
      definition: { timeZone, rotations: withUniqueNames(rotations) },
    });
  }
  addGrafanaPolicies(draft, source, { scheduleNames, people });
  const named = peopleNamed(draft, people);
  const contacts = source.personal_notification_rules.flatMap(({ user_id: id, type }) => {
    const email = people.get(id)?.email;
    return email && type ? [{ email, method: type }] : [];
  });
  return { ...draft, people: named, problems: [...draft.problems, ...contactProblems(named, contacts)] };
}

/** The calendar of overrides stands above everything else of its schedule. */
function calendarsOf({ ical_url_primary: primary, ical_url_overrides: overrides }: Schedule): Rotation[] {
  return [
    ...(overrides
      ? [{ ...ofCalendar, name: 'Calendar of overrides', priority: 100, calendar: { url: overrides } }]
      : []),
    ...(primary ? [{ ...ofCalendar, name: 'Calendar', priority: 0, calendar: { url: primary } }] : []),
  ];
}

function shiftRotation(
  { draft, people, now }: Context,
  schedule: Schedule,
  shift: ShiftRead | undefined,
  id: string,
): Rotation | undefined {
  const where = `schedule '${schedule.name}', shift '${shift?.name ?? id}'`;
  if (!shift) {
    draft.problem(where, 'it is not among the shifts of the export: it is left out');
    return undefined;
  }
  const zone = shift.time_zone || schedule.time_zone || 'UTC';
  if (!isTimeZone(zone)) {
    draft.problem(where, `there is no time zone '${zone.slice(0, 100)}': it is left out`);
    return undefined;
  }
  const times = timesOf(shift);
  if (times.endsAt !== undefined && instantOf(zone, parseWallTime(times.endsAt)) <= now) return undefined;
  if ('problem' in times) {
    draft.problem(where, `${times.problem}: it is left out`);
    return undefined;
  }
  const groups =
    shift.type === 'rolling_users'
      ? rotatedBy(shift.rolling_users ?? [], shift.start_rotation_from_user_index ?? 0)
      : [shift.users ?? []];
  const unknown = groups.flat().filter((user) => !people.has(user));
  if (unknown.length > 0 || groups.length === 0 || groups.some((group) => group.length === 0)) {
    draft.problem(
      where,
      unknown.length > 0
        ? `${unknown.join(', ')} is not among the users with a mail address: it is left out`
        : 'nobody takes turns: it is left out',
    );
    return undefined;
  }
  return {
    name: shift.name,
    // what overrides stands above all levels
    priority: shift.type === 'override' ? 100 : Math.min(99, Math.max(0, shift.level ?? 0)),
    participants: groups.map((group) => group.map((user) => people.get(user)?.email ?? '')),
    ...times,
    ...(zone === (schedule.time_zone || 'UTC') ? {} : { timeZone: zone }),
    shadow: false,
  };
}
