import type { Database } from '../../db/database.ts';
import { readReadinessFor } from '../../db/readiness.ts';
import { scopeOf } from '../auth/principal.ts';
import { type Endpoint, personEndpoint } from '../endpoint.ts';
import { presentFinding } from './presenter.ts';
import { readinessShown } from './schema.ts';

export function readinessEndpoints({ db }: { db: Pick<Database, 'read'> }): Endpoint[] {
  return [
    personEndpoint({
      method: 'get',
      path: '/api/v1/readiness',
      tag: 'On call',
      summary: 'What could keep a page from reaching somebody in the next 14 days, the worst first',
      access: 'viewer',
      status: 200,
      response: readinessShown,
      handle: async ({ principal }) => ({
        items: (await readReadinessFor(db, scopeOf(principal), Date.now())).map(presentFinding),
      }),
    }),
  ];
}
