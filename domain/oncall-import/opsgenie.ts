import { z } from 'zod';
import { type Rotation, weekdays } from '../oncall/schedule.ts';
import type { EscalationPolicy, EscalationTarget } from '../policies.ts';
import { isTimeZone } from '../wall-clock.ts';
import { contactProblems } from './contact-methods.ts';
import {
  type Draft,
  type ImportedOnCall,
  type ImportedPerson,
  newDraft,
  peopleNamed,
  withUniqueNames,
} from './imported.ts';
import { listOf, readExport } from './read-export.ts';
import { durationText, wallText } from './turn.ts';
import { everyDay, windowsOf } from './windows.ts';

/*
 * What Opsgenie's API answers: GET /v2/users (each with ?expand=contact for how they are reached), GET /v2/schedules?expand=rotation and GET /v2/escalations, under these
 * names in one object.
 */

const recipient = z.object({
  type: z.string(),
  id: z.string().nullish(),
  username: z.string().nullish(),
  name: z.string().nullish(),
});

const clock = {
  startHour: z.int().min(0).max(24),
  startMin: z.int().min(0).max(59),
  endHour: z.int().min(0).max(24),
  endMin: z.int().min(0).max(59),
};
const weekday = z.enum(['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday']);
const timeRestriction = z.discriminatedUnion('type', [
  z.object({ type: z.literal('time-of-day'), restriction: z.object(clock) }),
  z.object({
    type: z.literal('weekday-and-time-of-day'),
    restrictions: z.array(z.object({ ...clock, startDay: weekday, endDay: weekday })).max(1_000),
  }),
]);

const rotationRead = z.object({
  name: z.string().nullish(),
  startDate: z.iso.datetime({ offset: true }),
  endDate: z.iso.datetime({ offset: true }).nullish(),
  type: z.enum(['hourly', 'daily', 'weekly']),
  length: z.int().min(1).nullish(),
  participants: z.array(recipient).max(1_000),
  timeRestriction: timeRestriction.nullish(),
  enabled: z.boolean().nullish(),
});

const exported = z.object({
  users: listOf(
    z.object({
      id: z.string(),
      username: z.email(),
      fullName: z.string().nullish(),
      userContacts: z.array(z.object({ contactMethod: z.string() })).nullish(),
    }),
  ),
  schedules: listOf(
    z.object({
      id: z.string(),
      name: z.string(),
      timezone: z.string(),
      enabled: z.boolean().nullish(),
      rotations: z.array(rotationRead).max(1_000).nullish(),
    }),
  ),
  escalations: listOf(
    z.object({
      id: z.string(),
      name: z.string(),
      rules: z.array(
        z.object({
          condition: z.string().nullish(),
          notifyType: z.string().nullish(),
          delay: z.object({
            timeAmount: z.number().min(0),
            timeUnit: z.enum(['seconds', 'minutes', 'hours', 'days']).default('minutes'),
          }),
          recipient,
        }),
      ),
      repeat: z.object({ waitInterval: z.number().nullish(), count: z.number().nullish() }).nullish(),
    }),
  ),
});
type Exported = z.output<typeof exported>;
type RotationRead = z.output<typeof rotationRead>;

const unitSeconds = { seconds: 1, minutes: 60, hours: 3_600, days: 86_400 };
const turnUnits = { hourly: 'hour', daily: 'day', weekly: 'week' } as const;
const mostRepeats = 20;
const dayMinutes = 24 * 60;

/** `now` in epoch milliseconds: rotations that have ended are left out. Throws ImportFormatError. */
export function readOpsgenie(value: unknown, now: number): ImportedOnCall {
  const source = readExport(exported, value);
  const people = new Map(
    source.users.map(({ id, username, fullName }) => {
      const email = username.toLowerCase();
      return [id, { email, name: fullName ?? email }] as const;
    }),
  );
  const draft = newDraft();
  const scheduleNames = new Map<string, string>();
  for (const schedule of source.schedules) {
    const where = `schedule '${schedule.name}'`;
    if (schedule.enabled === false) {
      draft.problem(where, 'it is disabled there: it is left out');
      continue;
    }
    const name = draft.nameFor('schedule', schedule.name);
    scheduleNames.set(schedule.id, name);
    const { timezone: timeZone } = schedule;
    // in a zone that there is not nobody can take turns: the plan leaves the schedule out
    const read = isTimeZone(timeZone) ? (schedule.rotations ?? []) : [];
    const rotations = read.flatMap(
      (one, index) =>
        rotationOf(draft, one, {
          where: `${where}, rotation '${one.name ?? index + 1}'`,
          timeZone,
          people,
          now,
        }) ?? [],
    );
    draft.schedules.push({
      name,
      title: schedule.name,
      definition: { timeZone, rotations: withUniqueNames(rotations) },
    });
  }
  for (const escalation of source.escalations) addPolicy(draft, escalation, scheduleNames, people);
  const named = peopleNamed(draft, people);
  const contacts = source.users.flatMap(({ username, userContacts }) =>
    (userContacts ?? []).map(({ contactMethod }) => ({
      email: username.toLowerCase(),
      method: contactMethod.toLowerCase(),
    })),
  );
  return { ...draft, people: named, problems: [...draft.problems, ...contactProblems(named, contacts)] };
}

function rotationOf(
  draft: Draft,
  one: RotationRead,
  given: { where: string; timeZone: string; people: ReadonlyMap<string, ImportedPerson>; now: number },
): Rotation | undefined {
  const { where, timeZone, people, now } = given;
  if (one.enabled === false || (one.endDate && Date.parse(one.endDate) <= now)) return undefined;
  const others = one.participants.filter(({ type, id }) => type !== 'user' || !people.has(id ?? ''));
  if (others.length > 0 || one.participants.length === 0) {
    const names = others.map(({ type, username, name, id }) =>
      `${type} ${username ?? name ?? id ?? ''}`.trim(),
    );
    draft.problem(
      where,
      names.length === 0
        ? 'nobody takes turns: it is left out'
        : `only users take turns here, and ${names.join(', ')} is none: it is left out`,
    );
    return undefined;
  }
  const hours = one.timeRestriction ? hoursOf(one.timeRestriction) : [];
  return {
    name: one.name ?? 'Rotation',
    // rotations of one schedule are on call together there
    priority: 0,
    participants: one.participants.map(({ id }) => [people.get(id ?? '')?.email ?? '']),
    turn: { every: one.length ?? 1, unit: turnUnits[one.type] },
    startsAt: wallText(timeZone, Date.parse(one.startDate)),
    ...(one.endDate ? { endsAt: wallText(timeZone, Date.parse(one.endDate)) } : {}),
    ...(hours.length > 0 ? { hours } : {}),
    shadow: false,
  };
}

function hoursOf(limit: z.output<typeof timeRestriction>): NonNullable<Rotation['hours']> {
  if (limit.type === 'time-of-day') {
    const { startHour, startMin, endHour, endMin } = limit.restriction;
    const start = startHour * 60 + startMin;
    return windowsOf(everyDay, start, spanOf(start, endHour * 60 + endMin, dayMinutes));
  }
  return limit.restrictions.flatMap(({ startDay, startHour, startMin, endDay, endHour, endMin }) => {
    const [first, last] = [dayOf(startDay), dayOf(endDay)];
    const start = startHour * 60 + startMin;
    const end = (last - first) * dayMinutes + endHour * 60 + endMin;
    return windowsOf([first], start, spanOf(start, end, 7 * dayMinutes));
  });
}

/** Minutes from start to end, which come round again after `cycle`; the same time is the whole of it. */
function spanOf(start: number, end: number, cycle: number): number {
  const span = (((end - start) % cycle) + cycle) % cycle;
  return span === 0 ? cycle : span;
}

function dayOf(name: string): number {
  return weekdays.findIndex((day) => name.startsWith(day));
}

function addPolicy(
  draft: Draft,
  escalation: Exported['escalations'][number],
  scheduleNames: ReadonlyMap<string, string>,
  people: ReadonlyMap<string, ImportedPerson>,
): void {
  const where = `escalation '${escalation.name}'`;
  /** By seconds from the beginning. */
  const byTime = new Map<number, EscalationTarget[]>();
  for (const [index, { condition, notifyType, delay, recipient: whom }] of escalation.rules.entries()) {
    const step = `${where}, rule ${index + 1}`;
    if (condition === 'if-not-closed') {
      draft.problem(step, 'it goes on after an acknowledgement there; here escalation stops with one');
    }
    if (notifyType && notifyType !== 'default') {
      draft.problem(step, `it tells '${notifyType}' there; here it tells whoever is on call`);
    }
    const target = targetOf(whom, scheduleNames, people);
    if (!target) {
      draft.problem(step, `${whom.type} ${whom.username ?? whom.name ?? whom.id ?? ''} is not carried over`);
      continue;
    }
    const after = delay.timeAmount * unitSeconds[delay.timeUnit];
    const told = byTime.get(after);
    if (told) told.push(target);
    else byTime.set(after, [target]);
  }
  const levels: EscalationPolicy['levels'] = [...byTime]
    .sort(([a], [b]) => a - b)
    .map(([after, targets]) => ({ after: durationText(after), targets }));
  if (levels.length === 0) {
    draft.problem(where, 'it would tell nobody: it is left out');
    return;
  }
  const repeats = Math.min(mostRepeats, escalation.repeat?.count ?? 0);
  const wait = escalation.repeat?.waitInterval ?? 0;
  draft.policies.push({
    name: draft.nameFor('policy', escalation.name),
    title: escalation.name,
    definition: {
      levels,
      repeats,
      ...(repeats > 0 && wait > 0 ? { repeatAfter: durationText(wait * 60) } : {}),
    },
  });
}

function targetOf(
  { type, id }: z.output<typeof recipient>,
  scheduleNames: ReadonlyMap<string, string>,
  people: ReadonlyMap<string, ImportedPerson>,
): EscalationTarget | undefined {
  const email = people.get(id ?? '')?.email;
  if (type === 'user' && email) return { type: 'user', email };
  const name = scheduleNames.get(id ?? '');
  return type === 'schedule' && name ? { type: 'schedule', name } : undefined;
}
