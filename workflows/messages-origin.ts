import type { WorkflowClient } from '@temporalio/client';
import { defaultPayloadConverter, WorkflowNotFoundError } from '@temporalio/common';
import type { NotificationCause } from '../domain/notification.ts';
import { executionWorkflowId, incidentWorkflowId } from './messages.ts';

/** Where a workflow's own history says that a message was to be sent. */
export interface NotificationOrigin {
  workflowId: string;
  runId: string;
  /** Of the event that scheduled it. */
  eventId: number;
  /** ISO 8601. */
  at: string;
  /** As the workflow gave it; null: it gave none. */
  cause: NotificationCause | null;
}

export type OriginReader = (workflowId: string, key: string) => Promise<NotificationOrigin | null>;

/** A page of a history, and how far back a reader goes: what it asks for must end while somebody waits. */
const pageSize = 250;
const pagesRead = 40;
const runsRead = 5;
const patienceMs = 4_000;

/**
 * Reads histories, the newest run first and each from its beginning. Null: the event is not there any more (Temporal
 * keeps histories for a time), or lies too far back.
 * Throws what the client throws while Temporal is away.
 */
export function createOriginReader(client: WorkflowClient, namespace: string): OriginReader {
  return async (workflowId, key) => {
    const deadline = Date.now() + patienceMs;
    let runId = '';
    for (let run = 0; run < runsRead; run++) {
      const found = await client.withDeadline(deadline, () => searchRun(workflowId, runId, key, deadline));
      if (found === null) return null;
      if ('eventId' in found) return found;
      if (found.runBefore === '') return null;
      runId = found.runBefore;
    }
    return null;
  };

  async function searchRun(
    workflowId: string,
    runId: string,
    key: string,
    deadline: number,
  ): Promise<NotificationOrigin | { runBefore: string } | null> {
    let token: Uint8Array | undefined;
    let runBefore = '';
    let thisRun = runId;
    for (let page = 0; page < pagesRead && Date.now() < deadline; page++) {
      const answer = await historyPage(workflowId, runId, token);
      if (answer === null) return null;
      for (const event of answer.history?.events ?? []) {
        const started = event.workflowExecutionStartedEventAttributes;
        if (started) {
          runBefore = started.continuedExecutionRunId ?? '';
          thisRun = started.originalExecutionRunId || runId;
        }
        const scheduled = event.activityTaskScheduledEventAttributes;
        if (scheduled?.activityType?.name !== 'notify') continue;
        const [payload] = scheduled.input?.payloads ?? [];
        if (!payload) continue;
        const input = readInput(defaultPayloadConverter.fromPayload(payload));
        if (input?.key !== key) continue;
        return {
          workflowId,
          runId: thisRun,
          eventId: Number(event.eventId),
          at: instantOf(event.eventTime).toISOString(),
          cause: input.cause ?? null,
        };
      }
      token = answer.nextPageToken ?? undefined;
      if (!token || token.length === 0) break;
    }
    return { runBefore };
  }

  async function historyPage(workflowId: string, runId: string, nextPageToken: Uint8Array | undefined) {
    try {
      return await client.workflowService.getWorkflowExecutionHistory({
        namespace,
        execution: { workflowId, ...(runId === '' ? {} : { runId }) },
        maximumPageSize: pageSize,
        ...(nextPageToken ? { nextPageToken } : {}),
      });
    } catch (error) {
      // gone after Temporal's retention
      if (isNotFound(error) || error instanceof WorkflowNotFoundError) return null;
      throw error;
    }
  }
}

/** A google.protobuf.Timestamp. */
function instantOf(time: { seconds?: unknown; nanos?: number | null } | null | undefined): Date {
  return new Date(Number(time?.seconds ?? 0) * 1_000 + Math.floor((time?.nanos ?? 0) / 1e6));
}

/** gRPC's NOT_FOUND. */
const notFoundCode = 5;

function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === notFoundCode;
}

function readInput(input: unknown): { key?: unknown; cause?: NotificationCause } | null {
  return typeof input === 'object' && input !== null ? input : null;
}

/** A message, by what says which workflow sent it. */
interface FromWorkflow {
  key: string;
  incident: { number: number } | null;
  execution: { id: string } | null;
}

/** What the workflow that sent a message says of it. */
export interface FoundOrigin {
  workflowId: string;
  /** Null: `note` says why. */
  origin: NotificationOrigin | null;
  note: string | null;
}

/** Null where no workflow of an incident or an execution sent it. What Temporal does not answer is said, not thrown. */
export async function findOrigin(
  readOrigin: OriginReader,
  orgId: string,
  { key, incident, execution }: FromWorkflow,
): Promise<FoundOrigin | null> {
  const workflowId = workflowOf(orgId, { key, incident, execution });
  if (workflowId === null) return null;
  try {
    const origin = await readOrigin(workflowId, key);
    const gone =
      'Temporal does not have its history any more, or it lies too far back: the cause is as it was stored.';
    return { workflowId, origin, note: origin ? null : gone };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      workflowId,
      origin: null,
      note: `Temporal does not answer now (${reason}): the cause is as it was stored.`,
    };
  }
}

/** Keys of messages begin with what sends them. */
function workflowOf(orgId: string, { key, incident, execution }: FromWorkflow): string | null {
  if (key.startsWith('execution:') && execution) return executionWorkflowId(orgId, execution.id);
  return key.startsWith('incident:') && incident ? incidentWorkflowId(orgId, incident.number) : null;
}
