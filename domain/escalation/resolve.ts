import { type ContactMethod, type ContactRules, contactStepsFor } from '../contact-rules.ts';
import { durationMs } from '../duration.ts';
import { onCallAt } from '../oncall/on-call.ts';
import type { OnCallShift, ScheduleFacts } from '../oncall/schedule.ts';
import type { EscalationTarget } from '../policies.ts';
import type { Severity } from '../severity.ts';
import { targetName } from './pages.ts';

/** All that is needed to say whom a policy reaches. */
export interface Directory {
  schedules: ReadonlyMap<string, ScheduleFacts>;
  /** By mail address, lower case; those who were disabled are missing. */
  people: ReadonlyMap<string, { name: string; contactRules: ContactRules }>;
  channels: ReadonlySet<string>;
}

/** Why somebody is on call: what a message says of it. ISO 8601. */
export interface ScheduleEntry {
  schedule: string;
  rotation: string;
  from: string;
  to: string;
  override: boolean;
  shadow: boolean;
}

export interface ResolvedPerson {
  email: string;
  /** In the order of their time, from the moment at which the level pages. */
  steps: { afterMs: number; method: ContactMethod }[];
  /** Null: named by the policy. */
  entry: ScheduleEntry | null;
}

/** What one target of a level means at one moment. */
export interface ResolvedTarget {
  target: EscalationTarget;
  /** Of a user or a schedule; empty for an address or a channel, which is told itself. */
  people: ResolvedPerson[];
  /** Why it reaches nobody; null: it reaches somebody. */
  problem: string | null;
}

/**
 * Who is to be told at `at` (epoch milliseconds), each person once however often the level names them: a target, or an
 * address of somebody who is told as a person anyway, that would say it again is left out or has nobody of its own.
 * Those who shadow are told, but nobody relies on them: a schedule with shadows alone has a problem.
 */
export function resolveTargets(
  directory: Directory,
  targets: readonly EscalationTarget[],
  severity: Severity,
  at: number,
): ResolvedTarget[] {
  const named = withoutRepeats(targets).map((target) => ({ target, ...whoAnswers(directory, target, at) }));
  const told = new Set<string>();
  const resolved = named.map(({ target, answering, shadowing, problem }) => ({
    target,
    shadowing,
    problem,
    people: firstTold(answering, told).map((found) => reachable(directory, found, severity)),
  }));
  return resolved
    .map(({ target, people, shadowing, problem }) => ({
      target,
      people: [
        ...people,
        ...firstTold(shadowing, told).map((found) => reachable(directory, found, severity)),
      ],
      problem,
    }))
    .filter(({ target }) => target.type !== 'email' || !told.has(target.address.toLowerCase()));
}

interface Found {
  email: string;
  entry: ScheduleEntry | null;
}

interface Answer {
  answering: Found[];
  shadowing: Found[];
  problem: string | null;
}

function whoAnswers(directory: Directory, target: EscalationTarget, at: number): Answer {
  const nobody = (problem: string | null): Answer => ({ answering: [], shadowing: [], problem });
  switch (target.type) {
    case 'email':
      return nobody(null);
    case 'channel':
      return nobody(
        directory.channels.has(target.name) ? null : `there is no notification channel '${target.name}'`,
      );
    case 'user': {
      const email = target.email.toLowerCase();
      if (!directory.people.has(email)) return nobody(`there is no active user ${target.email}`);
      return { answering: [{ email, entry: null }], shadowing: [], problem: null };
    }
    case 'schedule':
      return onCallBy(directory, target.name, at);
  }
}

function onCallBy(directory: Directory, name: string, at: number): Answer {
  const facts = directory.schedules.get(name);
  if (!facts) {
    return { answering: [], shadowing: [], problem: `there is no on-call schedule '${name}'` };
  }
  const shifts = onCallAt(facts, at).map((shift) => ({ ...shift, email: shift.person.toLowerCase() }));
  const known = shifts.filter(({ email }) => directory.people.has(email));
  const foundIn = (shadow: boolean) =>
    known
      .filter((shift) => shift.shadow === shadow)
      .map((shift) => ({ email: shift.email, entry: entryOf(name, shift) }));
  const answering = foundIn(false);
  const gone = shifts.filter(({ shadow, email }) => !shadow && !directory.people.has(email));
  const problem =
    gone.length > 0
      ? `on call by '${name}' is ${gone.map(({ person }) => person).join(', ')}, who is no active user`
      : `nobody is on call by '${name}'`;
  return { answering, shadowing: foundIn(true), problem: answering.length > 0 ? null : problem };
}

function entryOf(schedule: string, { rotation, from, to, override, shadow }: OnCallShift): ScheduleEntry {
  const iso = (time: number) => new Date(time).toISOString();
  return { schedule, rotation, from: iso(from), to: iso(to), override: override !== null, shadow };
}

function firstTold(found: readonly Found[], told: Set<string>): Found[] {
  return found.filter(({ email }) => {
    const first = !told.has(email);
    told.add(email);
    return first;
  });
}

function reachable(directory: Directory, { email, entry }: Found, severity: Severity): ResolvedPerson {
  const steps = contactStepsFor(directory.people.get(email)?.contactRules ?? [], severity)
    .map(({ after, method }) => ({ afterMs: durationMs(after), method }))
    .sort((a, b) => a.afterMs - b.afterMs);
  return { email, steps, entry };
}

function withoutRepeats(targets: readonly EscalationTarget[]): EscalationTarget[] {
  const seen = new Set<string>();
  return targets.filter((target) => {
    const name = targetName(target);
    // names of channels and schedules tell capitals apart, mail addresses do not
    const key = `${target.type} ${target.type === 'email' || target.type === 'user' ? name.toLowerCase() : name}`;
    const first = !seen.has(key);
    seen.add(key);
    return first;
  });
}
