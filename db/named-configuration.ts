import { sql } from 'kysely';
import { hiddenFields } from '../domain/notification-channel.ts';
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
  | 'log_templates'
  | 'notification_rules'
  | 'on_call_schedules'
  | 'sla_calendars'
  | 'slos';

const subjects: Record<NamedTable, string> = {
  escalation_policies: 'escalation-policy',
  sla_policies: 'sla-policy',
  notification_channels: 'notification-channel',
  log_sources: 'log-source',
  log_templates: 'log-template',
  notification_rules: 'notification-rule',
  on_call_schedules: 'on-call-schedule',
  sla_calendars: 'sla-calendar',
  slos: 'slo',
};

export function named(tx: Tx, table: NamedTable) {
  return tx.selectFrom(table).select(['name', 'team_id as teamId', 'definition', 'updated_at as updatedAt']);
}

export async function put(
  tx: Tx,
  table: NamedTable,
  change: Change<object>,
  columns: { position?: number; team_id?: string | null },
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

/** Whatever a kind of configuration hides has one of these names. */
const hiddenNames = new Set<string>(Object.values(hiddenFields).flat());

function masked(definition: object): object {
  const hidden = Object.keys(definition).filter((name) => hiddenNames.has(name));
  return { ...definition, ...Object.fromEntries(hidden.map((name) => [name, '(hidden)'])) };
}
