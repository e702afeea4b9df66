import type { Database } from '../../db/database.ts';
import { parseAlertmanagerWebhook, type RejectedAlert } from '../../domain/alertmanager.ts';
import type { Integration } from '../auth/ingest-key.ts';
import { createSeenNote } from '../auth/integration-seen.ts';
import { type ErrorLog, InvalidRequestError } from '../errors.ts';
import { createGroupCommit } from './group-commit.ts';

export interface AlertsAccepted {
  received: number;
  new: number;
  updated: number;
  resolved: number;
  ignored: number;
  rejected: RejectedAlert[];
}

export interface AcceptDeps {
  db: Pick<Database, 'write'>;
  /** Wakes the dispatcher: there is something due. */
  onAlertsAccepted(): void;
  log: ErrorLog;
}

/**
 * The one way in for alerts: a webhook's body is checked, stored in one transaction and handed to the dispatcher.
 * Throws InvalidRequestError for a body of which nothing can be taken, DatabaseUnavailableError.
 */
export function createAlertIntake(deps: AcceptDeps) {
  const noteSeen = createSeenNote(deps);
  const { record } = createGroupCommit(deps.db);

  return async (integration: Integration, body: unknown): Promise<AlertsAccepted> => {
    const webhook = parseAlertmanagerWebhook(body);
    if (!webhook.ok) throw new InvalidRequestError(webhook.problems);
    const result = await record(integration, webhook.alerts);
    deps.onAlertsAccepted();
    await noteSeen(integration);
    const received = webhook.alerts.length + new Set(webhook.rejected.map((alert) => alert.index)).size;
    return { received, ...result, rejected: webhook.rejected };
  };
}

export type AlertIntake = ReturnType<typeof createAlertIntake>;
