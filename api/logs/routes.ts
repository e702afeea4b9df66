import type { Database } from '../../db/database.ts';
import { insertLogs } from '../../db/logs.ts';
import { parseLogLines } from '../../domain/logs/log-line.ts';
import { integrationOf } from '../auth/ingest-key.ts';
import { type Endpoint, endpoint } from '../endpoint.ts';
import { InvalidRequestError } from '../errors.ts';
import { logsAccepted, logsBody } from './schema.ts';

export function logEndpoints(deps: { db: Pick<Database, 'write'> }): Endpoint[] {
  return [
    endpoint({
      method: 'post',
      path: '/api/v1/logs',
      tag: 'Intake',
      summary: 'Take log lines into the built-in store',
      access: 'ingest',
      body: logsBody,
      bodyAs: 'text',
      status: 202,
      response: logsAccepted,
      handle: async ({ body, request }) => {
        const { orgId } = integrationOf(request);
        const { lines, problems, rejected } = parseLogLines(body);
        if (lines.length === 0 && problems.length > 0) {
          throw new InvalidRequestError(
            problems.map(({ line, field, message }) => ({
              field: field === '' ? `line ${line}` : `line ${line}: ${field}`,
              message,
            })),
          );
        }
        const accepted = await deps.db.write({ orgId }, (tx) => insertLogs(tx, { orgId, lines }));
        return { accepted, rejected, problems };
      },
    }),
  ];
}
