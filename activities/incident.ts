import { ApplicationFailure } from '@temporalio/activity';
import type { Database } from '../db/database.ts';
import { createExecution, ExecutionRefusedError } from '../db/executions.ts';
import { closeIfDrained, type JoinedAlert, readFeed } from '../db/incident-feed.ts';
import { type IncidentRecord, recordIncident } from '../db/incident-record.ts';
import { listEnabledDefinitions } from '../db/runbooks.ts';
import type { FeedDigest } from '../domain/incident/events.ts';
import type { RunbookDefinition } from '../domain/runbook/definition.ts';
import { matchRunbooks } from '../domain/runbook/match.ts';
import { executionWorkflowId } from '../workflows/messages.ts';

export interface IncidentActivityDeps {
  db: Database;
  /** How long a resolved incident can be joined again. */
  reopenWindowMs: number;
}

export function createIncidentActivities({ db, reopenWindowMs }: IncidentActivityDeps) {
  return {
    /** What the change feed brought since `afterSeq`, the policies to go by, and the runbooks that it calls for. */
    async readFeed(args: { orgId: string; incidentId: string; afterSeq: number }): Promise<FeedDigest> {
      return await db.write({ orgId: args.orgId }, async (tx) => {
        const { digest, joined } = await readFeed(tx, { ...args, reopenWindowMs });
        const definitions = joined.length > 0 ? await listEnabledDefinitions(tx) : [];
        return { ...digest, matches: matchAll(definitions, joined) };
      });
    },

    async recordIncident(record: IncidentRecord): Promise<void> {
      await db.write({ orgId: record.orgId }, (tx) => recordIncident(tx, record));
    },

    /** True when the incident is closed now; false when its feed has moved past `afterSeq`. */
    async closeIncident(args: { orgId: string; incidentId: string; afterSeq: number }): Promise<boolean> {
      return await db.write({ orgId: args.orgId }, (tx) => closeIfDrained(tx, args));
    },

    /** Writes the execution of a matched runbook down, before its workflow is started. */
    async createIncidentExecution(args: {
      orgId: string;
      incidentId: string;
      executionId: string;
      runbook: string;
      alertId: number;
    }): Promise<void> {
      const { orgId, executionId, incidentId, runbook, alertId } = args;
      try {
        await db.write({ orgId }, (tx) =>
          createExecution(tx, {
            orgId,
            id: executionId,
            runbook,
            workflowId: executionWorkflowId(orgId, executionId),
            requestedBy: 'Holdfast',
            incidentId,
            alertId,
          }),
        );
      } catch (error) {
        if (error instanceof ExecutionRefusedError)
          throw ApplicationFailure.nonRetryable(error.message, 'ExecutionRefused');
        throw error;
      }
    },
  };
}

export type IncidentActivities = ReturnType<typeof createIncidentActivities>;

function matchAll(definitions: RunbookDefinition[], joined: JoinedAlert[]): FeedDigest['matches'] {
  const matches = new Map<string, FeedDigest['matches'][number]>();
  for (const alert of joined) {
    if (!alert.firing) continue;
    const facts = { alertName: alert.name, severity: alert.severity, labels: alert.labels };
    for (const { name, mode, minDurationMs } of matchRunbooks(definitions, facts)) {
      const dueAt = alert.receivedAt + minDurationMs;
      const known = matches.get(name);
      if (!known || dueAt < known.dueAt) matches.set(name, { runbook: name, mode, alertId: alert.id, dueAt });
    }
  }
  return [...matches.values()];
}
