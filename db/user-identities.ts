import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { recordAudit } from './audit.ts';
import type { Tx } from './database.ts';
import type { UserIdentitiesTable } from './schema.ts';
import { hashSecret } from './secrets.ts';

/** Who somebody is to a vendor: the person that acts there, acts here as the user who is linked. */

export const identityProviders = [
  'slack',
  'teams',
  'pagerduty',
] as const satisfies readonly UserIdentitiesTable['provider'][];
export type IdentityProvider = (typeof identityProviders)[number];

export interface UserIdentity {
  provider: IdentityProvider;
  /** As the vendor says it: a Slack user is 'U…', a user of PagerDuty 'P…'. */
  externalId: string;
  userId: string;
  /** For people: how they are called there. */
  name: string;
  linkedAt: Date;
}

/** Somebody at a vendor. */
export interface ExternalPerson {
  provider: IdentityProvider;
  externalId: string;
  name: string;
}

/** How long a code links somebody: as long as it takes to open the address and sign in. */
export const linkCodeMs = 15 * 60_000;

function identities(tx: Tx) {
  return tx
    .selectFrom('user_identities')
    .select(['provider', 'external_id as externalId', 'user_id as userId', 'name', 'linked_at as linkedAt']);
}

/** Who the vendor's person is here; undefined where nobody is linked. */
export async function findIdentity(
  tx: Tx,
  person: Pick<ExternalPerson, 'provider' | 'externalId'>,
): Promise<UserIdentity | undefined> {
  return await identities(tx)
    .where('provider', '=', person.provider)
    .where('external_id', '=', person.externalId)
    .executeTakeFirst();
}

/** Of one user, by provider. */
export async function listIdentities(tx: Tx, userId: string): Promise<UserIdentity[]> {
  return await identities(tx)
    .where('user_id', '=', userId)
    .orderBy('provider')
    .orderBy('external_id')
    .execute();
}

/** Of everybody, by provider. */
export async function listAllIdentities(tx: Tx): Promise<UserIdentity[]> {
  return await identities(tx).orderBy('provider').orderBy('external_id').execute();
}

/** Who the user with this mail address is to the vendor; undefined where they are not linked, or disabled. */
export async function findIdentityOf(
  tx: Tx,
  person: { email: string; provider: IdentityProvider },
): Promise<UserIdentity | undefined> {
  return await tx
    .selectFrom('user_identities as i')
    .innerJoin('users as u', 'u.id', 'i.user_id')
    .select([
      'i.provider',
      'i.external_id as externalId',
      'i.user_id as userId',
      'i.name',
      'i.linked_at as linkedAt',
    ])
    .where('u.email', '=', person.email.toLowerCase())
    .where('u.disabled_at', 'is', null)
    .where('i.provider', '=', person.provider)
    .orderBy('i.linked_at', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** Replaces who the vendor's person was here. `how` is for the audit log. */
export async function linkIdentity(
  tx: Tx,
  link: ExternalPerson & {
    orgId: string;
    userId: string;
    actor: string;
    how: 'code' | 'mail address' | 'owner';
  },
): Promise<void> {
  const { orgId, userId, provider, externalId, name, actor, how } = link;
  await tx
    .insertInto('user_identities')
    .values({ org_id: orgId, user_id: userId, provider, external_id: externalId, name })
    .onConflict((conflict) =>
      conflict
        .columns(['org_id', 'provider', 'external_id'])
        .doUpdateSet({ user_id: userId, name, linked_at: sql<Date>`now()` }),
    )
    .execute();
  await recordAudit(tx, {
    orgId,
    actor,
    action: 'identity.linked',
    subject: `user:${userId}`,
    data: { provider, externalId, name, how },
  });
}

/** False when the user has no such identity. */
export async function unlinkIdentity(
  tx: Tx,
  link: Pick<ExternalPerson, 'provider' | 'externalId'> & { orgId: string; userId: string; actor: string },
): Promise<boolean> {
  const { orgId, userId, provider, externalId, actor } = link;
  const gone = await tx
    .deleteFrom('user_identities')
    .where('provider', '=', provider)
    .where('external_id', '=', externalId)
    .where('user_id', '=', userId)
    .returning('name')
    .executeTakeFirst();
  if (!gone) return false;
  await recordAudit(tx, {
    orgId,
    actor,
    action: 'identity.unlinked',
    subject: `user:${userId}`,
    data: { provider, externalId, name: gone.name },
  });
  return true;
}

// ---- codes ----

/** A code that links this person once, within `linkCodeMs`. Whatever has expired is forgotten by the way. */
export async function createLinkCode(tx: Tx, orgId: string, person: ExternalPerson): Promise<string> {
  await tx.deleteFrom('identity_link_codes').where('expires_at', '<', sql<Date>`now()`).execute();
  const code = randomBytes(24).toString('base64url');
  await tx
    .insertInto('identity_link_codes')
    .values({
      org_id: orgId,
      code_hash: hashSecret(code),
      provider: person.provider,
      external_id: person.externalId,
      name: person.name,
      expires_at: sql<Date>`now() + ${linkCodeMs} * interval '1 millisecond'`,
    })
    .execute();
  return code;
}

/** Whom the code links; undefined where it is unknown, used or expired. Looking does not use it up. */
export async function findLinkCode(tx: Tx, code: string): Promise<ExternalPerson | undefined> {
  return await tx
    .selectFrom('identity_link_codes')
    .select(['provider', 'external_id as externalId', 'name'])
    .where('code_hash', '=', hashSecret(code))
    .where('expires_at', '>', sql<Date>`now()`)
    .executeTakeFirst();
}

/** Uses the code up. Undefined when it is unknown, expired, or another click was first. */
export async function useLinkCode(tx: Tx, code: string): Promise<ExternalPerson | undefined> {
  return await tx
    .deleteFrom('identity_link_codes')
    .where('code_hash', '=', hashSecret(code))
    .where('expires_at', '>', sql<Date>`now()`)
    .returning(['provider', 'external_id as externalId', 'name'])
    .executeTakeFirst();
}
