import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import { listRunningRows, type RunningRow } from '../db/dispatch.ts';
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

/**
 * Compares the rows that say 'running' with Temporal. An execution, incident or alert whose workflow was never
 * started is started; one whose workflow ended without saying so is reported, for a person to look at.
 */
export function startReconciler(options: ReconcilerOptions): Reconciler {
  const { db, client, starter, logger, intervalMs = 60_000 } = options;
  const stopping = new AbortController();
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
    logger.warn({ kind: row.kind, workflowId: row.workflowId }, 'started a workflow that was missing');
  }

  async function reconcile(): Promise<void> {
    const found: Reconciler['mismatches'] = [];
    for (const row of await listRunningRows(db, batchSize)) {
      if (stopping.signal.aborted) return;
      if (Date.now() - row.since.getTime() < graceMs) continue;
      const status = await statusOf(row.workflowId);
      if (status === 'RUNNING' || status === 'CONTINUED_AS_NEW') continue;
      if (status === 'MISSING') await startMissing(row);
      else {
        found.push({ kind: row.kind, id: row.id, workflowId: row.workflowId, found: status });
        logger.error(
          { kind: row.kind, workflowId: row.workflowId, status },
          'a row says running, its workflow has ended',
        );
      }
    }
    mismatches = found;
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await sleep(intervalMs, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      try {
        await reconcile();
      } catch (error) {
        logger.warn({ err: error }, 'could not compare with Temporal');
      }
    }
  }

  const running = run();
  return {
    get mismatches() {
      return mismatches;
    },
    reconcile,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
