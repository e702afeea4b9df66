import { randomInt } from 'node:crypto';
import type { Database } from '../../db/database.ts';
import { testIncidentKind } from '../../domain/test-incident.ts';
import type { AlertIntake } from '../alerts/accept.ts';
import { type Endpoint, personEndpoint } from '../endpoint.ts';
import { makeTestIncident } from './make.ts';
import { testIncidentBody, testIncidentMade } from './schema.ts';

export function testIncidentEndpoints(deps: {
  db: Pick<Database, 'read' | 'write'>;
  accept: AlertIntake;
}): Endpoint[] {
  return [
    personEndpoint({
      method: 'post',
      path: '/api/v1/test-incidents',
      tag: 'Incidents',
      summary: 'Make up an alert with logs, or resolve it, by way of the webhook',
      access: 'operator',
      body: testIncidentBody,
      status: 202,
      response: testIncidentMade,
      handle: ({ principal, body }) =>
        makeTestIncident(deps, {
          orgId: principal.orgId,
          kind: testIncidentKind(body.kind, randomInt(1000)),
          resolve: body.resolve,
          now: Date.now(),
        }),
    }),
  ];
}
