import type { Directory } from '../escalation/resolve.ts';
import type { NamedRule } from '../notification-rules/evaluate.ts';
import type { EscalationPolicy, SlaPolicy } from '../policies.ts';
import type { Severity } from '../severity.ts';
import type { ActiveSilence } from '../silences/silence.ts';
import type { SlaCalendar } from '../sla/calendar.ts';

/** All that is made up, or taken from the past, about one incident. Times are epoch milliseconds. */
export interface RehearsedIncident {
  number: number;
  openedAt: number;
  /** Slug of the team that owns it; null: shared. */
  team: string | null;
  /** In the order of time; the first one opens it. */
  feed: FeedEntry[];
  /** When the workflow is told to read its feed again; absent: at each entry. */
  readings?: number[];
  /** What people do, in the order of time. */
  answers: Answer[];
}

/** An alert fires, or is over. */
export interface FeedEntry {
  at: number;
  firing: boolean;
  alert: RehearsedAlert;
}

export interface RehearsedAlert {
  id: number;
  name: string;
  severity: Severity;
  service: string | null;
  labels: Record<string, string>;
}

export type Answer =
  | { at: number; by: string; what: 'acknowledge' | 'resolve' | 'false_positive' }
  | { at: number; by: string; what: 'snooze'; until: number };

/** A destination that refuses what is sent there from `from` until `to`: a mail address or the name of a channel. */
export interface Failure {
  target: string;
  from: number;
  to: number;
}

/** What incidents go by, as it stands or as somebody has edited it. */
export interface Configuration {
  /** By name. */
  policies: { name: string; definition: EscalationPolicy }[];
  /** In the order in which they are tried. */
  slaPolicies: { name: string; definition: SlaPolicy }[];
  calendars: ReadonlyMap<string, SlaCalendar>;
  /** In the order in which they are asked. */
  rules: NamedRule[];
  silences: ActiveSilence[];
  directory: Directory;
  /** Names of the channels with a bot that can write to people, and mail addresses of those whom it would find. */
  slack: { bots: ReadonlySet<string>; people: ReadonlySet<string> };
  reopenWindowMs: number;
  /** Mail addresses of those who hear of it when nobody is reached. */
  owners: string[];
}

export interface Surroundings {
  configuration: Configuration;
  failures: Failure[];
  /** Until a message is known to have arrived or failed. */
  latencyMs: number;
  /** Epoch milliseconds; what would come later is left out. */
  until: number;
}
