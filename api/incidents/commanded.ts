import { findIncident } from '../../db/incident-detail.ts';
import type { IncidentSummary } from '../../db/incidents.ts';
import type { Actor } from '../../workflows/messages.ts';
import { ClosedError, type MessageClient } from '../../workflows/messages-client.ts';
import { actorOf, assertRole, type Principal, scopeOf } from '../auth/principal.ts';
import type { Reader } from '../endpoint.ts';
import { ConflictError, NotFoundError } from '../errors.ts';

/** Throws NotFoundError for what the person does not see. */
export async function seenIncident(
  db: Reader,
  principal: Principal,
  number: number,
): Promise<IncidentSummary> {
  const incident = await db.read(scopeOf(principal), (tx) => findIncident(tx, number));
  if (!incident) throw new NotFoundError(`incident ${number}`);
  return incident;
}

/** Throws NotFoundError for what the person does not see, ForbiddenError where the person may not act. */
export async function commandedIncident(
  db: Reader,
  principal: Principal,
  number: number,
): Promise<IncidentSummary> {
  const incident = await seenIncident(db, principal, number);
  assertRole(principal, 'operator', incident.teamId);
  return incident;
}

/** Which message it is; `by` says who and as of what. */
export type SendCommand = (
  to: { orgId: string; number: number },
  by: { actor: Actor; asOf: number },
) => ReturnType<MessageClient['acknowledge']>;

/**
 * Sends a command as of the state that is now recorded, or that the person saw (`asOf`); once the workflow is gone, the
 * database answers. Throws as `commandedIncident`, ConflictError for what has ended, RefusedError,
 * TemporalUnavailableError.
 */
export async function commandIncident(
  db: Reader,
  principal: Principal,
  number: number,
  send: SendCommand,
  asOf?: number,
) {
  const incident = await commandedIncident(db, principal, number);
  try {
    const by = { actor: actorOf(principal), asOf: asOf ?? incident.recordedSeq };
    const answer = await send({ orgId: principal.orgId, number }, by);
    return { number, status: answer.status, seq: answer.seq };
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error;
    throw new ConflictError(howItEnded(await seenIncident(db, principal, number)), error);
  }
}

function howItEnded(incident: IncidentSummary): string {
  const { number, status, resolvedAt, resolvedBy } = incident;
  if (!resolvedAt) return `incident ${number} is not being worked on yet: try again in a moment`;
  const by = resolvedBy ? ` by ${resolvedBy}` : '';
  const what = status === 'false_positive' ? 'was marked as a false positive' : 'was resolved';
  return `incident ${number} ${what}${by} at ${resolvedAt.toISOString()} and is closed`;
}
