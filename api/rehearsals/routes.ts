import type { Database } from '../../db/database.ts';
import { createRehearsal } from '../../db/rehearsal.ts';
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

export function rehearsalEndpoints({ db }: { db: Pick<Database, 'read'> }): Endpoint[] {
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
        const { what, ...shown } = toRehearse(body, Date.now());
        const edited = editedOf(body);
        const rehearsed = await rehearse(scopeOf(principal), { edited, what }, whenLeft(request));
        return presentRehearsal(rehearsed, shown);
      },
    }),
  ];
}

function toRehearse({ situation, week }: Rehearsal, now: number) {
  if (situation) {
    const made = orRefuse(incidentOf(situation, now));
    const { openedAt } = made.incident;
    return { what: made, timeZone: made.timeZone, from: openedAt, to: openedAt };
  }
  if (!week)
    throw new InvalidRequestError([{ field: 'situation', message: 'say either a situation or a week' }]);
  const span = orRefuse(weekOf(week, now));
  return { what: span, timeZone: week.timeZone, ...span };
}

function orRefuse<T extends object>(read: T | { problem: Problem }): T {
  if ('problem' in read) throw new InvalidRequestError([read.problem]);
  return read;
}
