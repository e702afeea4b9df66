import { z } from 'zod';
import {
  findRemembered,
  forgetAlert,
  listRemembered,
  type RememberedAlert,
} from '../../db/correlation-memory.ts';
import type { Database } from '../../db/database.ts';
import { assertRole, scopeOf } from '../auth/principal.ts';
import {
  type Endpoint,
  instant,
  iso,
  pageOf,
  pageQuery,
  personEndpoint,
  presentPage,
  withoutUndefined,
} from '../endpoint.ts';
import { NotFoundError } from '../errors.ts';

const tag = 'Correlation memory';
const base = '/api/v1/correlation-memory';

const rememberedAlert = z
  .object({
    integrationId: z.uuid(),
    fingerprint: z.string(),
    name: z.string(),
    service: z.string().nullable(),
    group: z.uuid().meta({ description: 'Alerts of one group belong into one incident' }),
    apartFrom: z.array(z.uuid()).meta({ description: 'Groups whose incidents it never joins' }),
    together: z.int().meta({ description: 'Other alerts in its group' }),
    apart: z.int().meta({ description: 'Alerts in the groups that it is kept apart from' }),
    incidentNumber: z.int().meta({ description: 'Where it was decided' }),
    decidedBy: z.string(),
    decidedAt: instant,
  })
  .meta({
    id: 'RememberedAlert',
    description: 'What people grouped or split by hand counts before all rules',
  });

const params = z.object({ integrationId: z.uuid(), fingerprint: z.string().min(1).max(1000) });

export function correlationMemoryEndpoints({ db }: { db: Pick<Database, 'read' | 'write'> }): Endpoint[] {
  return [
    personEndpoint({
      method: 'get',
      path: base,
      tag,
      summary:
        'List the alerts that people grouped or split in incidents that you see, the latest decision first',
      access: 'viewer',
      query: z.object(pageQuery),
      status: 200,
      response: pageOf(rememberedAlert),
      handle: async ({ principal, query }) => {
        const page = await db.read(scopeOf(principal), (tx) =>
          listRemembered(tx, { ...withoutUndefined({ cursor: query.cursor }), limit: query.limit }),
        );
        return presentPage(page, present);
      },
    }),
    personEndpoint({
      method: 'delete',
      path: `${base}/{integrationId}/{fingerprint}`,
      tag,
      summary: 'Forget what was decided on an alert: from its next sighting on only the rules hold',
      access: 'operator',
      params,
      status: 204,
      errors: { 404: 'Nothing is remembered of this alert' },
      handle: async ({ principal, params: alert }) => {
        const { orgId, email: actor } = principal;
        const gone = await db.write(scopeOf(principal), async (tx) => {
          const remembered = await findRemembered(tx, alert);
          if (!remembered) return false;
          assertRole(principal, 'operator', remembered.teamId);
          return await forgetAlert(tx, { orgId, ...alert, actor });
        });
        if (!gone) throw new NotFoundError(`memory of alert ${alert.fingerprint}`);
        return undefined;
      },
    }),
  ];
}

function present({ teamId: _, ...alert }: RememberedAlert): z.input<typeof rememberedAlert> {
  return { ...alert, decidedAt: iso(alert.decidedAt) };
}
