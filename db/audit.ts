import type { Page } from './cursor.ts';
import type { Tx } from './database.ts';
import { newestById } from './newest-page.ts';

export interface AuditEntry {
  id: number;
  at: Date;
  /** Mail address of a person, or 'holdfast'. */
  actor: string;
  /** As 'policy.put', 'session.created'. */
  action: string;
  /** What it was done to, as 'escalation-policy:default'. */
  subject: string;
  data: Record<string, unknown>;
}

/** Written in the transaction of the change itself. `data` must hold no secret. */
export async function recordAudit(
  tx: Tx,
  entry: { orgId: string; actor: string; action: string; subject: string; data?: Record<string, unknown> },
): Promise<void> {
  await tx
    .insertInto('audit_log')
    .values({
      org_id: entry.orgId,
      actor: entry.actor,
      action: entry.action,
      subject: entry.subject,
      data: JSON.stringify(entry.data ?? {}),
    })
    .execute();
}

/** Newest first. Throws InvalidCursorError. */
export async function listAudit(tx: Tx, args: { cursor?: string; limit: number }): Promise<Page<AuditEntry>> {
  const entries = tx.selectFrom('audit_log').select(['id', 'at', 'actor', 'action', 'subject', 'data']);
  return await newestById(entries, 'id', args);
}
