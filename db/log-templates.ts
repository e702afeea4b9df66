import { type LogTemplate, logTemplate } from '../domain/logs/log-template.ts';
import type { Tx } from './database.ts';
import { type Change, type Named, named, put, remove } from './named-configuration.ts';

/** By name, in which order they are tried. */
export async function listLogTemplates(tx: Tx): Promise<Named<LogTemplate>[]> {
  const rows = await named(tx, 'log_templates').orderBy('name').execute();
  return rows.map((row) => ({ ...row, definition: logTemplate.parse(row.definition) }));
}

export async function getLogTemplate(tx: Tx, name: string): Promise<Named<LogTemplate> | undefined> {
  const row = await named(tx, 'log_templates').where('name', '=', name).executeTakeFirst();
  return row && { ...row, definition: logTemplate.parse(row.definition) };
}

export async function putLogTemplate(tx: Tx, change: Change<LogTemplate>): Promise<void> {
  await put(tx, 'log_templates', change, {});
}

/** False when there was none. */
export async function deleteLogTemplate(tx: Tx, change: Omit<Change<never>, 'definition'>): Promise<boolean> {
  return await remove(tx, 'log_templates', change);
}
