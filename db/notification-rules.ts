import { sql } from 'kysely';
import type { AnnouncedTrigger } from '../domain/incident/state.ts';
import type { NamedRule } from '../domain/notification-rules/evaluate.ts';
import {
  type NotificationRule,
  type NotificationTrigger,
  notificationRule,
} from '../domain/notification-rules/rule.ts';
import type { EscalationTarget } from '../domain/policies.ts';
import type { Tx } from './database.ts';
import { listFollowingKinds } from './destinations.ts';
import { type Change, type Named, named, put, remove } from './named-configuration.ts';
import { UnknownReferenceError } from './policies.ts';
import { teamIdOf } from './teams.ts';

/** In their order. */
export async function listNotificationRules(tx: Tx): Promise<Named<NotificationRule>[]> {
  const rows = await named(tx, 'notification_rules').orderBy('position').orderBy('name').execute();
  return rows.map((row) => ({ ...row, definition: notificationRule.parse(row.definition) }));
}

export async function getNotificationRule(
  tx: Tx,
  name: string,
): Promise<Named<NotificationRule> | undefined> {
  const row = await named(tx, 'notification_rules').where('name', '=', name).executeTakeFirst();
  return row && { ...row, definition: notificationRule.parse(row.definition) };
}

/** Throws UnknownReferenceError for a channel, user, schedule or team that does not exist. */
export async function putNotificationRule(tx: Tx, change: Change<NotificationRule>): Promise<void> {
  await requireReferences(tx, change.definition);
  await put(tx, 'notification_rules', change, { position: change.definition.order });
}

/** False when there was none. */
export async function deleteNotificationRule(
  tx: Tx,
  change: Omit<Change<never>, 'definition'>,
): Promise<boolean> {
  return await remove(tx, 'notification_rules', change);
}

/** What a channel that has a message about an incident is kept up to date with. */
const followedTriggers = ['incident.root_cause_found', 'incident.acknowledged', 'incident.resolved'] as const;

/** What rules that are switched on, and messages that are kept up to date, wait for: only that is announced. */
export async function listAnnouncedTriggers(tx: Tx): Promise<AnnouncedTrigger[]> {
  const { rows } = await sql<{ trigger: NotificationTrigger }>`
    select distinct jsonb_array_elements_text(definition -> 'triggers') as trigger
    from notification_rules where definition -> 'enabled' is distinct from 'false'::jsonb
    order by 1`.execute(tx);
  const awaited = rows.map(({ trigger }) => trigger);
  const following = await listFollowingKinds(tx);
  if (following.size === 0) return awaited;
  // also without a key for them: one may be set before an incident reads this again
  const notes: AnnouncedTrigger[] = following.has('pagerduty') ? ['incident.noted'] : [];
  return [...new Set([...awaited, ...followedTriggers, ...notes])].sort();
}

/** Those that are switched on and wait for `trigger`, in their order. */
export async function listRulesFor(tx: Tx, trigger: NotificationTrigger): Promise<NamedRule[]> {
  const rows = await named(tx, 'notification_rules')
    .where(sql<boolean>`definition -> 'triggers' ? ${trigger}`)
    .where(sql<boolean>`definition -> 'enabled' is distinct from 'false'::jsonb`)
    .orderBy('position')
    .orderBy('name')
    .execute();
  return rows.map(({ name, definition }) => ({ name, definition: notificationRule.parse(definition) }));
}

/** Throws UnknownReferenceError for a channel, user, schedule or team that does not exist. */
export async function requireReferences(tx: Tx, { targets, when }: NotificationRule): Promise<void> {
  await teamIdOf(tx, when.team ?? null, 'when.team');
  const known = await knownTargets(tx, targets);
  for (const [index, target] of targets.entries()) {
    const field = `targets.${index}`;
    if (target.type === 'channel' && !known.channels.has(target.name)) {
      throw new UnknownReferenceError(
        `${field}.name`,
        `there is no notification channel '${target.name}': put it at /api/v1/notification-channels first`,
      );
    }
    if (target.type === 'schedule' && !known.schedules.has(target.name)) {
      throw new UnknownReferenceError(
        `${field}.name`,
        `there is no schedule '${target.name}': put it at /api/v1/on-call-schedules first`,
      );
    }
    if (target.type === 'user' && !known.users.has(target.email.toLowerCase())) {
      throw new UnknownReferenceError(`${field}.email`, `there is no user '${target.email}'`);
    }
  }
}

async function knownTargets(tx: Tx, targets: readonly EscalationTarget[]) {
  const names = targets.flatMap((target) => ('name' in target ? [target.name] : []));
  const emails = targets.flatMap((target) => (target.type === 'user' ? [target.email.toLowerCase()] : []));
  const { rows } = await sql<{ kind: 'channel' | 'schedule' | 'user'; name: string }>`
    select 'channel' as kind, name from notification_channels where name = any (${names})
    union all select 'schedule', name from on_call_schedules where name = any (${names})
    union all select 'user', email from users where email = any (${emails}) and disabled_at is null`.execute(
    tx,
  );
  const of = (kind: string) => new Set(rows.filter((row) => row.kind === kind).map(({ name }) => name));
  return { channels: of('channel'), schedules: of('schedule'), users: of('user') };
}
