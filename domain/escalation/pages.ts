import { durationMs } from '../duration.ts';
import type { EscalationPolicy, EscalationTarget } from '../policies.ts';
import type { ResolvedTarget } from './resolve.ts';

/** One target at one level in one pass. */
export interface DuePage {
  /** Unique within one opening of an incident, such as '0.1.0'. */
  slot: string;
  /** From 1. */
  pass: number;
  /** From 1. */
  level: number;
  levels: number;
  target: EscalationTarget;
  dueAt: number;
}

/** A further pass begins this long after the last level when the policy does not say: at least a minute. */
const shortestRepeatMs = 60_000;

/**
 * Every page of the policy in the order of its time. `after` counts from `from`; a further pass begins
 * `repeatAfter` (default: the last level's `after`, at least a minute) after the last level of the pass before.
 */
export function escalationPages(policy: EscalationPolicy, from: number): DuePage[] {
  const levels = policy.levels.map((level) => ({ after: durationMs(level.after), targets: level.targets }));
  const last = Math.max(...levels.map((level) => level.after));
  const repeatAfter = policy.repeatAfter ? durationMs(policy.repeatAfter) : Math.max(last, shortestRepeatMs);
  const pages: DuePage[] = [];
  for (let pass = 0; pass <= policy.repeats; pass++) {
    for (const [level, { after, targets }] of levels.entries()) {
      for (const [index, target] of targets.entries()) {
        pages.push({
          slot: `${pass}.${level}.${index}`,
          pass: pass + 1,
          level: level + 1,
          levels: levels.length,
          target,
          dueAt: from + pass * (last + repeatAfter) + after,
        });
      }
    }
  }
  return pages.sort((a, b) => a.dueAt - b.dueAt);
}

/** Whether a level reaches somebody who can answer. */
export function reachesSomebody(resolved: readonly ResolvedTarget[]): boolean {
  return resolved.some(({ problem }) => problem === null);
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
