import { sql } from 'kysely';
import { type ContactRules, contactRules } from '../domain/contact-rules.ts';
import { notificationChannel } from '../domain/notification-channel.ts';
import { recordAudit } from './audit.ts';
import type { Tx } from './database.ts';
import { UnknownReferenceError } from './policies.ts';

/** How a person wants to be reached, and in which time zone they read. */
export interface ContactSettings {
  userId: string;
  email: string;
  name: string;
  disabledAt: Date | null;
  /** IANA name; null: the organization's. */
  timeZone: string | null;
  rules: ContactRules;
}

/** How the last message by one method went. */
export interface MethodState {
  status: 'started' | 'sent' | 'failed' | 'skipped';
  error: string | null;
  at: Date;
}

/** Undefined when there is no such user. */
export async function getContactSettings(tx: Tx, userId: string): Promise<ContactSettings | undefined> {
  const row = await tx
    .selectFrom('users')
    .select([
      'id as userId',
      'email',
      'name',
      'disabled_at as disabledAt',
      'time_zone as timeZone',
      'contact_rules as rules',
    ])
    .where('id', '=', userId)
    .executeTakeFirst();
  return row && { ...row, rules: contactRules.parse(row.rules) };
}

/**
 * Replaces rules and time zone. False when there is no such user. Throws UnknownReferenceError for a channel that does
 * not exist, or that cannot write to a person ('rules.0.steps.1.method.channel').
 */
export async function putContactSettings(
  tx: Tx,
  change: { orgId: string; userId: string; rules: ContactRules; timeZone: string | null; actor: string },
): Promise<boolean> {
  const { orgId, userId, rules, timeZone, actor } = change;
  await requireChannels(tx, rules);
  const before = await getContactSettings(tx, userId);
  if (!before) return false;
  await tx
    .updateTable('users')
    .set({ contact_rules: JSON.stringify(rules), time_zone: timeZone })
    .where('id', '=', userId)
    .execute();
  await recordAudit(tx, {
    orgId,
    actor,
    action: 'contact-rules.changed',
    subject: `user:${before.email}`,
    data: {
      before: { rules: before.rules, timeZone: before.timeZone },
      after: { rules, timeZone },
    },
  });
  return true;
}

/** Takes the zone of the person's browser where they have none: at night nobody should have to add up hours. */
export async function adoptTimeZone(
  tx: Tx,
  { orgId, userId, timeZone }: { orgId: string; userId: string; timeZone: string },
): Promise<void> {
  const adopted = await tx
    .updateTable('users')
    .set({ time_zone: timeZone })
    .where('id', '=', userId)
    .where('time_zone', 'is', null)
    .returning('email')
    .executeTakeFirst();
  if (!adopted) return;
  await recordAudit(tx, {
    orgId,
    actor: adopted.email,
    action: 'contact-rules.changed',
    subject: `user:${adopted.email}`,
    data: { before: { timeZone: null }, after: { timeZone } },
  });
}

/** Of the person's last test by each method, by `methodKey`. */
export async function lastContactTests(tx: Tx, email: string): Promise<Map<string, MethodState>> {
  const { rows } = await sql<MethodState & { method: string }>`
    select distinct on (cause ->> 'method') cause ->> 'method' as method, status, error,
      coalesce(finished_at, created_at) as at
    from notifications
    where person = ${email} and type = 'contact.test' and cause ->> 'method' is not null
    order by cause ->> 'method', id desc`.execute(tx);
  return new Map(rows.map(({ method, ...state }) => [method, state]));
}

async function requireChannels(tx: Tx, rules: ContactRules): Promise<void> {
  const rows = await tx.selectFrom('notification_channels').select(['name', 'definition']).execute();
  const channels = new Map(rows.map((row) => [row.name, row.definition]));
  rules.forEach((rule, r) => {
    rule.steps.forEach(({ method }, s) => {
      const field = `rules.${r}.steps.${s}.method`;
      if (method.type === 'channel' && !channels.has(method.name)) {
        throw new UnknownReferenceError(
          `${field}.name`,
          `there is no notification channel '${method.name}': an Admin makes one at /api/v1/notification-channels`,
        );
      }
      if (method.type === 'slack') requireBot(`${field}.channel`, method.channel, channels);
    });
  });
}

/** Only a bot can write to a person; an incoming webhook writes to the one place that it was made for. */
function requireBot(field: string, name: string, channels: Map<string, unknown>): void {
  const definition = channels.get(name);
  if (definition === undefined) {
    throw new UnknownReferenceError(field, `there is no notification channel '${name}'`);
  }
  const channel = notificationChannel.parse(definition);
  if (channel.type !== 'slack' || channel.token === undefined) {
    throw new UnknownReferenceError(
      field,
      `'${name}' is no Slack bot: name a channel of the type slack that has a token`,
    );
  }
}
