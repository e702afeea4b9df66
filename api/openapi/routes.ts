import { z } from 'zod';
import { type Endpoint, endpoint } from '../endpoint.ts';
import { createOpenApiDocument } from './document.ts';

/** Describes `endpoints` and itself. */
export function openApiEndpoint(
  endpoints: Endpoint[],
  options: { publicUrl: string; version: string },
): Endpoint {
  const own = endpoint({
    method: 'get',
    path: '/api/v1/openapi.json',
    tag: 'Health',
    summary: 'This API, described by OpenAPI 3.1',
    access: 'public',
    status: 200,
    response: z.record(z.string(), z.unknown()),
    handle: async () => document,
  });
  const document: Record<string, unknown> = {
    ...createOpenApiDocument([...endpoints, own], options),
  };
  return own;
}
