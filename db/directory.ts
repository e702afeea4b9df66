import { sql } from 'kysely';
import { contactRules } from '../domain/contact-rules.ts';
import type { Directory } from '../domain/escalation/resolve.ts';
import { onCallSchedule, type ScheduleFacts } from '../domain/oncall/schedule.ts';
import type { EscalationTarget } from '../domain/policies.ts';
import type { Tx } from './database.ts';
import { readStoredSchedules } from './oncall.ts';

/**
 * What says whom targets reach at `at` (epoch milliseconds): the schedules that they name, as they are around that
 * moment, the people whom those and the targets name and who can be reached, and which of the channels there are. 'all'
 * reads everything. `to`: the end of the time that is asked about, where it is more than a moment; `everybody`: all people
 * and channels, for choosing among them. What this version cannot read must not keep others from being paged: such a
 * schedule is left out, and such a person is told by mail.
 */
export async function readDirectory(
  tx: Tx,
  targets: readonly EscalationTarget[] | 'all',
  { at, to = at, everybody = targets === 'all' }: { at: number; to?: number; everybody?: boolean },
): Promise<Directory> {
  const schedules = await schedulesOf(tx, targets === 'all' ? 'all' : namesOf(targets, 'schedule'), {
    from: at,
    to,
  });
  if (targets === 'all' || everybody) {
    return { schedules, people: await peopleOf(tx, 'all'), channels: await channelsOf(tx, 'all') };
  }
  const named = targets.flatMap((target) => (target.type === 'user' ? [target.email] : []));
  const onCall = [...schedules.values()].flatMap(personsOf);
  return {
    schedules,
    people: await peopleOf(tx, [...new Set([...named, ...onCall].map((email) => email.toLowerCase()))]),
    channels: await channelsOf(tx, namesOf(targets, 'channel')),
  };
}

function namesOf(targets: readonly EscalationTarget[], type: 'schedule' | 'channel'): string[] {
  return [...new Set(targets.flatMap((target) => (target.type === type ? [target.name] : [])))];
}

/** Who may be on call by it, by mail address. */
function personsOf({ definition, overrides, calendarShifts }: ScheduleFacts): string[] {
  return [
    ...definition.rotations.flatMap(({ participants }) => participants.flat()),
    ...[...overrides, ...calendarShifts].map(({ person }) => person),
  ];
}

/** Of the organization's owners and admins who can sign in, by address. */
export async function listOwnerAddresses(tx: Tx): Promise<string[]> {
  const rows = await tx
    .selectFrom('users as u')
    .innerJoin('memberships as m', 'm.user_id', 'u.id')
    .select('u.email')
    .distinct()
    .where('m.team_id', 'is', null)
    .where('m.role', 'in', ['owner', 'admin'])
    .where('u.disabled_at', 'is', null)
    .orderBy('u.email')
    .execute();
  return rows.map(({ email }) => email);
}

async function schedulesOf(
  tx: Tx,
  names: string[] | 'all',
  span: { from: number; to: number },
): Promise<Directory['schedules']> {
  const stored = await readStoredSchedules(tx, names, span);
  return new Map(
    stored.flatMap(({ definition, ...row }) => {
      const read = onCallSchedule.safeParse(definition);
      return read.success ? [[row.name, { ...row, definition: read.data }] as const] : [];
    }),
  );
}

async function peopleOf(tx: Tx, emails: readonly string[] | 'all'): Promise<Directory['people']> {
  if (emails.length === 0) return new Map();
  const rows = await tx
    .selectFrom('users')
    .select(['email', 'name', 'contact_rules as contactRules'])
    .where('disabled_at', 'is', null)
    .$if(emails !== 'all', (users) => users.where(sql<boolean>`email = any(${[...emails]}::text[])`))
    .execute();
  return new Map(
    rows.map((row) => [
      row.email.toLowerCase(),
      { name: row.name, contactRules: contactRules.safeParse(row.contactRules).data ?? [] },
    ]),
  );
}

async function channelsOf(tx: Tx, names: readonly string[] | 'all'): Promise<Directory['channels']> {
  if (names.length === 0) return new Set();
  const rows = await tx
    .selectFrom('notification_channels')
    .select('name')
    .$if(names !== 'all', (channels) => channels.where('name', 'in', [...names]))
    .execute();
  return new Set(rows.map(({ name }) => name));
}
