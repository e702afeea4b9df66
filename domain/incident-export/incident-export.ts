import type { ChangeVerdict } from '../changes/change.ts';
import type { IncidentMetric } from '../incident/analysis.ts';
import type { AlertStatus, ExecutionStatus, IncidentStatus, SlaState } from '../incident-status.ts';
import type { LogPattern, RelevantLine, StackTraceEvidence } from '../logs/log-evidence.ts';
import type { Cause } from '../root-cause/cause.ts';
import type { Severity } from '../severity.ts';

/** All that is known of one incident, to be kept or read elsewhere. Instants are ISO 8601; people stand by name. */
export interface IncidentExport {
  exportedAt: string;
  /** Of its page. */
  url: string;
  number: number;
  title: string;
  /** What happened, in a sentence. */
  summary: string;
  status: IncidentStatus;
  severity: Severity;
  service: string | null;
  openedAt: string;
  acknowledgedAt: string | null;
  acknowledgedBy: string | null;
  assignedTo: string | null;
  resolvedAt: string | null;
  resolvedBy: string | null;
  mergedInto: number | null;
  alertCount: number;
  services: { service: string; alerts: number; firstAt: string }[];
  cause: { service: string; confidence: number; by: string | null } | null;
  /** Best first. */
  causes: Cause[];
  /** What could not be looked at. */
  notes: string[];
  changes: ExportedChange[];
  sla: {
    kind: 'acknowledge' | 'resolve';
    policy: string;
    startedAt: string;
    dueAt: string;
    state: SlaState;
    endedAt: string | null;
  }[];
  executions: {
    runbook: string;
    target: string;
    status: ExecutionStatus;
    reason: string | null;
    requestedBy: string;
    startedAt: string | null;
    finishedAt: string | null;
  }[];
  /** Oldest first. */
  timeline: { at: string; kind: string; actor: string; summary: string }[];
  /** Entries beyond those of `timeline`. */
  timelineOmitted: number;
  /** Newest first. */
  alerts: ExportedAlert[];
  logs: {
    source: string;
    link: string | null;
    total: number;
    patterns: LogPattern[];
    stackTraces: StackTraceEvidence[];
    lines: RelevantLine[];
  } | null;
  metrics: IncidentMetric[];
  similar: {
    number: number;
    title: string;
    score: number;
    reasons: string[];
    status: IncidentStatus;
    cause: string | null;
    openedAt: string;
    resolvedAt: string | null;
    runbooks: { runbook: string; status: ExecutionStatus }[];
  }[];
}

export interface ExportedChange {
  /** 'payment-service v2.3.0 → v2.3.1' */
  words: string;
  at: string;
  score: number;
  reasons: string[];
  verdict: ChangeVerdict | null;
  judgedBy: string | null;
  author: string | null;
  url: string | null;
}

export interface ExportedAlert {
  name: string;
  status: AlertStatus;
  severity: Severity;
  service: string | null;
  summary: string | null;
  labels: Record<string, string>;
  receivedAt: string;
  resolvedAt: string | null;
  occurrences: number;
  flapping: boolean;
}
