import { sql } from 'kysely';
import type { Database } from './database.ts';

/** A change of an alert that its workflow has not been told of. */
export interface DueAlert {
  orgId: string;
  id: number;
  version: number;
  /** Whether its workflow was ever started. */
  known: boolean;
}

/**
 * Takes up to `batch` due alerts of all organizations for `leaseMs`: worst severity first, then oldest. None as long as
 * `outstanding` are under way: dispatched in the last `patienceMs`, and not seen by their workflows yet; `isFull` says
 * so, and that looking again soon is worth it; `late` how many of them have been under way for `lateAfterMs`.
 */
export async function claimDueAlerts(
  db: Database,
  limits: { batch: number; leaseMs: number; outstanding: number; patienceMs: number; lateAfterMs: number },
): Promise<{ alerts: DueAlert[]; isFull: boolean; late: number }> {
  const { batch, leaseMs, outstanding, patienceMs, lateAfterMs } = limits;
  return await db.unscoped(async (tx) => {
    const { rows: counted } = await sql<{ under_way: number; late: number }>`
      select * from outstanding_alerts(${outstanding}, ${interval(patienceMs)}, ${interval(lateAfterMs)})`.execute(
      tx,
    );
    const { under_way: underWay, late } = counted[0] ?? { under_way: 0, late: 0 };
    const free = outstanding - underWay;
    if (free <= 0) return { alerts: [], isFull: true, late };
    const { rows } = await sql<{
      org_id: string;
      id: number;
      version: number;
      dispatched_version: number;
      severity_rank: number;
    }>`
      select * from claim_due_alerts(${Math.min(batch, free)}, ${interval(leaseMs)})
      order by severity_rank, id`.execute(tx);
    const alerts = rows.map((row) => ({
      orgId: row.org_id,
      id: row.id,
      version: row.version,
      known: row.dispatched_version > 0,
    }));
    return { alerts, isFull: alerts.length === free, late };
  });
}

const interval = (ms: number) => sql`make_interval(secs => ${ms / 1000}::double precision)`;

/** Writes down which version each workflow was told of; a change that landed meanwhile stays due. */
export async function markDispatched(
  db: Database,
  alerts: Pick<DueAlert, 'id' | 'version'>[],
): Promise<void> {
  if (alerts.length === 0) return;
  const ids = alerts.map((alert) => alert.id);
  const versions = alerts.map((alert) => alert.version);
  await db.unscoped((tx) => sql`select mark_dispatched(${ids}::bigint[], ${versions}::bigint[])`.execute(tx));
}

/** Feeds that have been unread for longer than `olderThanMs`: whoever owed the signal did not send it. */
export async function claimUnreadFeeds(
  db: Database,
  olderThanMs: number,
  batch: number,
): Promise<{ orgId: string; incidentId: string; number: number }[]> {
  return await db.unscoped(async (tx) => {
    const { rows } = await sql<{ org_id: string; incident_id: string; number: number }>`
      select * from claim_unread_feeds(${interval(olderThanMs)}, ${batch})`.execute(tx);
    return rows.map((row) => ({ orgId: row.org_id, incidentId: row.incident_id, number: row.number }));
  });
}

/** How much waits to be dispatched, and how long the oldest has waited. */
export async function readDispatchGauges(
  db: Database,
): Promise<{ due: number; oldestSeconds: number; unreadFeeds: number }> {
  return await db.unscoped(async (tx) => {
    const { rows } = await sql<{ due: number; oldest_seconds: number; unread_feeds: number }>`
      select * from dispatch_gauges()`.execute(tx);
    return {
      due: rows[0]?.due ?? 0,
      oldestSeconds: rows[0]?.oldest_seconds ?? 0,
      unreadFeeds: rows[0]?.unread_feeds ?? 0,
    };
  });
}

export interface RunningRow {
  orgId: string;
  kind: 'alert' | 'incident' | 'execution' | 'consolidation';
  id: string;
  workflowId: string;
  since: Date;
}

/** The rows of a kind that say that something runs, in the order of their ids, from behind `afterId`. */
export async function listRunningRows(
  db: Database,
  page: { kind: RunningRow['kind']; afterId: string; limit: number },
): Promise<RunningRow[]> {
  return await db.unscoped(async (tx) => {
    const { rows } = await sql<{
      org_id: string;
      kind: RunningRow['kind'];
      id: string;
      workflow_id: string;
      since: Date;
    }>`
      select * from running_rows(${page.kind}, ${page.afterId}, ${page.limit})`.execute(tx);
    return rows.map((row) => ({
      orgId: row.org_id,
      kind: row.kind,
      id: row.id,
      workflowId: row.workflow_id,
      since: row.since,
    }));
  });
}
