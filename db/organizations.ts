import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { type EscalationPolicy, slaPolicy } from '../domain/policies.ts';
import { recordAudit } from './audit.ts';
import type { Database, Tx } from './database.ts';
import { createApiToken, createUser, setMembership } from './identity.ts';
import { putEscalationPolicy } from './policies.ts';
import { hashSecret, newSecret } from './secrets.ts';
import { putSlaPolicy } from './sla-policies.ts';

export interface FirstStart {
  /** Default 'default'. */
  slug?: string;
  name?: string;
  ownerEmail: string;
  /** Fixed by configuration; otherwise made at the first start. */
  ownerToken?: string;
  ingestKey?: string;
  /** Of the Alertmanager behind the ingest key, asked about alerts that fall silent. */
  alertmanagerUrl?: string;
}

export interface EnsuredOrganization {
  orgId: string;
  ownerUserId: string;
  integrationId: string;
  created: boolean;
  /** Known only when they were made just now or came with the configuration. */
  ownerToken?: string;
  ingestKey?: string;
}

const actor = 'holdfast';
const integrationName = 'alertmanager';

/**
 * The organization with what it needs to work: owner, token, ingest key, signing key, escalation and SLA
 * policies. What is there stays as people changed it; a token, key or address that the configuration fixes is
 * made to hold. Safe to run at every start and by several processes at once.
 */
export async function ensureOrganization(
  db: Pick<Database, 'unscoped'>,
  start: FirstStart,
): Promise<EnsuredOrganization> {
  return await db.unscoped(async (tx) => {
    const slug = start.slug ?? 'default';
    const { rows } = await sql<{ orgId: string; created: boolean }>`
      select org_id as "orgId", created from create_organization(${slug}, ${start.name ?? 'Default'})`.execute(
      tx,
    );
    const organization = rows[0];
    if (!organization) throw new Error(`the organization '${slug}' could not be made`);
    const { orgId, created } = organization;
    await sql`select set_config('app.org_id', ${orgId}, true)`.execute(tx);
    const ownerUserId = await ensureOwner(tx, orgId, start.ownerEmail);
    const ownerToken = await ensureOwnerToken(tx, orgId, ownerUserId, start.ownerToken);
    const { integrationId, ingestKey } = await ensureIntegration(tx, orgId, start.ingestKey);
    if (start.alertmanagerUrl !== undefined) {
      await setAlertmanagerUrl(tx, orgId, integrationId, start.alertmanagerUrl);
    }
    if (created) await putDefaults(tx, orgId, start.ownerEmail);
    return {
      orgId,
      ownerUserId,
      integrationId,
      created,
      ...(ownerToken === undefined ? {} : { ownerToken }),
      ...(ingestKey === undefined ? {} : { ingestKey }),
    };
  });
}

async function ensureOwner(tx: Tx, orgId: string, ownerEmail: string): Promise<string> {
  const email = ownerEmail.trim().toLowerCase();
  const present = await tx.selectFrom('users').select('id').where('email', '=', email).executeTakeFirst();
  if (present) return present.id;
  const userId = await createUser(tx, { orgId, email, name: 'Owner', actor });
  await setMembership(tx, { orgId, userId, teamId: null, role: 'owner', actor });
  return userId;
}

async function ensureOwnerToken(
  tx: Tx,
  orgId: string,
  userId: string,
  fixed: string | undefined,
): Promise<string | undefined> {
  const tokens = await tx
    .selectFrom('api_tokens')
    .select(['id', 'token_hash as hash', 'revoked_at as revokedAt'])
    .where('user_id', '=', userId)
    .execute();
  if (fixed === undefined) {
    if (tokens.length > 0) return undefined;
    return (await createApiToken(tx, { orgId, userId, name: 'owner', actor })).token;
  }
  const present = tokens.find((token) => token.hash.equals(hashSecret(fixed)));
  if (present?.revokedAt) {
    throw new Error(
      'HOLDFAST_OWNER_TOKEN names a token that was revoked: set another one, or unset it to keep the present ones',
    );
  }
  if (!present) {
    await createApiToken(tx, { orgId, userId, name: 'owner (HOLDFAST_OWNER_TOKEN)', actor, token: fixed });
  }
  return fixed;
}

async function ensureIntegration(
  tx: Tx,
  orgId: string,
  fixed: string | undefined,
): Promise<{ integrationId: string; ingestKey?: string }> {
  const present = await tx
    .selectFrom('integrations')
    .select(['id', 'key_hash as hash'])
    .where('name', '=', integrationName)
    .executeTakeFirst();
  if (present) {
    if (fixed === undefined) return { integrationId: present.id };
    if (!present.hash.equals(hashSecret(fixed))) await setIngestKey(tx, orgId, present.id, fixed);
    return { integrationId: present.id, ingestKey: fixed };
  }
  const ingestKey = fixed ?? newSecret('ingestKey');
  const { id } = await tx
    .insertInto('integrations')
    .values({ org_id: orgId, kind: 'alertmanager', name: integrationName, key_hash: hashSecret(ingestKey) })
    .returning('id')
    .executeTakeFirstOrThrow();
  await recordAudit(tx, {
    orgId,
    actor,
    action: 'integration.created',
    subject: `integration:${integrationName}`,
  });
  return { integrationId: id, ingestKey };
}

async function setIngestKey(tx: Tx, orgId: string, integrationId: string, key: string): Promise<void> {
  await tx
    .updateTable('integrations')
    .set({ key_hash: hashSecret(key) })
    .where('id', '=', integrationId)
    .execute();
  await recordAudit(tx, {
    orgId,
    actor,
    action: 'integration.key_set',
    subject: `integration:${integrationId}`,
  });
}

async function setAlertmanagerUrl(tx: Tx, orgId: string, integrationId: string, url: string): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable('integrations')
    .set({ alertmanager_url: url })
    .where('id', '=', integrationId)
    .where('alertmanager_url', 'is distinct from', url)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return;
  await recordAudit(tx, {
    orgId,
    actor,
    action: 'integration.url_set',
    subject: `integration:${integrationId}`,
  });
}

async function putDefaults(tx: Tx, orgId: string, ownerEmail: string): Promise<void> {
  await tx
    .insertInto('signing_keys')
    .values({ org_id: orgId, secret: randomBytes(32) })
    .execute();
  await putEscalationPolicy(tx, { orgId, name: 'default', definition: defaultEscalation(ownerEmail), actor });
  for (const [name, definition] of Object.entries(defaultSlaPolicies)) {
    await putSlaPolicy(tx, { orgId, name, definition: slaPolicy.parse(definition), actor });
  }
}

function defaultEscalation(ownerEmail: string): EscalationPolicy {
  const targets: EscalationPolicy['levels'][number]['targets'] = [{ type: 'email', address: ownerEmail }];
  return { levels: ['0s', '15m', '30m', '60m'].map((after) => ({ after, targets })), repeats: 0 };
}

const defaultSlaPolicies = {
  payment: { order: 10, match: { alert: 'Payment*' }, acknowledgeWithin: '2m', resolveWithin: '15m' },
  critical: { order: 20, match: { severity: 'critical' }, acknowledgeWithin: '5m', resolveWithin: '30m' },
  standard: { order: 30, match: {}, acknowledgeWithin: '30m', resolveWithin: '4h' },
};

/** Every organization, oldest first: for what runs for all of them, as schedules do. */
export async function listOrganizations(
  db: Pick<Database, 'unscoped'>,
): Promise<{ orgId: string; slug: string; name: string }[]> {
  return await db.unscoped(async (tx) => {
    const { rows } = await sql<{ orgId: string; slug: string; name: string }>`
      select org_id as "orgId", slug, name from list_organizations()`.execute(tx);
    return rows;
  });
}

/** The name of the organization that the transaction is in; '' outside of any. */
export async function getOrganizationName(tx: Tx): Promise<string> {
  const row = await tx.selectFrom('organizations').select('name').executeTakeFirst();
  return row?.name ?? '';
}
