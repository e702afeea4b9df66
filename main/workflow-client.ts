import {
  type Client,
  isGrpcServiceError,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowStartOptions,
} from '@temporalio/client';
import { defineSearchAttributeKey, WorkflowNotFoundError } from '@temporalio/common';
import {
  alertChanged,
  alertTaskQueue,
  alertWorkflowId,
  type Consolidation,
  consolidationWorkflowId,
  executionWorkflowId,
  feedUnread,
  incidentWorkflowId,
  searchAttributeNames,
  taskQueue,
  workflowTypes,
} from '../workflows/messages.ts';

const orgAttribute = defineSearchAttributeKey(searchAttributeNames.org, 'KEYWORD');
const incidentAttribute = defineSearchAttributeKey(searchAttributeNames.incident, 'INT');

/** What Holdfast itself starts and signals, as against what people say (workflows/messages-client.ts). */
export interface WorkflowStarter {
  /** Starts the alert's workflow, or tells the running one that its row has changed. A closed one is left closed. */
  dispatchAlert(alert: { orgId: string; id: number; known: boolean }): Promise<void>;
  /** Starts the workflow of an alert anew after it was ended from outside; one that runs is left alone. */
  restartAlert(alert: { orgId: string; id: number }): Promise<void>;
  /** Tells the incident's workflow that its feed is unread, and starts it where it does not run yet. */
  signalFeedUnread(incident: { orgId: string; incidentId: string; number: number }): Promise<void>;
  startExecution(execution: { orgId: string; executionId: string }): Promise<void>;
  /** Starts what tells of messages that are held back; one that runs, or has come to its end, is left alone. */
  startConsolidation(consolidation: Consolidation): Promise<void>;
}

export function createWorkflowStarter(client: Client): WorkflowStarter {
  const { workflow } = client;
  const alertOptions = (orgId: string, id: number) =>
    ({
      workflowId: alertWorkflowId(orgId, id),
      taskQueue: alertTaskQueue,
      args: [{ orgId, alertId: id }],
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      typedSearchAttributes: [{ key: orgAttribute, value: orgId }],
    }) satisfies WorkflowStartOptions;
  return {
    async dispatchAlert({ orgId, id, known }) {
      const options = alertOptions(orgId, id);
      if (known) {
        await ignoreStarted(() =>
          workflow.signalWithStart(workflowTypes.alert, { ...options, signal: alertChanged, signalArgs: [] }),
        );
        return;
      }
      // a plain start is cheaper; a workflow that is there already is told instead
      const started = await ignoreStarted(() => workflow.start(workflowTypes.alert, options));
      if (!started) await ignoreMissing(() => workflow.getHandle(options.workflowId).signal(alertChanged));
    },

    async restartAlert({ orgId, id }) {
      const options = { ...alertOptions(orgId, id), workflowIdReusePolicy: 'ALLOW_DUPLICATE' as const };
      await ignoreStarted(() => workflow.start(workflowTypes.alert, options));
    },

    async signalFeedUnread({ orgId, incidentId, number }) {
      await ignoreStarted(() =>
        workflow.signalWithStart(workflowTypes.incident, {
          workflowId: incidentWorkflowId(orgId, number),
          taskQueue,
          args: [{ orgId, incidentId, number }],
          signal: feedUnread,
          signalArgs: [],
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          typedSearchAttributes: [
            { key: orgAttribute, value: orgId },
            { key: incidentAttribute, value: number },
          ],
        }),
      );
    },

    async startConsolidation(consolidation) {
      const { orgId, limit } = consolidation;
      await ignoreStarted(() =>
        workflow.start(workflowTypes.consolidation, {
          workflowId: consolidationWorkflowId(orgId, limit),
          taskQueue,
          args: [consolidation],
          // what could not be told then may be told now
          workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
          typedSearchAttributes: [{ key: orgAttribute, value: orgId }],
        }),
      );
    },

    async startExecution({ orgId, executionId }) {
      await ignoreStarted(() =>
        workflow.start(workflowTypes.execution, {
          workflowId: executionWorkflowId(orgId, executionId),
          taskQueue,
          args: [{ orgId, executionId }],
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          typedSearchAttributes: [{ key: orgAttribute, value: orgId }],
        }),
      );
    },
  };
}

/** False when there is or was a workflow of that id: what was asked has been done. */
async function ignoreStarted(start: () => Promise<unknown>): Promise<boolean> {
  try {
    await start();
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    // signalWithStart reports it as a plain gRPC status: 6 is ALREADY_EXISTS
    if (isGrpcServiceError(error) && error.code === 6) return false;
    throw error;
  }
}

async function ignoreMissing(signal: () => Promise<unknown>): Promise<void> {
  try {
    await signal();
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
