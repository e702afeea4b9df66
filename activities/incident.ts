import { ApplicationFailure } from '@temporalio/activity';
import type { Database, Tx } from '../db/database.ts';
import { createExecution, ExecutionRefusedError, executionExists } from '../db/executions.ts';
import { closeIfDrained, type JoinedAlert, listFiringAlerts, readFeed } from '../db/incident-feed.ts';
import { type IncidentRecord, recordIncident } from '../db/incident-record.ts';
import { readRecorded } from '../db/incident-restore.ts';
import { RegroupRefusedError, regroup } from '../db/regroup.ts';
import { listRunBefore } from '../db/run-before.ts';
import { listEnabledDefinitions } from '../db/runbooks.ts';
import { dropWantedMerge } from '../db/wanted-merges.ts';
import type { FeedDigest } from '../domain/incident/events.ts';
import { holdfast } from '../domain/incident/story.ts';
import type { RunbookDefinition } from '../domain/runbook/definition.ts';
import { matchRunbooks } from '../domain/runbook/match.ts';
import { executionWorkflowId } from '../workflows/messages.ts';

export interface IncidentActivityDeps {
  db: Database;
  /** How long a resolved incident can be joined again. */
  reopenWindowMs: number;
  /** Tells an incident's workflow that its feed is unread, and starts it where it does not run. */
  signalFeedUnread: (incident: { orgId: string; incidentId: string; number: number }) => Promise<void>;
}

export function createIncidentActivities({ db, reopenWindowMs, signalFeedUnread }: IncidentActivityDeps) {
  return {
    /** What the change feed brought since `afterSeq`, the policies to go by, and the runbooks that it calls for. */
    async readFeed(args: { orgId: string; incidentId: string; afterSeq: number }): Promise<FeedDigest> {
      return await db.write({ orgId: args.orgId }, async (tx) => {
        const { digest, joined } = await readFeed(tx, { ...args, reopenWindowMs });
        const definitions = joined.length > 0 ? await listEnabledDefinitions(tx) : [];
        // only the first reading of a workflow begins at the feed's beginning
        const restored = args.afterSeq === 0 ? await readRecorded(tx, args.incidentId) : undefined;
        const matches = soonest(
          await callsOf(tx, { incidentId: args.incidentId, definitions, alerts: joined }),
        );
        return { ...digest, matches, analysis: true, ...(restored ? { restored } : {}) };
      });
    },

    async recordIncident(record: IncidentRecord): Promise<void> {
      await db.write({ orgId: record.orgId }, (tx) => recordIncident(tx, record));
    },

    /** True when the incident is closed now; false when its feed has moved past `afterSeq`. */
    async closeIncident(args: { orgId: string; incidentId: string; afterSeq: number }): Promise<boolean> {
      return await db.write({ orgId: args.orgId }, (tx) => closeIfDrained(tx, args));
    },

    /**
     * Moves alerts into another incident, and tells that one's workflow. The same key again moves nothing and tells
     * again. Refused where it cannot be; answers with the incident that has the alerts now.
     */
    async regroupIncident(args: {
      orgId: string;
      incidentId: string;
      key: string;
      /** Null: all of them. */
      alertIds: number[] | null;
      /** Number of the incident; null: a new one. */
      into: number | null;
      /** A person, or 'Holdfast'. */
      by: string;
      reason: string | null;
    }): Promise<{ number: number }> {
      const { orgId, incidentId: fromIncident, by: actor, ...asked } = args;
      try {
        const { into } = await db.write({ orgId }, (tx) =>
          regroup(tx, { ...asked, orgId, fromIncident, actor, byPerson: actor !== holdfast }),
        );
        await signalFeedUnread({ orgId, incidentId: into.id, number: into.number });
        return { number: into.number };
      } catch (error) {
        if (!(error instanceof RegroupRefusedError)) throw error;
        const { into, alertIds } = args;
        if (into !== null && alertIds === null) {
          await db.write({ orgId }, (tx) => dropWantedMerge(tx, { incidentId: fromIncident, into }));
        }
        throw ApplicationFailure.nonRetryable(error.message, 'RegroupRefused');
      }
    },

    /**
     * Writes the execution of a matched runbook down, before its workflow is started. It is for the alert that
     * called for it or, when that is over, for another one that does; refused when none is left.
     */
    async createIncidentExecution(args: {
      orgId: string;
      incidentId: string;
      executionId: string;
      runbook: string;
      alertId: number;
    }): Promise<void> {
      const { orgId, executionId, incidentId, runbook, alertId } = args;
      try {
        await db.write({ orgId }, async (tx) => {
          if (await executionExists(tx, executionId)) return;
          const calling = await callingAlert(tx, { incidentId, runbook, alertId });
          if (calling === undefined) {
            throw new ExecutionRefusedError([
              'the alert that called for it is over, and no other has fired long enough',
            ]);
          }
          await createExecution(tx, {
            orgId,
            id: executionId,
            runbook,
            workflowId: executionWorkflowId(orgId, executionId),
            requestedBy: 'Holdfast',
            incidentId,
            alertId: calling,
          });
        });
      } catch (error) {
        if (error instanceof ExecutionRefusedError)
          throw ApplicationFailure.nonRetryable(error.message, 'ExecutionRefused');
        throw error;
      }
    },
  };
}

export type IncidentActivities = ReturnType<typeof createIncidentActivities>;

async function callingAlert(
  tx: Tx,
  { incidentId, runbook, alertId }: { incidentId: string; runbook: string; alertId: number },
): Promise<number | undefined> {
  const firing = await listFiringAlerts(tx, incidentId);
  if (firing.some((alert) => alert.id === alertId)) return alertId;
  const definitions = (await listEnabledDefinitions(tx)).filter(({ name }) => name === runbook);
  const calls = await callsOf(tx, { incidentId, definitions, alerts: firing });
  return firing.find(({ id, now }) => calls.some((call) => call.alertId === id && call.dueAt <= now))?.id;
}

type Call = FeedDigest['matches'][number];

/** Which runbooks the alerts call for, save what was begun for them in an incident that they were moved out of. */
async function callsOf(
  tx: Tx,
  args: { incidentId: string; definitions: RunbookDefinition[]; alerts: JoinedAlert[] },
): Promise<Call[]> {
  const calls = args.alerts.flatMap((alert): Call[] => {
    if (!alert.firing) return [];
    const facts = { alertName: alert.name, severity: alert.severity, labels: alert.labels };
    return matchRunbooks(args.definitions, facts).map(({ name, mode, minDurationMs }) => ({
      runbook: name,
      mode,
      alertId: alert.id,
      dueAt: alert.receivedAt + minDurationMs,
    }));
  });
  const alertIds = [...new Set(calls.map(({ alertId }) => alertId))];
  if (alertIds.length === 0) return [];
  const keyOf = ({ runbook, alertId }: { runbook: string; alertId: number }) => `${alertId} ${runbook}`;
  const begun = new Set((await listRunBefore(tx, { incidentId: args.incidentId, alertIds })).map(keyOf));
  return calls.filter((call) => !begun.has(keyOf(call)));
}

/** Each runbook for the alert that calls for it first. */
function soonest(calls: Call[]): Call[] {
  const matches = new Map<string, Call>();
  for (const call of calls) {
    const known = matches.get(call.runbook);
    if (!known || call.dueAt < known.dueAt) matches.set(call.runbook, call);
  }
  return [...matches.values()];
}
