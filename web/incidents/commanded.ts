import type { Request } from 'express';
import { findIncident } from '../../db/incident-detail.ts';
import type { IncidentSummary } from '../../db/incidents.ts';
import type { WebDeps } from '../deps.ts';
import { posted } from '../layout/fields.ts';
import { assertVisitorRole, visitorOf } from '../visitor.ts';
import { noSuchIncident } from './number.ts';

/** Throws unless the visitor sees the incident and may act on it. */
export async function commandedIncident(
  { db }: Pick<WebDeps, 'db'>,
  request: Request,
  number: number,
): Promise<IncidentSummary> {
  const incident = await db.read(visitorOf(request).scope, (tx) => findIncident(tx, number));
  if (!incident) throw noSuchIncident(number);
  assertVisitorRole(request, 'operator', incident.teamId);
  return incident;
}

/** In the visitor's name, as of the state that the form was shown with. */
export function commandBy(request: Request, incident: IncidentSummary) {
  const asOf = Number(posted(request.body, 'asOf') || Number.NaN);
  return {
    actor: { name: visitorOf(request).email, via: 'page' as const },
    asOf: Number.isSafeInteger(asOf) && asOf >= 0 ? asOf : incident.recordedSeq,
  };
}
