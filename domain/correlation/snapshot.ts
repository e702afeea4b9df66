import type { ServiceGraph } from '../topology/graph.ts';
import type { CorrelationRules } from './rules.ts';

/** All times are milliseconds since 1970 of one clock: the database's where Holdfast runs. */

/** An incident that is not closed and shares at least one of the keys that are asked for (keys.ts) with the alert. */
export interface CandidateIncident {
  incidentId: string;
  number: number;
  /** A person said so: nothing joins it. */
  falsePositive: boolean;
  openedAt: number;
  lastAlertAt: number;
  /** All of its alerts are over; it can be reopened still. */
  resolved: boolean;
  /** It holds an earlier episode of this very alert. */
  sameFingerprint: boolean;
  /** A person grouped this alert with one of its alerts. */
  sameGroup: boolean;
  /** A person split this alert from one of its alerts: it never joins. */
  apart: boolean;
  /** All services of its alerts, not only those that it shares with the alert; bounded, the latest first. */
  services: FailingService[];
  /** All values that its alerts have of the labels that count; bounded, the latest first. */
  labels: { name: string; value: string; lastAt: number }[];
  /** The names of its alerts, for what is alike in them. */
  names: string[];
}

export interface FailingService {
  service: string;
  /** When its first and its latest alert began. */
  firstAt: number;
  lastAt: number;
}

export interface NewAlert {
  service: string | null;
  name: string;
  labels: Record<string, string>;
  at: number;
}

/** Everything that decides where an alert belongs. */
export interface Snapshot {
  candidates: CandidateIncident[];
  graph: ServiceGraph;
  rules: CorrelationRules;
  now: number;
}

/** `reason` is for people: 'joined #42: payment-api calls db-primary, 14 s apart'. */
export type Decision =
  | {
      action: 'join';
      incidentId: string;
      number: number;
      reason: string;
      /** What weighed most. */
      by: 'same alert' | 'person' | 'topology' | 'labels';
      /** Other open incidents that this alert shows to be the same outage. */
      merge: { incidentId: string; number: number; reason: string }[];
    }
  | { action: 'create'; reason: string };
