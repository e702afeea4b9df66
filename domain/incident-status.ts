/** Where an incident stands. Acknowledged is a time and a person, not a status. */
export const incidentStatuses = [
  'created',
  'investigating',
  'root_cause_found',
  'mitigated',
  'resolved',
  'false_positive',
] as const;
export type IncidentStatus = (typeof incidentStatuses)[number];

/** `stale`: not seen for longer than its sender repeats itself, and not known to be resolved. */
export const alertStatuses = ['firing', 'stale', 'resolved'] as const;
export type AlertStatus = (typeof alertStatuses)[number];

export const slaStates = ['running', 'at_risk', 'met', 'breached', 'paused'] as const;
export type SlaState = (typeof slaStates)[number];

export const approvalStatuses = ['pending', 'approved', 'rejected', 'expired', 'withdrawn'] as const;
export type ApprovalStatus = (typeof approvalStatuses)[number];

export const executionStatuses = [
  'waiting',
  'running',
  'succeeded',
  'failed',
  'rolled_back',
  'rollback_failed',
  'cancelled',
] as const;
export type ExecutionStatus = (typeof executionStatuses)[number];

export const stepStatuses = ['pending', 'running', 'succeeded', 'failed', 'skipped', 'cancelled'] as const;
export type StepStatus = (typeof stepStatuses)[number];

/** `waiting`: it failed as often as it is tried and waits for a person; `skipped`: a person left it undone. */
export const undoStatuses = ['registered', 'running', 'succeeded', 'failed', 'waiting', 'skipped'] as const;
export type UndoStatus = (typeof undoStatuses)[number];

/** A running timer of an incident, for people: what happens at its end. `at` is ISO 8601. */
export interface Deadline {
  kind:
    | 'escalation'
    | 'acknowledge_sla'
    | 'resolve_sla'
    | 'approval'
    | 'snooze'
    | 'silence'
    | 'reminder'
    | 'unacknowledge'
    | 'runbook'
    | 'close';
  at: string;
  what: string;
}
