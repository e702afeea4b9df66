import { sql } from 'kysely';
import { recordAudit } from './audit.ts';
import type { Tx } from './database.ts';

/** Undefined where it was never set. */
export async function readSetting(tx: Tx, key: string): Promise<unknown> {
  const row = await tx.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirst();
  return row?.value;
}

/** Replaces the whole setting; `before` is what stood until now, for the audit log. */
export async function putSetting<T extends object>(
  tx: Tx,
  change: { orgId: string; key: string; before: T; settings: T; actor: string },
): Promise<void> {
  const { orgId, key, before, settings, actor } = change;
  const value = JSON.stringify(settings);
  await tx
    .insertInto('settings')
    .values({ org_id: orgId, key, value })
    .onConflict((conflict) =>
      conflict.columns(['org_id', 'key']).doUpdateSet({ value, updated_at: sql<Date>`now()` }),
    )
    .execute();
  await recordAudit(tx, {
    orgId,
    actor,
    action: 'settings.changed',
    subject: `settings:${key}`,
    data: { before, after: settings },
  });
}
