import { durationMs } from '../duration.ts';
import type { EscalationPolicy, EscalationTarget } from '../policies.ts';

/** One level in one pass. */
export interface DueLevel {
  /** From 1. */
  pass: number;
  /** From 1. */
  level: number;
  levels: number;
  targets: EscalationTarget[];
  dueAt: number;
}

/** One target at one level in one pass. */
export interface DuePage extends Omit<DueLevel, 'targets'> {
  /** Unique within one opening of an incident, such as '0.1.0'. */
  slot: string;
  target: EscalationTarget;
}

/** A further pass begins this long after the last level when the policy does not say: at least a minute. */
const shortestRepeatMs = 60_000;

/**
 * Every level of the policy in the order of its time. `after` counts from `from`; a further pass begins
 * `repeatAfter` (default: the last level's `after`, at least a minute) after the last level of the pass before.
 */
export function escalationLevels(policy: EscalationPolicy, from: number): DueLevel[] {
  const levels = policy.levels.map((level) => ({ after: durationMs(level.after), targets: level.targets }));
  const last = Math.max(...levels.map((level) => level.after));
  const repeatAfter = policy.repeatAfter ? durationMs(policy.repeatAfter) : Math.max(last, shortestRepeatMs);
  return Array.from({ length: policy.repeats + 1 }, (_, pass) =>
    levels.map(({ after, targets }, level) => ({
      pass: pass + 1,
      level: level + 1,
      levels: levels.length,
      targets,
      dueAt: from + pass * (last + repeatAfter) + after,
    })),
  )
    .flat()
    .sort((a, b) => a.dueAt - b.dueAt);
}

/** Every page of a policy whose targets are told as they are written, in the order of its time. */
export function escalationPages(policy: EscalationPolicy, from: number): DuePage[] {
  return escalationLevels(policy, from).flatMap(({ targets, ...due }) =>
    targets.map((target, index) => ({ ...due, target, slot: `${due.pass - 1}.${due.level - 1}.${index}` })),
  );
}

/** Whom a target will reach, in words: who is on call by a schedule is known when its time comes. */
export function whomItReaches(target: EscalationTarget): string {
  return target.type === 'schedule' ? `whoever is on call by ${target.name}` : targetName(target);
}

/** A target in words, as people see it. */
export function targetName(target: EscalationTarget): string {
  switch (target.type) {
    case 'email':
      return target.address;
    case 'channel':
      return target.name;
    case 'schedule':
      return `on call: ${target.name}`;
    case 'user':
      return target.email;
  }
}
