import { type RawBuilder, sql } from 'kysely';
import { recordAudit } from './audit.ts';
import type { Tx } from './database.ts';

/**
 * Puts an earlier (or any) version in force until it is unpinned, whatever is imported meanwhile. Executions that
 * were asked for before go on with theirs. False when there is no such runbook or version.
 */
export async function pinRunbook(
  tx: Tx,
  args: { orgId: string; name: string; version: number; actor: string },
): Promise<boolean> {
  const { orgId, name, version, actor } = args;
  const before = await putInForce(tx, {
    name,
    version,
    pin: { pinned_at: sql<Date>`now()`, pinned_by: actor },
  });
  if (!before) return false;
  await recordAudit(tx, {
    orgId,
    subject: `runbook:${name}`,
    action: 'runbook.pinned',
    actor,
    data: { version, before: before.version },
  });
  return true;
}

/** Puts the newest version in force again. False when the runbook is not pinned. */
export async function unpinRunbook(
  tx: Tx,
  args: { orgId: string; name: string; actor: string },
): Promise<boolean> {
  const { orgId, name, actor } = args;
  const pinned = await tx
    .selectFrom('runbooks')
    .select('latest_version as version')
    .where('name', '=', name)
    .where('pinned_at', 'is not', null)
    .forUpdate()
    .executeTakeFirst();
  if (!pinned) return false;
  const { version } = pinned;
  const before = await putInForce(tx, { name, version, pin: { pinned_at: null, pinned_by: null } });
  await recordAudit(tx, {
    orgId,
    subject: `runbook:${name}`,
    action: 'runbook.unpinned',
    actor,
    data: { version, before: before?.version },
  });
  return true;
}

async function putInForce(
  tx: Tx,
  args: {
    name: string;
    version: number;
    pin: { pinned_at: RawBuilder<Date> | null; pinned_by: string | null };
  },
): Promise<{ version: number } | undefined> {
  const before = await tx
    .selectFrom('runbooks')
    .select('version')
    .where('name', '=', args.name)
    .forUpdate()
    .executeTakeFirst();
  const chosen = await tx
    .selectFrom('runbook_versions')
    .select(['source', 'definition', 'loaded_at'])
    .where('name', '=', args.name)
    .where('version', '=', args.version)
    .executeTakeFirst();
  if (!before || !chosen) return undefined;
  const { source, definition, loaded_at } = chosen;
  await tx
    .updateTable('runbooks')
    .set({
      version: args.version,
      source,
      definition: JSON.stringify(definition),
      loaded_at,
      ...args.pin,
    })
    .where('name', '=', args.name)
    .execute();
  return before;
}
