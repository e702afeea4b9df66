import { integrationOf } from '../auth/ingest-key.ts';
import { type Endpoint, endpoint } from '../endpoint.ts';
import type { AlertIntake } from './accept.ts';
import { accepted, webhookBody } from './schema.ts';

export function alertEndpoints(deps: { accept: AlertIntake }): Endpoint[] {
  return [
    endpoint({
      method: 'post',
      path: '/api/v1/alerts/alertmanager',
      tag: 'Intake',
      summary: "Take alerts from Alertmanager's webhook",
      access: 'ingest',
      body: webhookBody,
      status: 202,
      response: accepted,
      handle: ({ body, request }) => deps.accept(integrationOf(request), body),
    }),
  ];
}
