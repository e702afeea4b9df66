import { sql } from 'kysely';
import { recordAudit } from './audit.ts';
import type { Database, Tx } from './database.ts';
import { hashSecret, newSecret } from './secrets.ts';

const dayMs = 86_400_000;
/** How long a link works where nothing else is said, and at most. Milliseconds. */
export const usualShareMs = 7 * dayMs;
export const longestShareMs = 30 * dayMs;

/** Links that may work at once on one incident: more are forgotten ones. */
const mostShares = 50;

/** A link to one incident for people without an account. */
export interface ShareRecord {
  id: string;
  createdBy: string;
  createdAt: Date;
  expiresAt: Date;
  revokedAt: Date | null;
  /** How often its page was asked for, once a minute at most. */
  opened: number;
  lastOpenedAt: Date | null;
}

export class TooManySharesError extends Error {
  override name = 'TooManySharesError';
}

const columns = [
  'id',
  'created_by as createdBy',
  'created_at as createdAt',
  'expires_at as expiresAt',
  'revoked_at as revokedAt',
  'opened',
  'last_opened_at as lastOpenedAt',
] as const;

/**
 * The token stands in the answer and nowhere else: only its hash is kept. It ends after `longestShareMs` at the
 * latest. Throws TooManySharesError.
 */
export async function createShare(
  tx: Tx,
  args: { orgId: string; incident: { id: string; number: number }; actor: string; forMs: number },
): Promise<{ share: ShareRecord; token: string }> {
  const { orgId, incident, actor } = args;
  // so that two at the same time don't both find room
  await tx.selectFrom('incidents').select('id').where('id', '=', incident.id).forUpdate().execute();
  if (
    (await listShares(tx, incident.id)).filter(({ revokedAt }) => revokedAt === null).length >= mostShares
  ) {
    throw new TooManySharesError(
      `incident ${incident.number} has ${mostShares} links already: revoke some first`,
    );
  }
  const token = newSecret('share');
  const forMs = Math.min(args.forMs, longestShareMs);
  const share = await tx
    .insertInto('incident_shares')
    .values({
      org_id: orgId,
      incident_id: incident.id,
      token_hash: hashSecret(token),
      created_by: actor,
      expires_at: sql<Date>`now() + ${forMs} * interval '1 millisecond'`,
    })
    .returning(columns)
    .executeTakeFirstOrThrow();
  await recordAudit(tx, {
    orgId,
    actor,
    action: 'incident.shared',
    subject: `incident:${incident.number}`,
    data: { id: share.id, expiresAt: share.expiresAt.toISOString() },
  });
  return { share, token };
}

/** Those that have not expired, newest first, the revoked ones too. */
export async function listShares(tx: Tx, incidentId: string): Promise<ShareRecord[]> {
  return await tx
    .selectFrom('incident_shares')
    .select(columns)
    .where('incident_id', '=', incidentId)
    .where('expires_at', '>', sql<Date>`now()`)
    .orderBy('created_at', 'desc')
    .limit(200)
    .execute();
}

/** False where the incident has no such link, or it was revoked before. */
export async function revokeShare(
  tx: Tx,
  args: { orgId: string; incident: { id: string; number: number }; shareId: string; actor: string },
): Promise<boolean> {
  const { orgId, incident, shareId, actor } = args;
  const { numUpdatedRows } = await tx
    .updateTable('incident_shares')
    .set({ revoked_at: sql<Date>`now()` })
    .where('id', '=', shareId)
    .where('incident_id', '=', incident.id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return false;
  await recordAudit(tx, {
    orgId,
    actor,
    action: 'incident.share_revoked',
    subject: `incident:${incident.number}`,
    data: { id: shareId },
  });
  return true;
}

/**
 * What the token opens; undefined for one that is unknown, revoked or has expired. Works before the organization is
 * known.
 */
export async function openShare(
  db: Pick<Database, 'unscoped' | 'read'>,
  token: string,
): Promise<{ orgId: string; shareId: string; incidentNumber: number; expiresAt: Date } | undefined> {
  if (token.length > 200) return undefined;
  const { rows } = await db.unscoped((tx) =>
    sql<{ org_id: string; share_id: string; incident_id: string; expires_at: Date }>`
      select org_id, share_id, incident_id, expires_at from find_incident_share(${hashSecret(token)})`.execute(
      tx,
    ),
  );
  const found = rows[0];
  if (!found) return undefined;
  const { org_id: orgId, share_id: shareId, expires_at: expiresAt } = found;
  const incident = await db.read({ orgId }, (tx) =>
    tx.selectFrom('incidents').select('number').where('id', '=', found.incident_id).executeTakeFirst(),
  );
  return incident && { orgId, shareId, incidentNumber: incident.number, expiresAt };
}

/** Counts its page as asked for, once a minute at most: reloading it makes no work for the database. */
export async function noteShareOpened(tx: Tx, shareId: string): Promise<void> {
  await tx
    .updateTable('incident_shares')
    .set((eb) => ({ opened: eb('opened', '+', 1), last_opened_at: sql<Date>`now()` }))
    .where('id', '=', shareId)
    .where((eb) =>
      eb.or([
        eb('last_opened_at', 'is', null),
        eb('last_opened_at', '<', sql<Date>`now() - interval '1 minute'`),
      ]),
    )
    .execute();
}
