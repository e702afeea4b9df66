import type { Database } from '../../db/database.ts';
import { createRehearsal } from '../../db/rehearsal.ts';
import { readOrganizationZone } from '../../db/report-audience.ts';
import {
  editedOf,
  incidentOf,
  type Problem,
  type Rehearsal,
  weekOf,
} from '../../domain/rehearsal/request.ts';
import { scopeOf } from '../auth/principal.ts';
import { type Endpoint, personEndpoint, whenLeft } from '../endpoint.ts';
import { InvalidRequestError } from '../errors.ts';
import { presentRehearsal } from './presenter.ts';
import { rehearsalBody, rehearsalShown } from './schema.ts';

export function rehearsalEndpoints({
  db,
  timeZone,
}: {
  db: Pick<Database, 'read'>;
  timeZone: string;
}): Endpoint[] {
  const rehearse = createRehearsal(db);
  return [
    personEndpoint({
      method: 'post',
      path: '/api/v1/rehearsals',
      tag: 'Rehearsals',
      summary:
        'Try an edited policy, schedule, rule or SLA policy before saving it; nothing is stored or sent',
      access: 'operator',
      body: rehearsalBody,
      status: 200,
      response: rehearsalShown,
      errors: { 422: 'It takes too long', 503: 'Too many rehearsals wait already' },
      handle: async ({ principal, body, request }) => {
        const scope = scopeOf(principal);
        const organizationZone = await db.read(scope, (tx) => readOrganizationZone(tx, timeZone));
        const { what, ...shown } = toRehearse(body, { now: Date.now(), organizationZone });
        const asked = { edited: editedOf(body), what, organizationZone };
        const rehearsed = await rehearse(scope, asked, whenLeft(request));
        return presentRehearsal(rehearsed, shown);
      },
    }),
  ];
}

function toRehearse(
  { situation, week }: Rehearsal,
  { now, organizationZone }: { now: number; organizationZone: string },
) {
  if (situation) {
    const made = orRefuse(incidentOf(situation, now));
    const { openedAt } = made.incident;
    return { what: made, timeZone: made.timeZone, from: openedAt, to: openedAt };
  }
  if (!week)
    throw new InvalidRequestError([{ field: 'situation', message: 'say either a situation or a week' }]);
  const { from, timeZone = organizationZone } = week;
  const span = orRefuse(weekOf({ from, timeZone }, now));
  return { what: span, timeZone, ...span };
}

function orRefuse<T extends object>(read: T | { problem: Problem }): T {
  if ('problem' in read) throw new InvalidRequestError([read.problem]);
  return read;
}
