import { explainClosedBreach } from '../../db/breaches.ts';
import { getChange } from '../../db/changes-read.ts';
import type { Database } from '../../db/database.ts';
import { judgeClosedCause, judgeClosedChange } from '../../db/judgements.ts';
import { type MessageClient, unlessClosed } from '../../workflows/messages-client.ts';
import { actorOf, scopeOf } from '../auth/principal.ts';
import { type Endpoint, personEndpoint } from '../endpoint.ts';
import { ConflictError, NotFoundError } from '../errors.ts';
import { commandedIncident } from './commanded.ts';
import {
  breachBody,
  breachParams,
  causeBody,
  changeParams,
  incidentParams,
  judged,
  verdictBody,
} from './schema.ts';

const tag = 'Incidents';

/** What people say of an incident's cause, of the changes before it and of its breaches, also long after its end. */
export function judgementEndpoints({
  db,
  messages,
}: {
  db: Pick<Database, 'read' | 'write'>;
  messages: MessageClient;
}): Endpoint[] {
  return [
    personEndpoint({
      method: 'post',
      path: '/api/v1/incidents/{number}/cause',
      tag,
      summary: "Say which service was the cause: confirms Holdfast's ranking, or corrects it",
      access: 'operator',
      params: incidentParams,
      body: causeBody,
      status: 200,
      response: judged,
      errors: { 404: 'No incident of this number', 409: 'Refused, with the reason' },
      handle: async ({ principal, params: { number }, body: { service } }) => {
        const { orgId, email } = principal;
        const { recordedSeq: asOf } = await commandedIncident(db, principal, number);
        await unlessClosed(
          () => messages.judgeCause(orgId, number, { actor: actorOf(principal), asOf, service }),
          () =>
            db.write(scopeOf(principal), (tx) =>
              judgeClosedCause(tx, { orgId, number, service, actor: email }),
            ),
        );
        return { number };
      },
    }),
    personEndpoint({
      method: 'post',
      path: '/api/v1/incidents/{number}/changes/{change}/verdict',
      tag,
      summary: 'Say whether a change was behind the incident',
      access: 'operator',
      params: changeParams,
      body: verdictBody,
      status: 200,
      response: judged,
      errors: { 404: 'No incident of this number, or no such change', 409: 'Refused, with the reason' },
      handle: async ({ principal, params: { number, change: changeId }, body: { verdict } }) => {
        const { orgId, email } = principal;
        const { recordedSeq: asOf } = await commandedIncident(db, principal, number);
        const change = await db.read(scopeOf(principal), (tx) => getChange(tx, changeId));
        if (!change) throw new NotFoundError(`change ${changeId}`);
        await unlessClosed(
          () => messages.judgeChange(orgId, number, { actor: actorOf(principal), asOf, changeId, verdict }),
          () =>
            db.write(scopeOf(principal), (tx) =>
              judgeClosedChange(tx, { orgId, number, changeId, verdict, actor: email }),
            ),
        );
        return { number };
      },
    }),
    personEndpoint({
      method: 'post',
      path: '/api/v1/incidents/{number}/breaches/{clock}/reason',
      tag,
      summary: 'Say why an SLA clock was breached',
      access: 'operator',
      params: breachParams,
      body: breachBody,
      status: 200,
      response: judged,
      errors: { 404: 'No incident of this number', 409: 'The clock is not breached' },
      handle: async ({ principal, params: { number, clock }, body: { reason, note = null } }) => {
        const { orgId, email: by } = principal;
        const { recordedSeq: asOf } = await commandedIncident(db, principal, number);
        const explanation = { clock, reason, note: note || null };
        await unlessClosed(
          () => messages.explainBreach(orgId, number, { actor: actorOf(principal), asOf, ...explanation }),
          async () => {
            const breached = await db.write(scopeOf(principal), (tx) =>
              explainClosedBreach(tx, { orgId, number, by, ...explanation }),
            );
            if (!breached)
              throw new ConflictError(`the clock to ${clock} of incident ${number} is not breached`);
          },
        );
        return { number };
      },
    }),
  ];
}
