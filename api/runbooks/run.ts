import { randomUUID } from 'node:crypto';
import type { Database } from '../../db/database.ts';
import { createExecution } from '../../db/executions.ts';
import { findIncident } from '../../db/incident-detail.ts';
import { getRunbook } from '../../db/runbooks.ts';
import { executionWorkflowId } from '../../workflows/messages.ts';
import { type MessageClient, TemporalUnavailableError } from '../../workflows/messages-client.ts';
import { assertRole, type Principal, scopeOf } from '../auth/principal.ts';
import { NotFoundError } from '../errors.ts';

export interface AskedRun {
  inputs?: Record<string, string>;
  /** Number of the incident that it is for. */
  incident?: number | undefined;
  environment?: string | undefined;
}

/**
 * Writes the execution down, for its workflow to carry out, and starts that. `started` is false while Temporal is away:
 * the reconciler starts what is written down. Throws NotFoundError for a runbook or incident that the person does not
 * see, ForbiddenError, ExecutionRefusedError with what is wrong.
 */
export async function runRunbook(
  { db, messages }: { db: Pick<Database, 'write'>; messages: MessageClient },
  principal: Principal,
  name: string,
  asked: AskedRun,
): Promise<{ id: string; target: string; started: boolean }> {
  const { orgId, email: requestedBy } = principal;
  const id = randomUUID();
  const target = await db.write(scopeOf(principal), async (tx) => {
    const runbook = await getRunbook(tx, name);
    if (!runbook || runbook.removedAt) throw new NotFoundError(`runbook '${name}'`);
    assertRole(principal, 'operator', runbook.teamId);
    const incident = asked.incident === undefined ? undefined : await findIncident(tx, asked.incident);
    if (asked.incident !== undefined && !incident) throw new NotFoundError(`incident ${asked.incident}`);
    const planned = await createExecution(tx, {
      orgId,
      id,
      runbook: name,
      workflowId: executionWorkflowId(orgId, id),
      requestedBy,
      given: asked.inputs ?? {},
      ...(asked.environment === undefined ? {} : { environment: asked.environment }),
      ...(incident ? { incidentId: incident.id } : {}),
    });
    return planned.target;
  });
  return { id, target, started: await start(messages, orgId, id) };
}

async function start(messages: MessageClient, orgId: string, id: string): Promise<boolean> {
  try {
    await messages.startExecution(orgId, id);
    return true;
  } catch (error) {
    if (error instanceof TemporalUnavailableError) return false;
    throw error;
  }
}
