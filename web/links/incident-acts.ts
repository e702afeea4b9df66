import { randomUUID } from 'node:crypto';
import { mayOn, type Principal, scopeOf } from '../../api/auth/principal.ts';
import type { Tx } from '../../db/database.ts';
import { createExecution, ExecutionRefusedError } from '../../db/executions.ts';
import { findIncident } from '../../db/incident-detail.ts';
import { listRunbooksFor } from '../../db/runbook-matches.ts';
import { getRunbook } from '../../db/runbooks.ts';
import { type LinkGrant, useLink } from '../../db/signed-links.ts';
import { executionWorkflowId } from '../../workflows/messages.ts';
import { RefusedError, TemporalUnavailableError } from '../../workflows/messages-client.ts';
import type { WebDeps } from '../deps.ts';

export const needsOperator = (email: string): string =>
  `${email} may see this, and not act on it: that takes the role Operator`;

/** Why the message with the link speaks of something that is over; undefined where it still holds. */
export function stalenessOf(
  { subject }: Pick<LinkGrant, 'subject'>,
  incident: { resolvedAt: Date | null; opening: number },
): string | undefined {
  if (incident.resolvedAt) return 'It is over.';
  if (subject.opening === undefined || subject.opening === incident.opening) return undefined;
  return 'It has opened again since that message: its newest message counts.';
}

/** Runbooks that the person may run, by name, those that the alerts of the incident call first. */
export async function runbooksToChoose(tx: Tx, principal: Principal, incidentId: string): Promise<string[]> {
  const runbooks = await listRunbooksFor(tx, incidentId);
  return runbooks.filter(({ teamId }) => mayOn(principal, 'operator', teamId)).map(({ name }) => name);
}

/** Throws RefusedError with the reason, TemporalUnavailableError. */
export async function closeAsFalsePositive(
  { db, messages }: Pick<WebDeps, 'db' | 'messages'>,
  grant: LinkGrant,
  principal: Principal,
  note: string,
): Promise<void> {
  const { orgId, subject } = grant;
  const { incidentNumber, opening } = subject;
  const incident = await db.read({ orgId }, (tx) => seenIncident(tx, grant, incidentNumber));
  if (!mayOn(principal, 'operator', incident.teamId)) throw new RefusedError(needsOperator(principal.email));
  await messages.resolve(orgId, incident.number, {
    actor: { name: principal.email, via: 'teams' },
    asOf: subject.asOf ?? incident.recordedSeq,
    falsePositive: true,
    ...(opening === undefined ? {} : { opening }),
    ...(note ? { note } : {}),
  });
}

export type LinkRun =
  | { status: 'used' }
  | { status: 'run'; id: string; started: boolean }
  /** It lacks something that its own page asks for. */
  | { status: 'incomplete'; problems: string[] };

/**
 * Writes the execution down and spends the link in one transaction, so that many clicks are one run; the reconciler
 * starts it where Temporal does not. Throws RefusedError with the reason, after which the link is good.
 */
export async function runByLink(
  { db, messages, logError }: Pick<WebDeps, 'db' | 'messages' | 'logError'>,
  grant: LinkGrant,
  principal: Principal,
  name: string,
): Promise<LinkRun> {
  const { orgId } = grant;
  const id = randomUUID();
  try {
    const first = await db.write(scopeOf(principal), async (tx) => {
      const incident = await seenIncident(tx, grant, grant.subject.incidentNumber);
      if (name === '') throw new RefusedError('Choose a runbook');
      const runbook = await getRunbook(tx, name);
      if (!runbook || runbook.removedAt) throw new RefusedError(`there is no runbook '${name}'`);
      if (!mayOn(principal, 'operator', runbook.teamId))
        throw new RefusedError(needsOperator(principal.email));
      if (!(await useLink(tx, grant))) return false;
      const workflowId = executionWorkflowId(orgId, id);
      const asked = { orgId, id, runbook: name, workflowId, requestedBy: principal.email, given: {} };
      await createExecution(tx, { ...asked, incidentId: incident.id });
      return true;
    });
    if (!first) return { status: 'used' };
  } catch (error) {
    if (error instanceof ExecutionRefusedError) return { status: 'incomplete', problems: error.problems };
    throw error;
  }
  try {
    await messages.startExecution(orgId, id);
    return { status: 'run', id, started: true };
  } catch (error) {
    // the link is spent and the run written down: whatever went wrong, the answer is not that nothing was run
    if (!(error instanceof TemporalUnavailableError)) logError(error, id);
    return { status: 'run', id, started: false };
  }
}

async function seenIncident(tx: Tx, grant: LinkGrant, number: number | undefined) {
  const incident = number === undefined ? undefined : await findIncident(tx, number);
  if (!incident) throw new RefusedError('the incident is gone, or it is another team’s');
  const stale = stalenessOf(grant, incident);
  if (stale !== undefined) throw new RefusedError(`nothing was changed. ${stale}`);
  return incident;
}
