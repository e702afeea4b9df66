import { methodKey, methodsOf } from '../contact-method.ts';
import type { ContactMethod } from '../contact-rules.ts';
import { formatDuration } from '../duration.ts';
import type { Directory } from '../escalation/resolve.ts';
import { gapsBetween, shiftsBetween } from '../oncall/on-call.ts';
import type { Override, ScheduleFacts } from '../oncall/schedule.ts';
import type { EscalationTarget } from '../policies.ts';

/** What could keep a page from reaching somebody: found before it does. */
export interface ReadinessFinding {
  kind:
    | 'policy_reaches_nobody'
    | 'level_reaches_nobody'
    | 'person_unreachable'
    | 'method_failing'
    | 'gap'
    | 'calendar_unreadable'
    | 'calendar_names_unknown'
    | 'participant_disabled'
    | 'overrides_overlap'
    | 'schedule_unused';
  /** `critical`: pages get lost; `warning`: they may; `info`: something to tidy up. */
  severity: 'critical' | 'warning' | 'info';
  /** What it is about: the name of a policy or schedule, or a mail address. */
  subject: string;
  /** Schedule whose team it concerns; null: the organization's. */
  schedule: string | null;
  /** One sentence for people. */
  text: string;
  /** What to do about it. */
  remedy: string;
  /** Epoch milliseconds at which it begins, where it lies ahead. */
  at: number | null;
}

export interface ReadinessFacts {
  directory: Directory;
  policies: readonly { name: string; levels: readonly (readonly EscalationTarget[])[] }[];
  /** Targets of notification rules. */
  ruleTargets: readonly EscalationTarget[];
  /** Notification channels: why what was last sent there failed, and whether a bot of Slack writes there. */
  channels: ReadonlyMap<string, { error: string | null; bot: boolean }>;
  /** Mail addresses of who is linked to a user of Slack. */
  inSlack: ReadonlySet<string>;
  /** Why the last message by a method failed, by mail address and `methodKey`, joined by a space. */
  failures: ReadonlyMap<string, string>;
  /** Readings of calendars that failed (`error`), or that name people who are nobody here. */
  calendarProblems: readonly {
    schedule: string;
    rotation: string;
    error: string | null;
    unmatched: readonly string[];
  }[];
}

export const readinessDays = 14;
const aheadMs = readinessDays * 86_400_000;
/** Of one schedule: more do not help. */
const gapsTold = 3;

/** All that is wrong for the next 14 days, the worst first. */
export function readinessOf(facts: ReadinessFacts, now: number): ReadinessFinding[] {
  const { directory, policies, ruleTargets } = facts;
  const schedules = [...directory.schedules.values()];
  const used = new Set(
    [...policies.flatMap(({ levels }) => levels.flat()), ...ruleTargets].flatMap((target) =>
      target.type === 'schedule' ? [target.name] : [],
    ),
  );
  const findings = [
    ...policies.flatMap((policy) => policyFindings(policy, facts, now)),
    ...schedules.flatMap((schedule) => scheduleFindings(schedule, facts, used.has(schedule.name), now)),
    ...peopleFindings(
      schedules.filter(({ name }) => used.has(name)),
      facts,
      now,
    ),
    ...facts.calendarProblems.map(calendarFinding),
  ];
  return findings.sort((a, b) => rank(a) - rank(b) || compare(a.subject, b.subject));
}

// ---- policies ----

function policyFindings(
  { name, levels }: ReadinessFacts['policies'][number],
  facts: ReadinessFacts,
  now: number,
): ReadinessFinding[] {
  const dead = levels.map((targets) => targets.every((target) => whyNobody(target, facts, now) !== null));
  const remedy = 'Name somebody in the policy who is there, or fill the schedule.';
  if (dead.every((each) => each)) {
    const why = levels.flat().flatMap((target) => whyNobody(target, facts, now) ?? []);
    const text = `The escalation policy ${name} reaches nobody: ${[...new Set(why)].slice(0, 3).join('; ')}.`;
    return [
      {
        kind: 'policy_reaches_nobody',
        severity: 'critical',
        subject: name,
        schedule: null,
        text,
        remedy,
        at: null,
      },
    ];
  }
  return levels.flatMap((targets, index) => {
    const why = targets.flatMap((target) => whyNobody(target, facts, now) ?? []);
    if (!dead[index]) return [];
    return [
      {
        kind: 'level_reaches_nobody' as const,
        severity: 'warning' as const,
        subject: name,
        schedule: null,
        text: `Level ${index + 1} of the escalation policy ${name} reaches nobody: ${why.slice(0, 3).join('; ')}.`,
        remedy,
        at: null,
      },
    ];
  });
}

/** Why a target reaches nobody at any time of the next 14 days; null: it does reach somebody. */
function whyNobody(
  target: EscalationTarget,
  { directory, channels }: ReadinessFacts,
  now: number,
): string | null {
  switch (target.type) {
    case 'email':
      return null;
    case 'channel':
      return channels.has(target.name) ? null : `there is no channel ${target.name}`;
    case 'user':
      return directory.people.has(target.email.toLowerCase()) ? null : `${target.email} is disabled or gone`;
    case 'schedule': {
      const schedule = directory.schedules.get(target.name);
      if (!schedule) return `there is no schedule ${target.name}`;
      const people = answering(schedule, now).map(({ person }) => person);
      if (people.length === 0) return `nobody is on call by ${target.name} in the next ${readinessDays} days`;
      if (people.some((person) => directory.people.has(person))) return null;
      return `everybody who is on call by ${target.name} is disabled or gone`;
    }
  }
}

// ---- schedules ----

function scheduleFindings(
  facts: ScheduleFacts,
  { directory }: ReadinessFacts,
  used: boolean,
  now: number,
): ReadinessFinding[] {
  const { name, definition, overrides } = facts;
  const about = { subject: name, schedule: name };
  if (!used) {
    return [
      {
        ...about,
        kind: 'schedule_unused',
        severity: 'info',
        text: `No escalation policy and no rule names the schedule ${name}: nobody is paged by it.`,
        remedy: 'Name it at a level of a policy, or delete it.',
        at: null,
      },
    ];
  }
  const gaps = gapsBetween(answering(facts, now), now, now + aheadMs);
  const gone = [...new Set(definition.rotations.flatMap(({ participants }) => participants.flat()))].filter(
    (email) => !directory.people.has(email.toLowerCase()),
  );
  return [
    ...gaps.slice(0, gapsTold).map((gap, index): ReadinessFinding => {
      const more = gaps.length - gapsTold;
      const also = index === gapsTold - 1 && more > 0 ? ` (${more} more follow)` : '';
      return {
        ...about,
        kind: 'gap',
        severity: gap.from <= now ? 'critical' : 'warning',
        text: `Nobody is on call by ${name} for ${formatDuration(gap.to - gap.from)}${also}.`,
        remedy: 'Let somebody take the time over, or add a rotation for it.',
        at: gap.from,
      };
    }),
    ...gone.map(
      (email): ReadinessFinding => ({
        ...about,
        kind: 'participant_disabled',
        severity: 'warning',
        text: `${email} takes turns in ${name}, and is disabled or gone.`,
        remedy: 'Take them out of the rotation: in their turns nobody is reached.',
        at: null,
      }),
    ),
    ...overlapping(overrides, now).map(
      ([one, other]): ReadinessFinding => ({
        ...about,
        kind: 'overrides_overlap',
        severity: 'info',
        text: `Overrides of ${name} by ${one.person} and ${other.person} overlap: the one that was made later counts.`,
        remedy: 'Take one of them back.',
        at: Math.max(one.from, other.from),
      }),
    ),
  ];
}

/** Pairs of overrides of the same people's shifts, by different people, that overlap from now on. */
function overlapping(overrides: readonly Override[], now: number): [Override, Override][] {
  const ahead = overrides.filter(({ to, from }) => to > now && from < now + aheadMs);
  return ahead.flatMap((one, index) =>
    ahead
      .slice(index + 1)
      .filter(
        (other) =>
          other.person !== one.person &&
          other.from < one.to &&
          one.from < other.to &&
          (other.insteadOf === null || one.insteadOf === null || other.insteadOf === one.insteadOf),
      )
      .map((other): [Override, Override] => [one, other]),
  );
}

function calendarFinding({
  schedule,
  rotation,
  error,
  unmatched,
}: ReadinessFacts['calendarProblems'][number]): ReadinessFinding {
  const about = { severity: 'warning', subject: schedule, schedule, at: null } as const;
  const calendar = `The calendar of the rotation ${rotation} of ${schedule}`;
  if (error !== null) {
    return {
      ...about,
      kind: 'calendar_unreadable',
      text: `${calendar} cannot be read: ${error}`,
      remedy: 'Mend its address or its sharing; until then what was read last goes on to hold.',
    };
  }
  return {
    ...about,
    kind: 'calendar_names_unknown',
    text: `${calendar} names people who are nobody here: ${unmatched.slice(0, 3).join(', ')}.`,
    remedy: 'Name them there by their mail address, or add them here: in their shifts nobody is on call.',
  };
}

// ---- people ----

/** Who is on call in the next 14 days, by mail address, with the schedule by which they are first, and from when. */
export function peopleOnCall(
  schedules: Iterable<ScheduleFacts>,
  now: number,
): Map<string, { schedule: string; from: number }> {
  const first = new Map<string, { schedule: string; from: number }>();
  for (const schedule of schedules) {
    for (const { person, from } of answering(schedule, now)) {
      const known = first.get(person);
      if (!known || from < known.from) first.set(person, { schedule: schedule.name, from });
    }
  }
  return first;
}

/** Of everybody who is on call, each once. */
function peopleFindings(
  schedules: readonly ScheduleFacts[],
  facts: ReadinessFacts,
  now: number,
): ReadinessFinding[] {
  return [...peopleOnCall(schedules, now)].flatMap(([email, { schedule, from }]) => {
    const person = facts.directory.people.get(email);
    // whoever is gone is told of with the schedule
    if (!person) return [];
    const methods = methodsOf(person.contactRules);
    const problems = methods.map((method) => methodProblem(method, email, facts));
    const wrong = problems.filter((problem) => problem !== null);
    if (wrong.length === 0) return [];
    const all = wrong.length === methods.length;
    const when = from <= now ? 'is on call now' : 'is on call within 14 days';
    return [
      {
        kind: all ? ('person_unreachable' as const) : ('method_failing' as const),
        severity: all ? ('critical' as const) : ('warning' as const),
        subject: email,
        schedule,
        text: `${person.name} ${when} and ${all ? 'cannot be reached' : 'may be reached late'}: ${wrong.join('; ')}.`,
        remedy: `${person.name} mends their contact rules on their account page and sends themselves a test.`,
        at: Math.max(now, from),
      },
    ];
  });
}

function methodProblem(
  method: ContactMethod,
  email: string,
  { channels, inSlack, failures }: ReadinessFacts,
): string | null {
  const failed = failures.get(`${email} ${methodKey(method)}`);
  if (method.type === 'email') return failed ? `the last mail failed (${failed})` : null;
  const name = method.type === 'slack' ? method.channel : method.name;
  const channel = channels.get(name);
  if (!channel) return `there is no channel ${name}`;
  if (method.type === 'slack' && !channel.bot) return `${name} is no Slack bot`;
  if (method.type === 'slack' && !inSlack.has(email)) return 'their Slack user is not linked';
  if (failed) return `the last message by ${name} failed (${failed})`;
  return channel.error === null ? null : `the channel ${name} fails (${channel.error})`;
}

function answering(facts: ScheduleFacts, now: number) {
  return shiftsBetween(facts, now, now + aheadMs).filter(({ shadow }) => !shadow);
}

function rank({ severity, at }: ReadinessFinding): number {
  return ['critical', 'warning', 'info'].indexOf(severity) * 1e15 + (at ?? 0);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
