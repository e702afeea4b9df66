import { z } from 'zod';
import type { IncidentSummary } from '../../db/incidents.ts';
import { ClosedError, type MessageClient, RefusedError } from '../../workflows/messages-client.ts';
import { actorOf, type Principal } from '../auth/principal.ts';
import { type Endpoint, personEndpoint, type Reader } from '../endpoint.ts';
import { ConflictError, InvalidRequestError } from '../errors.ts';
import { commandedIncident } from './commanded.ts';
import { accepted, incidentParams } from './schema.ts';

const number = z.int().min(1).max(2_147_483_647);
const alertId = z.int().min(1).max(Number.MAX_SAFE_INTEGER);

const mergeBody = z.object({ into: number.meta({ description: 'Number of the incident that goes on' }) });
const splitBody = z.object({
  alertIds: z.array(alertId).min(1).max(1000).meta({ description: 'Ids of alerts of this incident' }),
  into: number.optional().meta({ description: 'An incident that they belong to; absent: a new one' }),
});
const groupBody = z.object({
  numbers: z
    .array(number)
    .min(2)
    .max(50)
    .refine((numbers) => new Set(numbers).size === numbers.length, 'name each incident once'),
});

const regrouped = accepted
  .extend({ into: number.meta({ description: 'The incident that has the alerts now' }) })
  .meta({ id: 'Regrouped' });
const grouped = z
  .object({
    into: number,
    items: z.array(
      z.object({
        number,
        outcome: z.enum(['merged', 'refused']),
        reason: z.string().nullable().meta({ description: 'Why it was refused' }),
      }),
    ),
  })
  .meta({ id: 'Grouped' });

const tag = 'Incidents';
const refusals = { 404: 'No incident of this number', 409: 'Refused, with the reason' };

/** What people group and split by hand; Holdfast remembers it for the next sightings of these alerts. */
export function regroupEndpoints({ db, messages }: { db: Reader; messages: MessageClient }): Endpoint[] {
  /** Where alerts go that are sent into an incident: what was merged has them go on, if the person may act there, too. */
  async function targeted(principal: Principal, which: number): Promise<IncidentSummary> {
    let incident = await commandedIncident(db, principal, which);
    while (incident.mergedInto !== null)
      incident = await commandedIncident(db, principal, incident.mergedInto);
    return incident;
  }

  async function regroup(
    principal: Principal,
    incident: IncidentSummary,
    move: { alertIds: number[] | null; into: number | null },
  ): Promise<z.input<typeof regrouped>> {
    try {
      const by = { actor: actorOf(principal), asOf: incident.recordedSeq };
      const answer = await messages.regroup(principal.orgId, incident.number, { ...by, ...move });
      return { number: incident.number, ...answer };
    } catch (error) {
      if (error instanceof ClosedError)
        throw new ConflictError(`incident ${incident.number} is closed`, error);
      throw error;
    }
  }

  return [
    personEndpoint({
      method: 'post',
      path: '/api/v1/incidents/{number}/merge',
      tag,
      summary: 'Merge it into another incident: all of its alerts go there, and it ends',
      access: 'operator',
      params: incidentParams,
      body: mergeBody,
      status: 200,
      response: regrouped,
      errors: refusals,
      handle: async ({ principal, params, body: { into } }) => {
        if (into === params.number) {
          throw new InvalidRequestError([{ field: 'into', message: 'name another incident' }]);
        }
        const incident = await commandedIncident(db, principal, params.number);
        const target = await targeted(principal, into);
        return await regroup(principal, incident, { alertIds: null, into: target.number });
      },
    }),
    personEndpoint({
      method: 'post',
      path: '/api/v1/incidents/{number}/split',
      tag,
      summary: 'Move some of its alerts into another incident, or into a new one',
      access: 'operator',
      params: incidentParams,
      body: splitBody,
      status: 200,
      response: regrouped,
      errors: refusals,
      handle: async ({ principal, params, body: { alertIds, into } }) => {
        if (into === params.number) {
          throw new InvalidRequestError([{ field: 'into', message: 'name another incident' }]);
        }
        const incident = await commandedIncident(db, principal, params.number);
        const target = into === undefined ? null : await targeted(principal, into);
        return await regroup(principal, incident, {
          alertIds: [...new Set(alertIds)],
          into: target?.number ?? null,
        });
      },
    }),
    personEndpoint({
      method: 'post',
      path: '/api/v1/incidents/group',
      tag,
      summary: 'Merge incidents into the one that was opened first',
      access: 'operator',
      body: groupBody,
      status: 200,
      response: grouped,
      errors: refusals,
      handle: async ({ principal, body: { numbers } }) => {
        const incidents: IncidentSummary[] = [];
        for (const which of numbers.toSorted((a, b) => a - b))
          incidents.push(await commandedIncident(db, principal, which));
        const [into, ...others] = incidents.filter(({ mergedInto }) => mergedInto === null);
        if (!into || others.length === 0) throw new ConflictError('fewer than two of them are still apart');
        const items: z.input<typeof grouped>['items'] = [];
        for (const incident of others) {
          items.push(await mergeOne(principal, incident, into.number));
        }
        return { into: into.number, items };
      },
    }),
  ];

  /** One that is refused keeps no other from being merged. */
  async function mergeOne(principal: Principal, incident: IncidentSummary, into: number) {
    const { number: which } = incident;
    try {
      await regroup(principal, incident, { alertIds: null, into });
      return { number: which, outcome: 'merged' as const, reason: null };
    } catch (error) {
      if (!(error instanceof ConflictError || error instanceof RefusedError)) throw error;
      return { number: which, outcome: 'refused' as const, reason: error.message };
    }
  }
}
