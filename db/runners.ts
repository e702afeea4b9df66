import { sql } from 'kysely';
import { recordAudit } from './audit.ts';
import type { Database, Tx } from './database.ts';
import { hashSecret, newSecret } from './secrets.ts';

/** A process near the targets that carries out the steps of one queue. */
export interface RunnerRecord {
  queue: string;
  /** Host and process id. */
  instance: string;
  version: string;
  startedAt: Date;
  lastSeenAt: Date;
}

export interface RunnerTokenRecord {
  id: string;
  queue: string;
  name: string;
  createdAt: Date;
  createdBy: string;
  lastUsedAt: Date | null;
}

export interface RunnerIdentity {
  orgId: string;
  tokenId: string;
  queue: string;
}

/** Silent for longer than this, a runner is no longer shown. */
const forgottenAfter = '30 days';

/** Whose token it is; undefined when it is unknown or was revoked. */
export async function findRunnerToken(
  db: Pick<Database, 'unscoped'>,
  token: string,
): Promise<RunnerIdentity | undefined> {
  return await db.unscoped(async (tx) => {
    const { rows } = await sql<RunnerIdentity>`select org_id as "orgId", token_id as "tokenId", queue
      from find_runner_token(${hashSecret(token)})`.execute(tx);
    return rows[0];
  });
}

/** Returns the token, which cannot be read again. */
export async function createRunnerToken(
  tx: Tx,
  args: { orgId: string; queue: string; name: string; actor: string },
): Promise<{ id: string; token: string }> {
  const token = newSecret('runnerToken');
  const { id } = await tx
    .insertInto('runner_tokens')
    .values({
      org_id: args.orgId,
      queue: args.queue,
      name: args.name,
      token_hash: hashSecret(token),
      created_by: args.actor,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  await recordAudit(tx, {
    orgId: args.orgId,
    actor: args.actor,
    action: 'runner_token.created',
    subject: `runner:${args.queue}`,
    data: { name: args.name, id },
  });
  return { id, token };
}

/** False when there is no such token, or it is revoked already. */
export async function revokeRunnerToken(
  tx: Tx,
  args: { orgId: string; tokenId: string; actor: string },
): Promise<boolean> {
  const token = await tx
    .updateTable('runner_tokens')
    .set({ revoked_at: sql<Date>`now()` })
    .where('id', '=', args.tokenId)
    .where('revoked_at', 'is', null)
    .returning(['name', 'queue'])
    .executeTakeFirst();
  if (!token) return false;
  await recordAudit(tx, {
    orgId: args.orgId,
    actor: args.actor,
    action: 'runner_token.revoked',
    subject: `runner:${token.queue}`,
    data: { name: token.name, id: args.tokenId },
  });
  return true;
}

/** By queue, then newest first, without the revoked ones. */
export async function listRunnerTokens(tx: Tx): Promise<RunnerTokenRecord[]> {
  return await tx
    .selectFrom('runner_tokens')
    .select([
      'id',
      'queue',
      'name',
      'created_at as createdAt',
      'created_by as createdBy',
      'last_used_at as lastUsedAt',
    ])
    .where('revoked_at', 'is', null)
    .orderBy('queue')
    .orderBy('created_at', 'desc')
    .execute();
}

/** By queue, then the one last seen first. */
export async function listRunners(tx: Tx): Promise<RunnerRecord[]> {
  return await tx
    .selectFrom('runners')
    .select(['queue', 'instance', 'version', 'started_at as startedAt', 'last_seen_at as lastSeenAt'])
    .orderBy('queue')
    .orderBy('last_seen_at', 'desc')
    .execute();
}

/** That the runner lives; one that was replaced long ago is forgotten. */
export async function noteRunnerSeen(
  tx: Tx,
  runner: RunnerIdentity & { instance: string; version: string; startedAt: Date },
): Promise<void> {
  const { orgId, queue, instance, version, startedAt } = runner;
  await tx
    .insertInto('runners')
    .values({ org_id: orgId, queue, instance, version, started_at: startedAt })
    .onConflict((conflict) =>
      conflict
        .columns(['org_id', 'queue', 'instance'])
        .doUpdateSet({ version, started_at: startedAt, last_seen_at: sql<Date>`now()` }),
    )
    .execute();
  await sql`delete from runners where last_seen_at < now() - ${forgottenAfter}::interval`.execute(tx);
  await sql`update runner_tokens set last_used_at = now() where id = ${runner.tokenId}`.execute(tx);
}

/** The runner has ended in good order: nobody need wonder where it is. */
export async function forgetRunner(
  tx: Tx,
  { queue, instance }: { queue: string; instance: string },
): Promise<void> {
  await tx.deleteFrom('runners').where('queue', '=', queue).where('instance', '=', instance).execute();
}
