import { sql } from 'kysely';
import {
  completeChannel,
  hiddenFields,
  type NotificationChannel,
  notificationChannel,
} from '../domain/notification-channel.ts';
import { type EscalationPolicy, escalationPolicy } from '../domain/policies.ts';
import type { Tx } from './database.ts';
import { type Change, type Named, named, put, remove } from './named-configuration.ts';

/** The configuration names something that does not exist, at `field`, such as 'levels.0.targets.1.name'. */
export class UnknownReferenceError extends Error {
  override name = 'UnknownReferenceError';
  readonly field: string;
  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}

/** It cannot be deleted: something still uses it, or Holdfast needs it. */
export class InUseError extends Error {
  override name = 'InUseError';
}

// ---- escalation policies ----

/** By name. */
export async function listEscalationPolicies(tx: Tx): Promise<Named<EscalationPolicy>[]> {
  const rows = await named(tx, 'escalation_policies').orderBy('name').execute();
  return rows.map((row) => ({ ...row, definition: escalationPolicy.parse(row.definition) }));
}

export async function getEscalationPolicy(
  tx: Tx,
  name: string,
): Promise<Named<EscalationPolicy> | undefined> {
  const row = await named(tx, 'escalation_policies').where('name', '=', name).executeTakeFirst();
  return row && { ...row, definition: escalationPolicy.parse(row.definition) };
}

/** Throws UnknownReferenceError for a channel, schedule or user that does not exist. */
export async function putEscalationPolicy(tx: Tx, change: Change<EscalationPolicy>): Promise<void> {
  await requireTargets(tx, change.definition);
  await put(tx, 'escalation_policies', change, {});
}

/** False when there was none. Throws InUseError for `default`, which takes what no other matches. */
export async function deleteEscalationPolicy(tx: Tx, change: Omit<Change<never>, 'definition'>) {
  if (change.name === 'default') {
    throw new InUseError('the policy default takes every incident that no other matches: change it instead');
  }
  return await remove(tx, 'escalation_policies', change);
}

async function requireTargets(tx: Tx, policy: EscalationPolicy): Promise<void> {
  const channels = new Set(
    (await tx.selectFrom('notification_channels').select('name').execute()).map((c) => c.name),
  );
  const users = new Set(
    (await tx.selectFrom('users').select('email').where('disabled_at', 'is', null).execute()).map(
      (u) => u.email,
    ),
  );
  const schedules = new Set(
    (await tx.selectFrom('on_call_schedules').select('name').execute()).map(({ name }) => name),
  );
  policy.levels.forEach((level, l) => {
    level.targets.forEach((target, t) => {
      const field = `levels.${l}.targets.${t}`;
      if (target.type === 'channel' && !channels.has(target.name)) {
        throw new UnknownReferenceError(
          `${field}.name`,
          `there is no notification channel '${target.name}': put it at /api/v1/notification-channels first`,
        );
      }
      if (target.type === 'schedule' && !schedules.has(target.name)) {
        throw new UnknownReferenceError(
          `${field}.name`,
          `there is no on-call schedule '${target.name}': put it at /api/v1/on-call-schedules first`,
        );
      }
      if (target.type === 'user' && !users.has(target.email.toLowerCase())) {
        throw new UnknownReferenceError(`${field}.email`, `there is no user '${target.email}'`);
      }
    });
  });
}

// ---- notification channels ----

export interface NotificationChannelRow extends Named<NotificationChannel> {
  /** In the addresses to which vendors send what people did there. */
  id: string;
  /** When something was last sent or asked there; null before the first time. */
  checkedAt: Date | null;
  /** What it then said, or why it failed: one of both is there. */
  health: string | null;
  error: string | null;
}

/** By name. Holds secrets: present with `withoutSecret`. */
export async function listNotificationChannels(tx: Tx): Promise<NotificationChannelRow[]> {
  const rows = await channelRows(tx).orderBy('name').execute();
  return rows.map((row) => ({ ...row, definition: notificationChannel.parse(row.definition) }));
}

/** Holds the secret: present with `withoutSecret`. */
export async function getNotificationChannel(
  tx: Tx,
  name: string,
): Promise<NotificationChannelRow | undefined> {
  const row = await channelRows(tx).where('name', '=', name).executeTakeFirst();
  return row && { ...row, definition: notificationChannel.parse(row.definition) };
}

/** For what a vendor sends, whose address names the channel before the organization is known. Holds secrets. */
export async function findChannelById(
  tx: Tx,
  id: string,
): Promise<{ orgId: string; name: string; definition: NotificationChannel } | undefined> {
  const { rows } = await sql<{ orgId: string; name: string; definition: unknown }>`
    select org_id as "orgId", name, definition from find_notification_channel(${id}::uuid)`.execute(tx);
  return rows[0] && { ...rows[0], definition: notificationChannel.parse(rows[0].definition) };
}

function channelRows(tx: Tx) {
  return named(tx, 'notification_channels').select(['id', 'checked_at as checkedAt', 'health', 'error']);
}

/**
 * A channel put without what it hides keeps what it has, as nobody can read that to send it again; but a webhook's
 * secret not for another address, whose receiver was never given it. `remove` names hidden fields to take away.
 */
export async function putNotificationChannel(
  tx: Tx,
  change: Change<NotificationChannel> & { remove?: readonly string[] },
): Promise<void> {
  const { remove: removed = [], ...rest } = change;
  const before = (await getNotificationChannel(tx, change.name))?.definition;
  const kept = before ? hiddenToKeep(before, change.definition, removed) : {};
  const definition = completeChannel.parse({ ...kept, ...change.definition });
  await put(tx, 'notification_channels', { ...rest, definition }, {});
}

function hiddenToKeep(
  before: NotificationChannel,
  after: NotificationChannel,
  removed: readonly string[],
): Record<string, unknown> {
  if (before.type !== after.type) return {};
  if (before.type === 'webhook' && after.type === 'webhook' && before.url !== after.url) return {};
  const hidden: readonly string[] = hiddenFields[before.type];
  return Object.fromEntries(
    Object.entries(before).filter(([name]) => hidden.includes(name) && !removed.includes(name)),
  );
}

/** False when there was none. Throws InUseError while an escalation policy or a notification rule names it. */
export async function deleteNotificationChannel(
  tx: Tx,
  change: Omit<Change<never>, 'definition'>,
): Promise<boolean> {
  const users = (await listEscalationPolicies(tx)).filter((policy) =>
    policy.definition.levels.some((level) =>
      level.targets.some((target) => target.type === 'channel' && target.name === change.name),
    ),
  );
  if (users.length > 0) {
    const names = users.map((policy) => policy.name).join(', ');
    throw new InUseError(
      `the channel is a target of the escalation policies ${names}: take it out there first`,
    );
  }
  const target = JSON.stringify([{ type: 'channel', name: change.name }]);
  const rules = await tx
    .selectFrom('notification_rules')
    .select('name')
    .where(sql<boolean>`definition -> 'targets' @> ${target}::jsonb`)
    .execute();
  if (rules.length > 0) {
    const names = rules.map((rule) => rule.name).join(', ');
    throw new InUseError(
      `the channel is a target of the notification rules ${names}: take it out there first`,
    );
  }
  return await remove(tx, 'notification_channels', change);
}

/** What may be shown: which hidden fields are set, never what they hold. */
export function withoutSecret(channel: NotificationChannel) {
  const hidden: readonly string[] = hiddenFields[channel.type];
  const fields = Object.entries(channel);
  return {
    type: channel.type,
    ...Object.fromEntries(fields.filter(([name]) => !hidden.includes(name))),
    set: fields.flatMap(([name]) => (hidden.includes(name) ? [name] : [])),
  };
}
