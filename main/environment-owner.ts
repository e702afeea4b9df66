import type { Database } from '../db/database.ts';
import { listOrganizations } from '../db/organizations.ts';

/**
 * What the environment names (a Prometheus, log systems, secrets, the AWS role) is the first organization's: others of
 * the same installation must not read what is there.
 * @returns whether it is the one with this id; throws DatabaseUnavailableError while that is not known yet
 */
export function environmentOwner(db: Pick<Database, 'unscoped'>): (orgId: string) => Promise<boolean> {
  let first: string | undefined;
  return async (orgId) => {
    first ??= (await listOrganizations(db))[0]?.orgId;
    return orgId === first;
  };
}
