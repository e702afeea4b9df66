import { listAudit } from '../../db/audit.ts';
import { scopeOf } from '../auth/principal.ts';
import {
  type Endpoint,
  iso,
  pageOf,
  personEndpoint,
  presentPage,
  type Reader,
  withoutUndefined,
} from '../endpoint.ts';
import { auditEntry, auditQuery } from './schema.ts';

export function auditEndpoints(deps: { db: Reader }): Endpoint[] {
  return [
    personEndpoint({
      method: 'get',
      path: '/api/v1/audit',
      tag: 'Audit',
      summary: 'Who changed what, newest first',
      access: 'admin',
      query: auditQuery,
      status: 200,
      response: pageOf(auditEntry),
      handle: async ({ principal, query }) => {
        const page = await deps.db.read(scopeOf(principal), (tx) =>
          listAudit(tx, { ...withoutUndefined(query), limit: query.limit }),
        );
        return presentPage(page, (entry) => ({ ...entry, at: iso(entry.at) }));
      },
    }),
  ];
}
