import type { Request, RequestHandler } from 'express';
import type { Database } from '../../db/database.ts';
import { findIngestKey } from '../../db/identity.ts';
import { hashSecret, secretPrefixes } from '../../db/secrets.ts';
import { bearerOf } from './authenticate.ts';
import { UnauthenticatedError } from './errors.ts';

export interface Integration {
  orgId: string;
  integrationId: string;
}

const integrations = new WeakMap<Request, Integration>();

/** Whose key the request brought. Only behind `requireIngestKey`. */
export function integrationOf(request: Request): Integration {
  const integration = integrations.get(request);
  if (!integration) throw new UnauthenticatedError('send an ingest key as Bearer');
  return integration;
}

/** For senders whose Authorization is taken, or cannot be set. */
const keyHeader = 'X-Holdfast-Key';

/** Milliseconds that a key is known without asking again: so long does a revoked one still work. */
const knownForMs = 5000;

/** Refuses with 401 what does not bring the key of an integration. */
export function requireIngestKey(db: Pick<Database, 'unscoped'>): RequestHandler {
  const known = new Map<string, Integration & { until: number }>();

  async function find(key: string): Promise<Integration | undefined> {
    const hash = hashSecret(key).toString('base64');
    const now = Date.now();
    const present = known.get(hash);
    if (present && present.until > now) return present;
    known.delete(hash);
    const found = await findIngestKey(db, key);
    // only keys that exist are kept, so guessing does not fill the memory
    if (found) known.set(hash, { ...found, until: now + knownForMs });
    return found;
  }

  return async (request, _response, next) => {
    const key = bearerOf(request) ?? request.get(keyHeader);
    if (key === undefined) {
      throw new UnauthenticatedError(
        "send the ingest key as 'Authorization: Bearer <key>', or as 'X-Holdfast-Key: <key>'",
      );
    }
    const integration = await find(key);
    if (!integration) {
      throw new UnauthenticatedError(
        key.startsWith(secretPrefixes.apiToken)
          ? 'this is an API token: the intake takes the ingest key of an integration'
          : 'the ingest key is unknown or was revoked',
      );
    }
    integrations.set(request, integration);
    next();
  };
}
