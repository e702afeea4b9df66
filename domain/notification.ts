import type { EscalationTarget } from './policies.ts';

/** What a message is about; the same words are the outgoing webhook's `type`. */
export const notificationTypes = [
  'escalation.page',
  'incident.opened',
  'incident.acknowledged',
  'incident.resolved',
  'sla.at_risk',
  'sla.breached',
  'approval.needed',
  'execution.succeeded',
  'execution.failed',
  'execution.rolled_back',
  'execution.rollback_failed',
  'execution.refused',
  'execution.undo_failed',
  'execution.runner_missing',
  'execution.message',
  'runbook.import_refused',
  'report.sla',
  'report.capacity',
] as const;
export type NotificationType = (typeof notificationTypes)[number];

/**
 * One message to one target. What it says is read from the database by the ids at the time of sending;
 * `detail` adds what stands in no row. Keys that messages show, all optional:
 * - escalation.page: `level` and `levels` (numbers from 1), `pass` (from 1), `nextAt` (ISO 8601), `nextWhat`
 * - sla.at_risk, sla.breached: `kind` ('acknowledge' or 'resolve')
 * - execution.*: `reason`; execution.undo_failed: `step` (from 1); execution.runner_missing: `runner`;
 *   execution.message: `message`, what a step of the runbook tells
 * - report.*: `reportId`, the row of `reports` that is sent
 */
export interface NotifyInput {
  orgId: string;
  /** Minted once per message: the ledger's key, the webhook's idempotency key, the root of the Message-ID. */
  key: string;
  type: NotificationType;
  incidentId?: string;
  executionId?: string;
  approvalId?: string;
  target: EscalationTarget;
  detail: Record<string, string | number | boolean | null>;
}

/** `skipped`: nothing was sent, because by then there was nothing to say; `reason` is for people. */
export type NotifyOutcome =
  | { status: 'sent'; destination: string }
  | { status: 'skipped'; destination: string; reason: string };

/** Of a message in the log. `started`: handed to the channel, outcome not known yet. */
export type NotificationStatus = 'started' | 'sent' | 'failed' | 'skipped';
