import type { Database } from '../../db/database.ts';
import {
  deleteSlo,
  getSlo,
  getStandingSlo,
  listSloPoints,
  listSlos,
  putSlo,
  type SloSettings,
} from '../../db/slos.ts';
import type { MessageClient } from '../../workflows/messages-client.ts';
import { begunMeasuring, measuredOnceBack, type SloMeasuring } from '../../workflows/messages-slos.ts';
import { scopeOf } from '../auth/principal.ts';
import { configurationEndpoints } from '../configuration.ts';
import { type Endpoint, iso, isoOrNull, personEndpoint } from '../endpoint.ts';
import { NotFoundError } from '../errors.ts';
import { presentSlo } from './presenter.ts';
import { sloBody, sloParams, sloShown, sloStanding, sloState } from './schema.ts';

const tag = 'SLOs';
const dayMs = 86_400_000;

export function sloEndpoints(deps: {
  db: Pick<Database, 'read' | 'write'>;
  messages: Pick<MessageClient, 'previewSlo'>;
  sloMeasuring: SloMeasuring;
}): Endpoint[] {
  const { db, messages, sloMeasuring } = deps;

  return [
    personEndpoint({
      method: 'post',
      path: '/api/v1/slos/preview',
      tag,
      summary: 'What an SLO as edited would be now: its queries are asked, and nothing is kept',
      access: 'admin',
      body: sloBody,
      status: 200,
      response: sloStanding,
      handle: async ({ principal, body }) => {
        const { name: _, updatedAt: __, team: ___, ...definition } = body;
        return presentSlo(await messages.previewSlo(principal.orgId, definition));
      },
    }),
    personEndpoint({
      method: 'get',
      path: '/api/v1/slos/{name}/state',
      tag,
      summary: 'The error budget of an SLO, how fast it burns, and its course',
      access: 'viewer',
      params: sloParams,
      status: 200,
      response: sloState,
      errors: { 404: 'No SLO of this name' },
      handle: async ({ principal, params: { name } }) => {
        const found = await db.read(scopeOf(principal), async (tx) => {
          const slo = await getStandingSlo(tx, name);
          if (!slo) return undefined;
          const since = new Date(Date.now() - slo.definition.windowDays * dayMs);
          return { slo, points: await listSloPoints(tx, name, since) };
        });
        if (!found) throw new NotFoundError(`SLO '${name}'`);
        return {
          ...presentSlo(found.slo.state),
          measuredAt: isoOrNull(found.slo.measuredAt),
          points: found.points.map((point) => ({ ...point, at: iso(point.at) })),
        };
      },
    }),
    ...configurationEndpoints<SloSettings, SloSettings>(
      {
        plural: 'slos',
        singular: 'SLO',
        tag,
        body: sloBody,
        shown: sloShown,
        present: (definition) => definition,
        list: listSlos,
        get: getSlo,
        put: putSlo,
        remove: deleteSlo,
        afterPut: async (orgId) =>
          (await begunMeasuring(sloMeasuring, orgId)) ? undefined : measuredOnceBack,
      },
      deps,
    ),
  ];
}
