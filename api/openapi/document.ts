import type { z } from 'zod';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi';
import { documentedWebhook } from '../alerts/schema.ts';
import type { Access, Endpoint } from '../endpoint.ts';
import { problem } from '../errors.ts';

const description = `
Times are ISO 8601, durations text such as '30s', '15m', '4h'. Lists come in pages: send \`nextCursor\` back as
\`cursor\`. Errors are problem details (RFC 9457) whose \`errors\` name the fields. An API token opens everything
that its user may; an ingest key opens the intake and nothing else, a runner's token the steps of its queue.
`.trim();

/** OpenAPI 3.1, made of the schemas that check the requests. */
export function createOpenApiDocument(
  endpoints: Endpoint[],
  options: { publicUrl: string; version: string },
) {
  const paths: ZodOpenApiPathsObject = {};
  for (const operation of endpoints) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: operationOf(operation) };
  }
  return createDocument({
    openapi: '3.1.1',
    info: { title: 'Holdfast', version: options.version, description },
    servers: [{ url: options.publicUrl }],
    tags: [...new Set(endpoints.map((operation) => operation.tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: { AlertmanagerWebhook: documentedWebhook },
      securitySchemes: {
        apiToken: { type: 'http', scheme: 'bearer', description: "A user's API token" },
        ingestKey: {
          type: 'http',
          scheme: 'bearer',
          description: "The key of an integration; 'X-Holdfast-Key: <key>' does as well",
        },
        runnerToken: { type: 'http', scheme: 'bearer', description: 'The token of a runner' },
      },
    },
  });
}

const bodyTypes = {
  json: ['application/json'],
  text: ['application/x-ndjson'],
  bytes: ['application/octet-stream'],
};

function operationOf(operation: Endpoint): ZodOpenApiOperationObject {
  const { access, alsoReads, response } = operation;
  const body = operation.body ?? alsoReads?.body;
  const query = operation.query ?? alsoReads?.query;
  return {
    operationId: operationIdOf(operation),
    tags: [operation.tag],
    summary: operation.summary,
    ...(isPersons(access) ? { description: `Role: ${access} or more.` } : {}),
    security: securityOf(access),
    requestParams: {
      ...(operation.params ? { path: operation.params } : {}),
      ...(query ? { query } : {}),
      ...(alsoReads ? { header: alsoReads.headers } : {}),
    },
    ...(body
      ? {
          requestBody: {
            required: alsoReads !== undefined || !body.safeParse(undefined).success,
            content: contentOf(
              Object.fromEntries(
                (operation.bodyTypes ?? bodyTypes[operation.bodyAs ?? 'json']).map((type) => [type, body]),
              ),
            ),
          },
        }
      : {}),
    responses: {
      [String(operation.status)]: {
        description: response?.description ?? operation.summary,
        ...(response ? { content: contentOf(operation.answersAs ?? { 'application/json': response }) } : {}),
      },
      ...errorsOf(operation),
    },
  };
}

/** Schemas by media type. */
function contentOf(types: Record<string, z.ZodType>) {
  return Object.fromEntries(Object.entries(types).map(([type, schema]) => [type, { schema }]));
}

function isPersons(access: Access): boolean {
  return access !== 'public' && access !== 'ingest' && access !== 'runner';
}

function securityOf(access: Access): Record<string, string[]>[] {
  if (access === 'public') return [];
  if (access === 'ingest') return [{ ingestKey: [] }];
  return [access === 'runner' ? { runnerToken: [] } : { apiToken: [] }];
}

function errorsOf({ access, body, bodyLimit, params, query, errors, errorsAs }: Endpoint) {
  const statuses: Record<string, string> = {
    ...(body || params || query ? { 400: 'Invalid request: `errors` names the fields' } : {}),
    ...(access === 'public' ? {} : { 401: 'No token, or a wrong one' }),
    ...(isPersons(access) ? { 403: 'The role is not enough' } : {}),
    ...(body ? { 413: `The body is larger than ${bodyLimit === '32mb' ? 32 : 10} MB` } : {}),
    ...(access === 'public' ? {} : { 503: 'Not available now: send it again after `Retry-After` seconds' }),
    ...errors,
  };
  return Object.fromEntries(
    Object.entries(statuses).map(([status, text]) => [
      status,
      { description: text, content: contentOf(errorsAs ?? { 'application/problem+json': problem }) },
    ]),
  );
}

/** 'get /api/v1/incidents/{number}/timeline' -> 'getIncidentsNumberTimeline'. */
function operationIdOf({ method, path }: Endpoint): string {
  const words = path.replace('/api/v1', '').match(/[a-z0-9]+/gi) ?? [];
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}
