import { z } from 'zod';
import type { Rotation } from '../oncall/schedule.ts';
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
import { durationText, rotatedBy, turnAt, turnOf, wallText } from './turn.ts';
import { everyDay, minuteOf, windowsOf } from './windows.ts';

/*
 * What PagerDuty's REST API v2 answers: GET /users, GET /schedules/{id} (or /schedules?include[]=schedule_layers) and
 * GET /escalation_policies, under these names in one object.
 */

const reference = z.object({ id: z.string(), type: z.string(), summary: z.string().nullish() });

const restriction = z.object({
  type: z.enum(['daily_restriction', 'weekly_restriction']),
  start_time_of_day: z.string().regex(/^\d\d:\d\d/, "write a time such as '08:00:00'"),
  duration_seconds: z.number().positive(),
  /** 1 is Monday (ISO 8601). */
  start_day_of_week: z.int().min(1).max(7).nullish(),
});

const layer = z.object({
  name: z.string().nullish(),
  start: z.iso.datetime({ offset: true }),
  end: z.iso.datetime({ offset: true }).nullish(),
  rotation_virtual_start: z.iso.datetime({ offset: true }),
  rotation_turn_length_seconds: z.number().positive(),
  users: z.array(z.object({ user: reference })).max(1_000),
  restrictions: z.array(restriction).max(1_000).nullish(),
});

const exported = z.object({
  users: listOf(
    z.object({
      id: z.string(),
      name: z.string(),
      email: z.email(),
      contact_methods: z.array(z.object({ type: z.string() })).nullish(),
    }),
    ['user'],
  ),
  schedules: listOf(
    z.object({
      id: z.string(),
      name: z.string(),
      time_zone: z.string(),
      schedule_layers: z.array(layer).max(1_000),
    }),
    ['schedule'],
  ),
  escalation_policies: listOf(
    z.object({
      id: z.string(),
      name: z.string(),
      num_loops: z.int().min(0).nullish(),
      escalation_rules: z.array(
        z.object({ escalation_delay_in_minutes: z.number().min(0), targets: z.array(reference) }),
      ),
    }),
    ['escalation_policy'],
  ),
});
type Exported = z.output<typeof exported>;
type Layer = z.output<typeof layer>;

/** Repeats that a policy may have here. */
const mostRepeats = 20;

/** `now` in epoch milliseconds: layers that have ended are left out. Throws ImportFormatError. */
export function readPagerDuty(value: unknown, now: number): ImportedOnCall {
  const source = readExport(exported, value);
  const people = new Map(
    source.users.map(({ id, name, email }) => [id, { name, email: email.toLowerCase() }] as const),
  );
  const draft = newDraft();
  const scheduleNames = new Map<string, string>();
  for (const schedule of source.schedules) {
    const name = draft.nameFor('schedule', schedule.name);
    scheduleNames.set(schedule.id, name);
    const { time_zone: timeZone, schedule_layers: layers } = schedule;
    // in a zone that there is not nobody can take turns: the plan leaves the schedule out
    const layersRead = isTimeZone(timeZone) ? layers : [];
    const rotations = layersRead.flatMap((one, index) => {
      const where = `schedule '${schedule.name}', layer '${one.name ?? index + 1}'`;
      // the API names the highest layer first
      const priority = Math.min(100, layers.length - 1 - index);
      return rotationOf(draft, one, { where, timeZone, priority, people, now }) ?? [];
    });
    draft.schedules.push({
      name,
      title: schedule.name,
      definition: { timeZone, rotations: withUniqueNames(rotations) },
    });
  }
  for (const policy of source.escalation_policies) addPolicy(draft, policy, scheduleNames, people);
  const named = peopleNamed(draft, people);
  const contacts = source.users.flatMap(({ email, contact_methods: methods }) =>
    (methods ?? []).map(({ type }) => ({ email: email.toLowerCase(), method: type })),
  );
  return { ...draft, people: named, problems: [...draft.problems, ...contactProblems(named, contacts)] };
}

function rotationOf(
  draft: Draft,
  one: Layer,
  given: {
    where: string;
    timeZone: string;
    priority: number;
    people: ReadonlyMap<string, ImportedPerson>;
    now: number;
  },
): Rotation | undefined {
  const { where, timeZone, priority, people, now } = given;
  if (one.end && Date.parse(one.end) <= now) return undefined;
  const turn = turnOf(one.rotation_turn_length_seconds);
  if (!turn) {
    draft.problem(
      where,
      `turns of ${one.rotation_turn_length_seconds} s are not carried over: write whole hours`,
    );
    return undefined;
  }
  const unknown = one.users.filter(({ user }) => !people.has(user.id));
  if (unknown.length > 0 || one.users.length === 0) {
    const names = unknown.map(({ user }) => user.summary ?? user.id).join(', ');
    draft.problem(
      where,
      names === '' ? 'nobody takes turns: it is left out' : `${names} is not among the users: it is left out`,
    );
    return undefined;
  }
  const { index, startsAt } = turnAt(turn, timeZone, {
    first: Date.parse(one.rotation_virtual_start),
    at: Date.parse(one.start),
  });
  const hours = (one.restrictions ?? []).flatMap((limit) =>
    windowsOf(
      limit.type === 'daily_restriction' ? everyDay : [(limit.start_day_of_week ?? 1) - 1],
      minuteOf(limit.start_time_of_day),
      limit.duration_seconds / 60,
    ),
  );
  return {
    name: one.name ?? 'Layer',
    priority,
    participants: rotatedBy(one.users, index).map(({ user }) => [people.get(user.id)?.email ?? '']),
    turn,
    startsAt,
    ...(one.end ? { endsAt: wallText(timeZone, Date.parse(one.end)) } : {}),
    ...(hours.length > 0 ? { hours } : {}),
    shadow: false,
  };
}

function addPolicy(
  draft: Draft,
  policy: Exported['escalation_policies'][number],
  scheduleNames: ReadonlyMap<string, string>,
  people: ReadonlyMap<string, ImportedPerson>,
): void {
  const where = `escalation policy '${policy.name}'`;
  let after = 0;
  const levels: EscalationPolicy['levels'] = [];
  for (const [index, rule] of policy.escalation_rules.entries()) {
    const targets = rule.targets.flatMap((target): EscalationTarget[] => {
      const email = people.get(target.id)?.email;
      if (target.type.startsWith('user') && email) return [{ type: 'user', email }];
      const name = scheduleNames.get(target.id);
      if (target.type.startsWith('schedule') && name) return [{ type: 'schedule', name }];
      draft.problem(
        `${where}, level ${index + 1}`,
        `${target.summary ?? target.id} is not among the users and schedules: it is left out`,
      );
      return [];
    });
    if (targets.length > 0) levels.push({ after: durationText(after), targets });
    after += rule.escalation_delay_in_minutes * 60;
  }
  if (levels.length === 0) {
    draft.problem(where, 'it would tell nobody: it is left out');
    return;
  }
  // the next pass begins when the last level has had its time
  const last = policy.escalation_rules.at(-1)?.escalation_delay_in_minutes ?? 0;
  const repeats = Math.min(mostRepeats, policy.num_loops ?? 0);
  draft.policies.push({
    name: draft.nameFor('policy', policy.name),
    title: policy.name,
    definition: {
      levels,
      repeats,
      ...(repeats > 0 ? { repeatAfter: durationText(Math.max(60, last * 60)) } : {}),
    },
  });
}
