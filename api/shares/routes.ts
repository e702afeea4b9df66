import type { z } from 'zod';
import type { Database } from '../../db/database.ts';
import {
  createShare,
  listShares,
  revokeShare,
  type ShareRecord,
  TooManySharesError,
  usualShareMs,
} from '../../db/shares.ts';
import { durationMs } from '../../domain/duration.ts';
import { scopeOf } from '../auth/principal.ts';
import { type Endpoint, iso, isoOrNull, personEndpoint } from '../endpoint.ts';
import { ConflictError, NotFoundError } from '../errors.ts';
import { commandedIncident } from '../incidents/commanded.ts';
import { incidentParams } from '../incidents/schema.ts';
import { madeShare, type share, shareBody, shareList, shareParams } from './schema.ts';

const tag = 'Incidents';
const path = '/api/v1/incidents/{number}/shares';

/** Links to one incident for people without an account. */
export function shareEndpoints({
  db,
  publicUrl,
}: {
  db: Pick<Database, 'read' | 'write'>;
  publicUrl: string;
}): Endpoint[] {
  return [
    personEndpoint({
      method: 'post',
      path,
      tag,
      summary: 'Make a link that shows the incident to people without an account, until it expires',
      access: 'operator',
      params: incidentParams,
      body: shareBody,
      status: 201,
      response: madeShare,
      errors: { 404: 'No incident of this number', 409: 'It has too many links already' },
      handle: async ({ principal, params, body }) => {
        const { orgId, email: actor } = principal;
        const incident = await commandedIncident(db, principal, params.number);
        const forMs = body?.for === undefined ? usualShareMs : durationMs(body.for);
        try {
          const made = await db.write(scopeOf(principal), (tx) =>
            createShare(tx, { orgId, incident, actor, forMs }),
          );
          return { ...present(made.share), url: `${publicUrl}/shared/${made.token}` };
        } catch (error) {
          if (error instanceof TooManySharesError) throw new ConflictError(error.message, error);
          throw error;
        }
      },
    }),
    personEndpoint({
      method: 'get',
      path,
      tag,
      summary: 'Links to the incident that have not expired, newest first, revoked ones too',
      access: 'operator',
      params: incidentParams,
      status: 200,
      response: shareList,
      errors: { 404: 'No incident of this number' },
      handle: async ({ principal, params }) => {
        const incident = await commandedIncident(db, principal, params.number);
        const shares = await db.read(scopeOf(principal), (tx) => listShares(tx, incident.id));
        return { items: shares.map(present) };
      },
    }),
    personEndpoint({
      method: 'delete',
      path: `${path}/{share}`,
      tag,
      summary: 'Revoke a link: it shows nothing from now on',
      access: 'operator',
      params: shareParams,
      status: 204,
      errors: { 404: 'No incident of this number, or no such link that works' },
      handle: async ({ principal, params }) => {
        const { orgId, email: actor } = principal;
        const incident = await commandedIncident(db, principal, params.number);
        const done = await db.write(scopeOf(principal), (tx) =>
          revokeShare(tx, { orgId, incident, shareId: params.share, actor }),
        );
        if (!done) throw new NotFoundError(`link ${params.share}`);
        return undefined;
      },
    }),
  ];
}

function present(record: ShareRecord): z.input<typeof share> {
  return {
    id: record.id,
    createdBy: record.createdBy,
    createdAt: iso(record.createdAt),
    expiresAt: iso(record.expiresAt),
    revokedAt: isoOrNull(record.revokedAt),
    opened: record.opened,
    lastOpenedAt: isoOrNull(record.lastOpenedAt),
  };
}
