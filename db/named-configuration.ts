import { sql } from 'kysely';
import { recordAudit } from './audit.ts';
import type { Tx } from './database.ts';

/** A named piece of configuration, such as an escalation policy, a notification channel or a log source. */
export interface Named<T> {
  name: string;
  teamId: string | null;
  definition: T;
  updatedAt: Date;
}

/** Who changes what, for the audit entry that is written in the same transaction. */
export interface Change<T> {
  orgId: string;
  name: string;
  definition: T;
  /** Mail address. */
  actor: string;
}

type NamedTable =
  | 'escalation_policies'
  | 'sla_policies'
  | 'notification_channels'
  | 'log_sources'
  | 'log_templates';

const subjects: Record<NamedTable, string> = {
  escalation_policies: 'escalation-policy',
  sla_policies: 'sla-policy',
  notification_channels: 'notification-channel',
  log_sources: 'log-source',
  log_templates: 'log-template',
};

export function named(tx: Tx, table: NamedTable) {
  return tx.selectFrom(table).select(['name', 'team_id as teamId', 'definition', 'updated_at as updatedAt']);
}

export async function put(
  tx: Tx,
  table: NamedTable,
  change: Change<object>,
  columns: { position?: number },
): Promise<void> {
  const before = await named(tx, table).where('name', '=', change.name).executeTakeFirst();
  const definition = JSON.stringify(change.definition);
  const names = ['org_id', 'name', 'definition', ...Object.keys(columns)];
  const values = [change.orgId, change.name, definition, ...Object.values(columns)];
  await sql`
    insert into ${sql.table(table)} (${sql.join(names.map((name) => sql.ref(name)))})
    values (${sql.join(values)})
    on conflict (org_id, name) do update set
      ${sql.join(names.slice(2).map((name) => sql`${sql.ref(name)} = excluded.${sql.ref(name)}`))},
      updated_at = now()
  `.execute(tx);
  await recordAudit(tx, {
    orgId: change.orgId,
    actor: change.actor,
    action: `${subjects[table]}.${before ? 'changed' : 'created'}`,
    subject: `${subjects[table]}:${change.name}`,
    data: { ...(before ? { before: masked(before.definition) } : {}), after: masked(change.definition) },
  });
}

/** False when there was none. */
export async function remove(
  tx: Tx,
  table: NamedTable,
  change: Omit<Change<never>, 'definition'>,
): Promise<boolean> {
  const gone = await tx
    .deleteFrom(table)
    .where('name', '=', change.name)
    .returning('definition')
    .executeTakeFirst();
  if (!gone) return false;
  await recordAudit(tx, {
    orgId: change.orgId,
    actor: change.actor,
    action: `${subjects[table]}.deleted`,
    subject: `${subjects[table]}:${change.name}`,
    data: { before: masked(gone.definition) },
  });
  return true;
}

function masked(definition: object): object {
  return 'secret' in definition ? { ...definition, secret: '(hidden)' } : definition;
}
