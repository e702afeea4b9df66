import type { LoggedMessage } from '../../db/notification-log.ts';
import { executionWorkflowId, incidentWorkflowId } from '../../workflows/messages.ts';
import type { NotificationOrigin, OriginReader } from '../../workflows/notification-origin.ts';

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
  { key, incident, execution }: Pick<LoggedMessage, 'key' | 'incident' | 'execution'>,
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
function workflowOf(
  orgId: string,
  { key, incident, execution }: Pick<LoggedMessage, 'key' | 'incident' | 'execution'>,
): string | null {
  if (key.startsWith('execution:') && execution) return executionWorkflowId(orgId, execution.id);
  return key.startsWith('incident:') && incident ? incidentWorkflowId(orgId, incident.number) : null;
}
