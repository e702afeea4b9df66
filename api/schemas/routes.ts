import { z } from 'zod';
import { runbookJsonSchema } from '../../domain/runbook/schema.ts';
import { type Endpoint, endpoint } from '../endpoint.ts';

/** What editors complete files by; it changes with a version of Holdfast alone. */
export function schemaEndpoints(): Endpoint[] {
  const response = z.record(z.string(), z.unknown());
  let schema: Record<string, unknown> | undefined;
  return [
    endpoint({
      method: 'get',
      path: '/schemas/runbook.json',
      tag: 'Runbooks',
      summary: 'The JSON Schema (2020-12) of a runbook file',
      access: 'public',
      status: 200,
      response,
      handle: async ({ request }) => {
        schema ??= runbookJsonSchema();
        request.res?.type('application/schema+json').set({
          'Cache-Control': 'public, max-age=3600',
          'X-Content-Type-Options': 'nosniff',
          // editors on the web read it too
          'Access-Control-Allow-Origin': '*',
        });
        return schema;
      },
    }),
  ];
}
