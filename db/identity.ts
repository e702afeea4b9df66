import { sql } from 'kysely';
import type { Role } from '../domain/roles.ts';
import { recordAudit } from './audit.ts';
import type { Database, Tx } from './database.ts';
import { hashSecret, newSecret } from './secrets.ts';

/** Who signs in, by what, and what they may. Secrets are stored as hashes and returned once, when made. */

export interface Person {
  userId: string;
  email: string;
  name: string;
  disabledAt: Date | null;
  /** `teamId` null: the role in the whole organization. */
  memberships: { teamId: string | null; teamName: string | null; teamSlug: string | null; role: Role }[];
}

// ---- before the organization is known ----

export async function findIngestKey(
  db: Pick<Database, 'unscoped'>,
  key: string,
): Promise<{ orgId: string; integrationId: string } | undefined> {
  return await first(
    db,
    sql`select org_id as "orgId", integration_id as "integrationId"
    from find_ingest_key(${hashSecret(key)})`,
  );
}

export async function findSession(
  db: Pick<Database, 'unscoped'>,
  token: string,
): Promise<{ orgId: string; sessionId: string; userId: string; csrfToken: string } | undefined> {
  return await first(
    db,
    sql`select org_id as "orgId", session_id as "sessionId", user_id as "userId",
    csrf_token as "csrfToken" from find_session(${hashSecret(token)})`,
  );
}

export async function findApiToken(
  db: Pick<Database, 'unscoped'>,
  token: string,
): Promise<{ orgId: string; tokenId: string; userId: string } | undefined> {
  return await first(
    db,
    sql`select org_id as "orgId", token_id as "tokenId", user_id as "userId"
    from find_api_token(${hashSecret(token)})`,
  );
}

/** Users with a password by mail address: one for each organization in which there is one. */
export async function findSignIn(
  db: Pick<Database, 'unscoped'>,
  email: string,
): Promise<{ orgId: string; userId: string; passwordHash: string }[]> {
  return await db.unscoped(async (tx) => {
    const { rows } = await sql<{ orgId: string; userId: string; passwordHash: string }>`
      select org_id as "orgId", user_id as "userId", password_hash as "passwordHash"
      from find_sign_in(${email.trim()})`.execute(tx);
    return rows;
  });
}

/** A link that was neither used nor has expired. Looking does not use it up. */
export async function findSignInLink(
  db: Pick<Database, 'unscoped'>,
  token: string,
): Promise<{ orgId: string; linkId: string; userId: string } | undefined> {
  return await first(
    db,
    sql`select org_id as "orgId", link_id as "linkId", user_id as "userId"
    from find_sign_in_link(${hashSecret(token)})`,
  );
}

async function first<T>(
  db: Pick<Database, 'unscoped'>,
  query: ReturnType<typeof sql<T>>,
): Promise<T | undefined> {
  return await db.unscoped(async (tx) => (await query.execute(tx)).rows[0]);
}

// ---- people ----

export async function getPerson(tx: Tx, userId: string): Promise<Person | undefined> {
  return (await people(tx).where('users.id', '=', userId).execute())[0];
}

/** By name. */
export async function listPeople(tx: Tx): Promise<Person[]> {
  return await people(tx).orderBy('users.name').orderBy('users.email').execute();
}

function people(tx: Tx) {
  return tx.selectFrom('users').select([
    'users.id as userId',
    'users.email',
    'users.name',
    'users.disabled_at as disabledAt',
    sql<Person['memberships']>`coalesce((
        select jsonb_agg(jsonb_build_object('teamId', m.team_id, 'teamName', t.name, 'teamSlug', t.slug, 'role', m.role) order by t.name)
        from memberships m left join teams t on t.id = m.team_id where m.user_id = users.id), '[]')`.as(
      'memberships',
    ),
  ]);
}

/** Returns the id. Throws a unique violation (23505) for an address that is taken. */
export async function createUser(
  tx: Tx,
  args: { orgId: string; email: string; name: string; passwordHash?: string; actor: string },
): Promise<string> {
  const email = args.email.trim().toLowerCase();
  const { id } = await tx
    .insertInto('users')
    .values({ org_id: args.orgId, email, name: args.name, password_hash: args.passwordHash ?? null })
    .returning('id')
    .executeTakeFirstOrThrow();
  await recordAudit(tx, { ...args, action: 'user.created', subject: `user:${email}` });
  return id;
}

/** Someone must be left who can manage members and tokens. */
export class LastOwnerError extends Error {
  override name = 'LastOwnerError';
}

/**
 * The role in the organization (teamId null) or in a team; replaces the one that was there. Throws
 * LastOwnerError when no Owner would be left.
 */
export async function setMembership(
  tx: Tx,
  args: { orgId: string; userId: string; teamId: string | null; role: Role; actor: string },
): Promise<void> {
  const isOwnerNow = args.teamId === null && (await lockOwners(tx)).includes(args.userId);
  await tx
    .insertInto('memberships')
    .values({ org_id: args.orgId, user_id: args.userId, team_id: args.teamId, role: args.role })
    .onConflict((conflict) => conflict.columns(['user_id', 'team_id']).doUpdateSet({ role: args.role }))
    .execute();
  if (isOwnerNow && args.role !== 'owner') await requireOwner(tx);
  await recordAudit(tx, {
    orgId: args.orgId,
    actor: args.actor,
    action: 'membership.set',
    subject: `user:${args.userId}`,
    data: { teamId: args.teamId, role: args.role },
  });
}

/**
 * A disabled user's password, sessions, tokens and links stop working at once. False when there is no such
 * user. Throws LastOwnerError when no Owner would be left.
 */
export async function setDisabled(
  tx: Tx,
  args: { orgId: string; userId: string; disabled: boolean; actor: string },
): Promise<boolean> {
  const isOwnerNow = (await lockOwners(tx)).includes(args.userId);
  const user = await tx
    .updateTable('users')
    .set({ disabled_at: args.disabled ? sql<Date>`coalesce(disabled_at, now())` : null })
    .where('id', '=', args.userId)
    .returning('email')
    .executeTakeFirst();
  if (!user) return false;
  if (isOwnerNow && args.disabled) await requireOwner(tx);
  await recordAudit(tx, {
    orgId: args.orgId,
    actor: args.actor,
    action: args.disabled ? 'user.disabled' : 'user.enabled',
    subject: `user:${user.email}`,
  });
  return true;
}

/** The enabled Owners of the organization, held so that two of them cannot remove each other at once. */
async function lockOwners(tx: Tx): Promise<string[]> {
  const rows = await tx
    .selectFrom('memberships')
    .innerJoin('users', 'users.id', 'memberships.user_id')
    .select('memberships.user_id as userId')
    .where('memberships.role', '=', 'owner')
    .where('memberships.team_id', 'is', null)
    .where('users.disabled_at', 'is', null)
    .orderBy('memberships.id')
    .forUpdate()
    .execute();
  return rows.map((row) => row.userId);
}

async function requireOwner(tx: Tx): Promise<void> {
  if ((await lockOwners(tx)).length > 0) return;
  throw new LastOwnerError('this is the last Owner of the organization: make somebody else Owner first');
}

/** Ends every session of the user but `keepSessionId`: whoever knew the old password is out. */
export async function setPassword(
  tx: Tx,
  args: { orgId: string; userId: string; passwordHash: string; keepSessionId?: string; actor: string },
): Promise<void> {
  await tx
    .updateTable('users')
    .set({ password_hash: args.passwordHash })
    .where('id', '=', args.userId)
    .execute();
  let sessions = tx.deleteFrom('sessions').where('user_id', '=', args.userId);
  if (args.keepSessionId !== undefined) sessions = sessions.where('id', '<>', args.keepSessionId);
  await sessions.execute();
  await recordAudit(tx, {
    orgId: args.orgId,
    actor: args.actor,
    action: 'user.password_set',
    subject: `user:${args.userId}`,
  });
}

// ---- sessions ----

export interface SessionRecord {
  id: string;
  userAgent: string;
  createdAt: Date;
  lastSeenAt: Date;
  expiresAt: Date;
}

/** Returns the cookie's token and the form token that goes with it. */
export async function createSession(
  tx: Tx,
  args: { orgId: string; userId: string; userAgent: string; expiresAt: Date; actor: string },
): Promise<{ token: string; csrfToken: string }> {
  const token = newSecret('session');
  const csrfToken = newSecret('session').slice(4);
  await tx
    .insertInto('sessions')
    .values({
      org_id: args.orgId,
      user_id: args.userId,
      token_hash: hashSecret(token),
      csrf_token: csrfToken,
      user_agent: args.userAgent.slice(0, 300),
      expires_at: args.expiresAt,
    })
    .execute();
  await recordAudit(tx, { ...args, action: 'session.created', subject: `user:${args.userId}` });
  return { token, csrfToken };
}

/** Notes that the session is in use, at most once a minute. */
export async function touchSession(tx: Tx, sessionId: string): Promise<void> {
  await sql`update sessions set last_seen_at = now()
    where id = ${sessionId} and last_seen_at < now() - interval '1 minute'`.execute(tx);
}

/** Those that have not expired, most recently used first. */
export async function listSessions(tx: Tx, userId: string): Promise<SessionRecord[]> {
  return await tx
    .selectFrom('sessions')
    .select([
      'id',
      'user_agent as userAgent',
      'created_at as createdAt',
      'last_seen_at as lastSeenAt',
      'expires_at as expiresAt',
    ])
    .where('user_id', '=', userId)
    .where('expires_at', '>', sql<Date>`now()`)
    .orderBy('last_seen_at', 'desc')
    .execute();
}

/** False when the user has no such session. */
export async function endSession(
  tx: Tx,
  args: { orgId: string; userId: string; sessionId: string; actor: string },
): Promise<boolean> {
  const gone = await tx
    .deleteFrom('sessions')
    .where('id', '=', args.sessionId)
    .where('user_id', '=', args.userId)
    .returning('id')
    .executeTakeFirst();
  if (!gone) return false;
  await recordAudit(tx, { ...args, action: 'session.ended', subject: `user:${args.userId}` });
  return true;
}

// ---- API tokens ----

export interface ApiTokenRecord {
  id: string;
  name: string;
  createdAt: Date;
  lastUsedAt: Date | null;
}

/** Returns the token, which cannot be read again. */
export async function createApiToken(
  tx: Tx,
  args: { orgId: string; userId: string; name: string; actor: string; token?: string },
): Promise<{ id: string; token: string }> {
  const token = args.token ?? newSecret('apiToken');
  const { id } = await tx
    .insertInto('api_tokens')
    .values({ org_id: args.orgId, user_id: args.userId, name: args.name, token_hash: hashSecret(token) })
    .returning('id')
    .executeTakeFirstOrThrow();
  await recordAudit(tx, {
    orgId: args.orgId,
    actor: args.actor,
    action: 'token.created',
    subject: `user:${args.userId}`,
    data: { name: args.name, id },
  });
  return { id, token };
}

/** Notes that the token is in use, at most once a minute. */
export async function touchApiToken(tx: Tx, tokenId: string): Promise<void> {
  await sql`update api_tokens set last_used_at = now()
    where id = ${tokenId} and (last_used_at is null or last_used_at < now() - interval '1 minute')`.execute(
    tx,
  );
}

/** Of a user, newest first, without the revoked ones. */
export async function listApiTokens(tx: Tx, userId: string): Promise<ApiTokenRecord[]> {
  return await tx
    .selectFrom('api_tokens')
    .select(['id', 'name', 'created_at as createdAt', 'last_used_at as lastUsedAt'])
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .orderBy('created_at', 'desc')
    .execute();
}

/** False when the user has no such token, or it is revoked already. */
export async function revokeApiToken(
  tx: Tx,
  args: { orgId: string; userId: string; tokenId: string; actor: string },
): Promise<boolean> {
  const token = await tx
    .updateTable('api_tokens')
    .set({ revoked_at: sql<Date>`now()` })
    .where('id', '=', args.tokenId)
    .where('user_id', '=', args.userId)
    .where('revoked_at', 'is', null)
    .returning('name')
    .executeTakeFirst();
  if (!token) return false;
  await recordAudit(tx, {
    orgId: args.orgId,
    actor: args.actor,
    action: 'token.revoked',
    subject: `user:${args.userId}`,
    data: { name: token.name, id: args.tokenId },
  });
  return true;
}

// ---- sign-in links ----

/** Returns the token of the link `${publicUrl}/sign-in/<token>`, which works once. */
export async function createSignInLink(
  tx: Tx,
  args: { orgId: string; userId: string; expiresAt: Date; actor: string },
): Promise<string> {
  const token = newSecret('signInLink');
  await tx
    .insertInto('sign_in_links')
    .values({
      org_id: args.orgId,
      user_id: args.userId,
      token_hash: hashSecret(token),
      expires_at: args.expiresAt,
    })
    .execute();
  await recordAudit(tx, { ...args, action: 'sign_in_link.created', subject: `user:${args.userId}` });
  return token;
}

/** Uses the link up. False when another click was first. */
export async function useSignInLink(tx: Tx, linkId: string): Promise<boolean> {
  const used = await tx
    .updateTable('sign_in_links')
    .set({ used_at: sql<Date>`now()` })
    .where('id', '=', linkId)
    .where('used_at', 'is', null)
    .returning('id')
    .executeTakeFirst();
  return used !== undefined;
}

// ---- integrations ----

/** That the integration has just spoken: shown where it is configured. */
export async function noteIntegrationSeen(tx: Tx, integrationId: string): Promise<void> {
  await sql`update integrations set last_seen_at = now() where id = ${integrationId}`.execute(tx);
}

/** The oldest integration of the organization that takes Alertmanager's alerts: what test incidents come by. */
export async function firstAlertIntegration(tx: Tx): Promise<string | undefined> {
  const row = await tx
    .selectFrom('integrations')
    .select('id')
    .where('kind', '=', 'alertmanager')
    .where('revoked_at', 'is', null)
    .orderBy('created_at')
    .limit(1)
    .executeTakeFirst();
  return row?.id;
}
