import type { Dependency } from '../topology/service.ts';

/** An alert of the incident, reduced to what points at a cause. */
export interface AlertEvidence {
  /** Null where its labels name none. */
  service: string | null;
  name: string;
  /** Epoch milliseconds. */
  startsAt: number;
  severity?: string;
  labels?: Record<string, string>;
}

/** One series of measurements of a service, from well before the trouble into it. */
export interface MetricEvidence {
  service: string;
  metric: string;
  unit?: string;
  /** In any order; gaps are normal. */
  points: readonly (readonly [unixSeconds: number, value: number])[];
}

/** What people or a monitor noticed first: where, in which metric, since when. */
export interface Symptom {
  service: string;
  metric?: string;
  /** Unix seconds: splits every series into before and during. */
  at?: number;
}

/** A change to a service, as scored by domain/changes. */
export interface ChangeEvidence {
  service: string;
  /** Epoch milliseconds. */
  at: number;
  /** 0 to 1. */
  score: number;
  title: string;
}

export interface LogEvidence {
  service: string;
  /** Lines that tell of a failure, during the incident. */
  errors: number;
  /** How many of their patterns were not seen in the hour before. */
  newPatterns: number;
  sample?: string;
  /** Other services that its error lines name. */
  mentions?: readonly string[];
}

export interface TraceEvidence {
  service: string;
  /** Failed traces in which the first failure was this service's. */
  firstFailures: number;
  /** Failed traces looked at. */
  of: number;
}

/** All that is known of an incident. Each part may be empty; the more there are, the surer the answer. */
export interface Evidence {
  alerts: readonly AlertEvidence[];
  /** From calls to; partial and cyclic graphs are normal. */
  dependencies: readonly Dependency[];
  metrics?: readonly MetricEvidence[];
  symptom?: Symptom;
  changes?: readonly ChangeEvidence[];
  logs?: readonly LogEvidence[];
  traces?: readonly TraceEvidence[];
}
