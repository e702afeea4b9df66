import { z } from 'zod';
import { readIncidentExport } from '../../db/incident-export.ts';
import { markdownOf } from '../../domain/incident-export/markdown.ts';
import { scopeOf } from '../auth/principal.ts';
import { type Endpoint, personEndpoint, type Reader } from '../endpoint.ts';
import { NotFoundError } from '../errors.ts';
import { exportQuery, incidentParams } from './schema.ts';

const asJson = z.record(z.string(), z.unknown()).meta({ id: 'IncidentExport' });
const exported = z
  .union([z.string(), asJson])
  .meta({ description: 'Markdown as text/markdown, or the whole incident as JSON' });

/** An incident to be kept or read elsewhere. */
export function exportEndpoint({ db, publicUrl }: { db: Reader; publicUrl: string }): Endpoint {
  return {
    ...personEndpoint({
      method: 'get',
      path: '/api/v1/incidents/{number}/export',
      tag: 'Incidents',
      summary: 'The whole incident as the draft of a post-mortem in Markdown, or as JSON',
      access: 'viewer',
      params: incidentParams,
      query: exportQuery,
      status: 200,
      response: exported,
      answersAs: { 'text/markdown': z.string(), 'application/json': asJson },
      errors: { 404: 'No incident of this number' },
      handle: async ({ principal, params: { number }, query: { format } }) => {
        const found = await db.read(scopeOf(principal), (tx) =>
          readIncidentExport(tx, number, { publicUrl, now: Date.now() }),
        );
        if (!found) throw new NotFoundError(`incident ${number}`);
        return format === 'json' ? { ...found } : markdownOf(found);
      },
    }),
    send: (answer, _request, response) => {
      if (typeof answer === 'string') response.type('text/markdown; charset=utf-8').send(answer);
      else response.json(answer);
    },
  };
}
