import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import { listRunningRows, type RunningRow } from '../db/dispatch.ts';
import { closeLostIncident, endLostExecution } from '../db/lost-workflows.ts';
import { readToldTogether } from '../db/notification-limits.ts';
import { startRounds } from './rounds.ts';
import type { WorkflowStarter } from './workflow-client.ts';

export interface ReconcilerOptions {
  db: Database;
  client: Client;
  starter: WorkflowStarter;
  logger: Logger;
  intervalMs?: number;
}

export interface Reconciler {
  /** What the last comparison found that does not agree with Temporal and could not be mended. */
  readonly mismatches: { kind: RunningRow['kind']; id: string; workflowId: string; found: string }[];
  /** Compares once, now. */
  reconcile(): Promise<void>;
  stop(): Promise<void>;
}

const batchSize = 500;
/** A row younger than this may simply not have its workflow yet. */
const graceMs = 60_000;

const kinds = ['execution', 'incident', 'alert', 'consolidation'] as const;

/**
 * Compares the rows that say 'running' with Temporal. What was never started is started. What was ended from
 * outside is mended: an alert is looked after again, an incident is closed and its alerts open another, an
 * execution is ended as it stands and gives its target free. What tells many messages in one is not begun again where it
 * was ended, or failed: the next message that is held back does that.
 */
export function startReconciler(options: ReconcilerOptions): Reconciler {
  const { db, client, starter, logger, intervalMs = 60_000 } = options;
  let mismatches: Reconciler['mismatches'] = [];

  async function statusOf(workflowId: string): Promise<string> {
    try {
      return (await client.workflow.getHandle(workflowId).describe()).status.name;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return 'MISSING';
      throw error;
    }
  }

  async function startMissing(row: RunningRow): Promise<void> {
    if (row.kind === 'alert')
      await starter.dispatchAlert({ orgId: row.orgId, id: Number(row.id), known: true });
    if (row.kind === 'execution') await starter.startExecution({ orgId: row.orgId, executionId: row.id });
    if (row.kind === 'incident') {
      const number = Number(row.workflowId.split(':').at(-1));
      await starter.signalFeedUnread({ orgId: row.orgId, incidentId: row.id, number });
    }
    if (row.kind === 'consolidation') await startLostConsolidation(row);
    logger.warn({ kind: row.kind, workflowId: row.workflowId }, 'started a workflow that was missing');
  }

  async function startLostConsolidation({ orgId, id }: RunningRow): Promise<void> {
    const limit = Number(id);
    const told = await db.read({ orgId }, (tx) => readToldTogether(tx, limit));
    if (told) await starter.startConsolidation({ orgId, limit, ...told });
  }

  async function mendEnded({ orgId, kind, id, workflowId }: RunningRow, how: string): Promise<void> {
    // the row may have come to its end while it was being compared: then nothing is mended
    let mended = true;
    if (kind === 'alert') await starter.restartAlert({ orgId, id: Number(id) });
    if (kind === 'incident')
      mended = await db.write({ orgId }, (tx) => closeLostIncident(tx, { orgId, incidentId: id, how }));
    if (kind === 'execution')
      mended = await db.write({ orgId }, (tx) => endLostExecution(tx, { orgId, executionId: id, how }));
    if (mended) logger.warn({ kind, workflowId, how }, 'mended a row whose workflow was ended from outside');
  }

  async function compare(row: RunningRow): Promise<Reconciler['mismatches']> {
    if (Date.now() - row.since.getTime() < graceMs) return [];
    let status = 'UNKNOWN';
    try {
      status = await statusOf(row.workflowId);
      if (status === 'RUNNING' || status === 'CONTINUED_AS_NEW') return [];
      if (status === 'MISSING') await startMissing(row);
      else if (row.kind !== 'consolidation') await mendEnded(row, status);
      return [];
    } catch (error) {
      const { kind, id, workflowId } = row;
      logger.error({ err: error, kind, workflowId, status }, 'a row says running, its workflow does not');
      return [{ kind, id, workflowId, found: status }];
    }
  }

  async function reconcile(stopping: AbortSignal): Promise<undefined> {
    const found: Reconciler['mismatches'] = [];
    for (const kind of kinds) {
      let page: RunningRow[] = [];
      do {
        page = await listRunningRows(db, { kind, afterId: page.at(-1)?.id ?? '', limit: batchSize });
        for (const row of page) {
          if (stopping.aborted) return;
          found.push(...(await compare(row)));
        }
      } while (page.length === batchSize);
    }
    mismatches = found;
  }

  const rounds = startRounds({
    round: reconcile,
    pauseMs: intervalMs,
    pauseFirst: true,
    failed: (error) => logger.warn({ err: error }, 'could not compare with Temporal'),
  });
  return {
    get mismatches() {
      return mismatches;
    },
    reconcile: () => reconcile(rounds.stopping),
    stop: rounds.stop,
  };
}
