import { type LogSourceDefinition, logSourceDefinition } from '../domain/logs/log-source.ts';
import { recordAudit } from './audit.ts';
import type { Tx } from './database.ts';
import { type Change, type Named, named, put, remove } from './named-configuration.ts';
import { storable } from './storable.ts';

export interface LogSourceRow extends Named<LogSourceDefinition> {
  /** When it was last asked for anything; null before the first time. */
  checkedAt: Date | null;
  /** What it then said of itself, or why it failed: one of both is there. */
  health: string | null;
  error: string | null;
}

/** By name. */
export async function listLogSources(tx: Tx): Promise<LogSourceRow[]> {
  const rows = await withHealth(tx).orderBy('name').execute();
  return rows.map((row) => ({ ...row, definition: logSourceDefinition.parse(row.definition) }));
}

export async function getLogSource(tx: Tx, name: string): Promise<LogSourceRow | undefined> {
  const row = await withHealth(tx).where('name', '=', name).executeTakeFirst();
  return row && { ...row, definition: logSourceDefinition.parse(row.definition) };
}

function withHealth(tx: Tx) {
  return named(tx, 'log_sources').select(['checked_at as checkedAt', 'health', 'error']);
}

export async function putLogSource(tx: Tx, change: Change<LogSourceDefinition>): Promise<void> {
  await put(tx, 'log_sources', change, {});
  // what was said before was said of another definition
  await tx
    .updateTable('log_sources')
    .set({ checked_at: null, health: null, error: null })
    .where('name', '=', change.name)
    .execute();
}

/** False when there was none. */
export async function deleteLogSource(tx: Tx, change: Omit<Change<never>, 'definition'>): Promise<boolean> {
  return await remove(tx, 'log_sources', change);
}

/** What the source said of itself just now, or why it failed. */
export async function saveLogSourceHealth(
  tx: Tx,
  name: string,
  outcome: { health: string } | { error: string },
): Promise<void> {
  const { health, error } = storable({ health: null, error: null, ...outcome });
  await tx
    .updateTable('log_sources')
    .set({ checked_at: new Date(), health, error })
    .where('name', '=', name)
    .execute();
}

/** That somebody had it asked by hand. */
export async function recordProbe(
  tx: Tx,
  probe: { orgId: string; name: string; actor: string },
): Promise<void> {
  const { orgId, name, actor } = probe;
  await recordAudit(tx, {
    orgId,
    actor,
    action: 'log-source.probed',
    subject: `log-source:${name}`,
    data: {},
  });
}
