import { z } from 'zod';
import type { Database } from '../../db/database.ts';
import {
  deleteLogSource,
  getLogSource,
  type LogSourceRow,
  listLogSources,
  putLogSource,
  recordProbe,
} from '../../db/log-sources.ts';
import type { LogSourceDefinition } from '../../domain/logs/log-source.ts';
import { scopeOf } from '../auth/principal.ts';
import { configurationEndpoints } from '../configuration.ts';
import { type Endpoint, isoOrNull, personEndpoint } from '../endpoint.ts';
import { NotFoundError } from '../errors.ts';
import { logSourceBody, logSourceHealth, logSourceName, logSourceShown } from './schema.ts';

/** Asks log systems, which only main/ can reach. */
export interface LogSourceProbe {
  /** Undefined where there is no source of this name. */
  probe(orgId: string, name: string): Promise<{ health: string } | { error: string } | undefined>;
}

export function logSourceEndpoints(deps: {
  db: Pick<Database, 'read' | 'write'>;
  logDesk: LogSourceProbe;
}): Endpoint[] {
  const { db, logDesk } = deps;
  return [
    ...configurationEndpoints<LogSourceDefinition, z.input<typeof logSourceShown>>(
      {
        plural: 'log-sources',
        singular: 'log source',
        tag: 'Logs',
        body: logSourceBody,
        shown: logSourceShown,
        present: (definition) => definition,
        list: listLogSources,
        get: getLogSource,
        put: putLogSource,
        remove: deleteLogSource,
      },
      deps,
    ),
    personEndpoint({
      method: 'get',
      path: '/api/v1/log-sources-health',
      tag: 'Logs',
      summary: 'How each log source was when it was last asked',
      access: 'viewer',
      status: 200,
      response: z.object({ items: z.array(logSourceHealth) }),
      handle: async ({ principal }) => {
        const rows = await db.read(scopeOf(principal), listLogSources);
        return { items: rows.map(presentHealth) };
      },
    }),
    personEndpoint({
      method: 'post',
      path: '/api/v1/log-sources/{name}/probe',
      tag: 'Logs',
      summary: 'Ask a log source how it is, now',
      access: 'admin',
      params: logSourceName,
      status: 200,
      response: logSourceHealth,
      errors: { 404: 'No log source of this name' },
      handle: async ({ principal, params: { name } }) => {
        const { orgId, email: actor } = principal;
        const missing = new NotFoundError(`log source '${name}'`);
        // whether this person sees it, before anything is asked
        if (!(await db.read(scopeOf(principal), (tx) => getLogSource(tx, name)))) throw missing;
        await db.write(scopeOf(principal), (tx) => recordProbe(tx, { orgId, name, actor }));
        await logDesk.probe(orgId, name);
        const row = await db.read(scopeOf(principal), (tx) => getLogSource(tx, name));
        if (!row) throw missing;
        return presentHealth(row);
      },
    }),
  ];
}

function presentHealth({ name, health, error, checkedAt }: LogSourceRow): z.input<typeof logSourceHealth> {
  return { name, health, error, checkedAt: isoOrNull(checkedAt) };
}
