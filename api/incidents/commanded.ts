import { findIncident } from '../../db/incident-detail.ts';
import type { IncidentSummary } from '../../db/incidents.ts';
import { assertRole, type Principal, scopeOf } from '../auth/principal.ts';
import type { Reader } from '../endpoint.ts';
import { NotFoundError } from '../errors.ts';

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
