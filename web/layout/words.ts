import type { ChangeStatus, ChangeVerdict } from '../../domain/changes/change.ts';
import type {
  AlertStatus,
  ApprovalStatus,
  ExecutionStatus,
  IncidentStatus,
  SlaState,
  StepStatus,
  UndoStatus,
} from '../../domain/incident-status.ts';
import type { Severity } from '../../domain/severity.ts';

/** State as a person reads it: a word, a shape and a tone, never one of them alone. */
export interface Mark {
  word: string;
  icon: string;
  /** Names a colour in the stylesheet: `tone-critical`, `tone-good`… */
  tone: string;
}

const mark = (word: string, icon: string, tone: string): Mark => ({ word, icon, tone });

export const severityMarks: Record<Severity, Mark> = {
  critical: mark('Critical', 'critical', 'critical'),
  high: mark('High', 'high', 'high'),
  warning: mark('Warning', 'warning', 'warning'),
  low: mark('Low', 'low', 'low'),
  info: mark('Info', 'info', 'info'),
};

export const incidentMarks: Record<IncidentStatus, Mark> = {
  created: mark('Open', 'open', 'bad'),
  investigating: mark('Investigating', 'search', 'busy'),
  root_cause_found: mark('Root cause found', 'search', 'busy'),
  mitigated: mark('Mitigated', 'check', 'good'),
  resolved: mark('Resolved', 'done', 'good'),
  false_positive: mark('False positive', 'stopped', 'quiet'),
};

export const alertMarks: Record<AlertStatus, Mark> = {
  firing: mark('Firing', 'alert', 'bad'),
  stale: mark('Stale', 'clock', 'quiet'),
  resolved: mark('Resolved', 'done', 'good'),
};

export const slaMarks: Record<SlaState, Mark> = {
  running: mark('Running', 'clock', 'quiet'),
  at_risk: mark('At risk', 'warning', 'warning'),
  met: mark('Met', 'done', 'good'),
  breached: mark('Breached', 'failed', 'bad'),
  paused: mark('Paused', 'stopped', 'quiet'),
};

export const approvalMarks: Record<ApprovalStatus, Mark> = {
  pending: mark('Waiting', 'waiting', 'warning'),
  approved: mark('Approved', 'done', 'good'),
  rejected: mark('Rejected', 'failed', 'bad'),
  expired: mark('Expired', 'clock', 'quiet'),
  withdrawn: mark('Withdrawn', 'stopped', 'quiet'),
};

export const executionMarks: Record<ExecutionStatus, Mark> = {
  waiting: mark('Waiting', 'waiting', 'warning'),
  running: mark('Running', 'running', 'busy'),
  succeeded: mark('Succeeded', 'done', 'good'),
  failed: mark('Failed', 'failed', 'bad'),
  rolled_back: mark('Rolled back', 'undone', 'warning'),
  rollback_failed: mark('Rollback failed', 'failed', 'bad'),
  cancelled: mark('Cancelled', 'stopped', 'quiet'),
};

export const changeMarks: Record<ChangeStatus, Mark> = {
  started: mark('Under way', 'running', 'busy'),
  succeeded: mark('Succeeded', 'done', 'good'),
  failed: mark('Failed', 'failed', 'bad'),
  rolled_back: mark('Rolled back', 'undone', 'warning'),
};

/** What people said of a change as the cause of an incident. */
export const verdictMarks: Record<ChangeVerdict, Mark> = {
  confirmed: mark('Confirmed as cause', 'check', 'bad'),
  dismissed: mark('Dismissed', 'stopped', 'quiet'),
};

export const stepMarks: Record<StepStatus, Mark> = {
  pending: mark('Not started', 'pending', 'quiet'),
  running: mark('Running', 'running', 'busy'),
  succeeded: mark('Succeeded', 'done', 'good'),
  failed: mark('Failed', 'failed', 'bad'),
  skipped: mark('Skipped', 'skipped', 'quiet'),
  cancelled: mark('Cancelled', 'stopped', 'quiet'),
};

export const rollbackMarks: Record<UndoStatus, Mark> = {
  registered: mark('Ready', 'pending', 'quiet'),
  running: mark('Undoing', 'running', 'busy'),
  succeeded: mark('Undone', 'undone', 'warning'),
  failed: mark('Undo failed', 'failed', 'bad'),
  waiting: mark('Waits for a person', 'waiting', 'bad'),
  skipped: mark('Left as it is', 'skipped', 'warning'),
};
